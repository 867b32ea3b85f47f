/* SPDX-License-Identifier: BSD-2-Clause */
/* System calls that would lead around the filter ──► an error that programs know how to live with. */
#include "confine/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "options.h"

/*
 * What is not here, and why. mount, ptrace and their like need capabilities that the command does not have, or reach
 * only what is inside. A user namespace gives it those capabilities inside: a raw socket there sends into a network
 * namespace that has no way out but through processes that are in the cgroup too, and AF_PACKET stays refused by the
 * rules below.
 */

struct refusal {
	int call;
	int error;
	unsigned int count; /* of conditions, which all have to hold; 0: whatever the arguments are */
	struct scmp_arg_cmp conditions[2];
	const char *why; /* as is told of it; NULL: nothing is, as programs do without it */
};

/* Of an argument that the kernel takes as int, only the low 32 bits count, whatever the caller put above them. */
#define IS(argument, value)                                                                                            \
	{ argument, SCMP_CMP_MASKED_EQ, 0xffffffff, (unsigned int)(value) }
#define HAS(argument, flag)                                                                                            \
	{ argument, SCMP_CMP_MASKED_EQ, flag, flag }

/* <linux/vhost.h> and <linux/ppp-ioctl.h>, whose arguments take other headers; <linux/ioprio.h> and <sys/resource.h> */
enum { OWN_VHOST = _IO(0xaf, 1), OWN_PPP = _IOWR('t', 62, int), GROUPS_IO_PRIORITY = 2, GROUPS_PRIORITY = 1 };

#define SENDFILE                                                                                                       \
	"the file could change after it was judged; most programs read and write instead (nginx: `sendfile off`)"

static const struct refusal refusals[] = {
	/*
	 * CLONE_INTO_CGROUP puts the child into any cgroup whose folder can be opened; uid 0 owns all of them, and that
	 * they are mounted read-only does not matter to it. Its flags are in memory, so all of it goes: programs then
	 * use clone.
	 */
	{SCMP_SYS(clone3), ENOSYS, 0, {{0}}, NULL},
	/*
	 * In a cgroup namespace of its own, a process can mount the cgroup file systems anew, to be written: version 1
	 * whole, with the freezer, and of version 2 what is below its own cgroup.
	 */
	{SCMP_SYS(unshare),
	 EPERM,
	 1,
	 {HAS(0, CLONE_NEWCGROUP)},
	 "a cgroup namespace of its own would lead out of the filter"},
	{SCMP_SYS(clone),
	 EPERM,
	 1,
	 {HAS(0, CLONE_NEWCGROUP)},
	 "a cgroup namespace of its own would lead out of the filter"},
	/*
	 * Into a namespace of a process outside (a container of the same user's, say), where there may be devices that
	 * no hook sees.
	 */
	{SCMP_SYS(setns), EPERM, 0, {{0}}, "in other namespaces there may be devices that no hook sees"},
	/* A socket of a process outside. What names that can come from anywhere: a UNIX socket tells its other end. */
	{SCMP_SYS(pidfd_getfd), EPERM, 0, {{0}}, "a socket of another process may be under no filter"},
	/* Of the own process group, in which snifence is as well, and what it shares a pipe with. */
	{SCMP_SYS(setpriority), EPERM, 1, {IS(0, GROUPS_PRIORITY)}, NULL},
	{SCMP_SYS(ioprio_set), EPERM, 1, {IS(0, GROUPS_IO_PRIORITY)}, NULL},
	/* Devices that send packets by file: tun and tap, a virtual machine's network and vsock, ppp. */
	{SCMP_SYS(ioctl), EPERM, 1, {IS(1, TUNSETIFF)}, "a device sends packets that no hook sees"},
	{SCMP_SYS(ioctl), EPERM, 1, {IS(1, OWN_VHOST)}, "a device sends packets that no hook sees"},
	{SCMP_SYS(ioctl), EPERM, 1, {IS(1, OWN_PPP)}, "a device sends packets that no hook sees"},
	/*
	 * Keys: the kernel has one that is missing made by /sbin/request-key, which it starts as root outside of the
	 * cgroup, with the command's words, and which asks servers by DNS. A kernel can be built without: container
	 * engines then do without, and stop at any other error.
	 */
	{SCMP_SYS(request_key), ENOSYS, 0, {{0}}, NULL},
	{SCMP_SYS(add_key), ENOSYS, 0, {{0}}, NULL},
	{SCMP_SYS(keyctl), ENOSYS, 0, {{0}}, NULL},
	/* Maps and programs of the filter itself, and sockets put into maps. */
	{SCMP_SYS(bpf), EPERM, 0, {{0}}, "maps and programs of the filter could be changed"},
	/* Sends from a kernel thread, with calls that this filter does not see. Programs then use epoll. */
	{SCMP_SYS(io_uring_setup), ENOSYS, 0, {{0}}, NULL},
	{SCMP_SYS(io_uring_enter), ENOSYS, 0, {{0}}, NULL},
	{SCMP_SYS(io_uring_register), ENOSYS, 0, {{0}}, NULL},
	/*
	 * Pages that stay shared with the sender: it could send an allowed ClientHello and write another name over it
	 * after the filter has read it and before the device (or a retransmission) does. EINVAL is what these calls
	 * say of descriptors that cannot do it: programs then read and write.
	 */
	{SCMP_SYS(splice), EINVAL, 0, {{0}}, NULL},
	{SCMP_SYS(sendfile), EINVAL, 0, {{0}}, SENDFILE},
	{SCMP_SYS(sendfile64), EINVAL, 0, {{0}}, SENDFILE},
	{SCMP_SYS(vmsplice), EPERM, 0, {{0}}, NULL},
	/* MSG_ZEROCOPY: the same. */
	{SCMP_SYS(setsockopt), EPERM, 2, {IS(1, SOL_SOCKET), IS(2, SO_ZEROCOPY)}, NULL},
	/* Typing into the terminal: the shell that started snifence would run it, unconfined. */
	{SCMP_SYS(ioctl), EPERM, 1, {IS(1, TIOCSTI)}, "what is typed into the terminal would run outside"},
	{SCMP_SYS(ioctl), EPERM, 1, {IS(1, TIOCLINUX)}, "what is typed into the terminal would run outside"},
	/* The 32-bit call that hides its arguments in memory; today's libraries make the direct calls. */
	{SCMP_SYS(socketcall), ENOSYS, 0, {{0}}, NULL},
};

/* kill(0, …) reaches the whole process group: snifence as well, and what it shares a pipe with. */
static const struct refusal group_signals = {
	SCMP_SYS(kill), EPERM, 1, {IS(0, 0)}, "the process group has snifence in it"};

/*
 * The families that stay: UNIX leads to no network, INET and INET6 are the filter's, NETLINK talks to the kernel, ALG
 * is its crypto. All others (PACKET, VSOCK, XDP, BLUETOOTH, CAN, TIPC, SMC, RDS, QIPCRTR, ...) pass no cgroup hook.
 */
static bool family_allowed(unsigned int family) {
	return family == AF_UNIX || family == AF_INET || family == AF_INET6 || family == AF_NETLINK || family == AF_ALG;
}

/* Beyond any errno: marks a refusal that is told, until the filter is installed. */
enum { TOLD = 0x800 };

static int refuse(scmp_filter_ctx filter, const struct refusal *refusal) {
	unsigned int error = (unsigned int)refusal->error | (refusal->why ? TOLD : 0);

	return seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(error), refusal->call, refusal->count,
				      refusal->conditions);
}

static int refuse_calls(scmp_filter_ctx filter, bool scoped) {
	int error = scoped ? 0 : refuse(filter, &group_signals);

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]) && !error; i++)
		error = refuse(filter, &refusals[i]);
	return error;
}

static struct scmp_arg_cmp equals(unsigned int argument, unsigned int value) {
	return (struct scmp_arg_cmp)IS(argument, value);
}

static const char families_why[] = "sockets of this family pass no hook";

static int refuse_families_of(scmp_filter_ctx filter, int call) {
	const unsigned int last = AF_ALG, action = SCMP_ACT_ERRNO(EAFNOSUPPORT | TOLD);
	int error = 0;

	for (unsigned int family = 0; family <= last && !error; family++)
		if (!family_allowed(family))
			error = seccomp_rule_add(filter, action, call, 1, equals(0, family));
	if (!error)
		error = seccomp_rule_add(filter, action, call, 1, (struct scmp_arg_cmp){0, SCMP_CMP_GT, last, 0});
	return error;
}

/* socketpair() is only good for UNIX sockets, but makes one of any family before that turns out. */
static int refuse_families(scmp_filter_ctx filter) {
	int error = refuse_families_of(filter, SCMP_SYS(socket));

	return error ? error : refuse_families_of(filter, SCMP_SYS(socketpair));
}

/*
 * MPTCP: the filter reads other bytes than the server. The hook for socket() refuses it in the same words; here it is
 * refused in audit mode too, where nothing that left by it could be judged.
 */
static int refuse_mptcp(scmp_filter_ctx filter) {
	return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPROTONOSUPPORT), SCMP_SYS(socket), 1,
				equals(2, SNIF_SOCKET_MPTCP));
}

static int add_rules(scmp_filter_ctx filter, bool scoped) {
	int error = refuse_calls(filter, scoped);

	if (!error)
		error = refuse_families(filter);
	return error ? error : refuse_mptcp(filter);
}

static int new_filter(scmp_filter_ctx *filter) {
	*filter = seccomp_init(SCMP_ACT_ALLOW);
	if (!*filter)
		return -ENOMEM;
	/* Any ABI without rules here (x32) is refused as a kernel without it does. */
	int error = seccomp_attr_set(*filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
	/* The kernel's own errno, instead of ECANCELED for all of them. */
	return error ? error : seccomp_attr_set(*filter, SCMP_FLTATR_API_SYSRAWRC, 1);
}

#if defined(__x86_64__) || defined(__aarch64__)
#if defined(__x86_64__)
enum { OTHER_ABI = SCMP_ARCH_X86 };
#else
enum { OTHER_ABI = SCMP_ARCH_ARM };
#endif

/* Of the other ABI no hook sees setsockopt(): the options that it judges are refused there whatever their value. */
static int refuse_unseen_options(scmp_filter_ctx filter) {
	static const struct {
		unsigned int level, option;
	} unseen[] = {
#define X(level, option, name, rule) {level, option},
		SNIF_OPTIONS(X)
#undef X
	};
	int error = 0;
	for (size_t i = 0; i < sizeof(unseen) / sizeof(unseen[0]) && !error; i++)
		error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(setsockopt), 2,
					 equals(1, unseen[i].level), equals(2, unseen[i].option));
	/* The rules for both ABIs have this one already. */
	return error == -EEXIST ? 0 : error;
}

/* The machine's 32-bit system calls reach the same kernel by other numbers: the rules hold for them too. */
static int add_other_abi(scmp_filter_ctx filter, bool scoped) {
	scmp_filter_ctx other;
	int error = new_filter(&other);
	if (!error)
		error = seccomp_arch_add(other, OTHER_ABI);
	if (!error)
		error = seccomp_arch_remove(other, SCMP_ARCH_NATIVE);
	if (!error)
		error = add_rules(other, scoped);
	if (!error)
		error = refuse_unseen_options(other);
	if (!error)
		error = seccomp_merge(filter, other);
	if (error)
		seccomp_release(other);
	return error;
}
#else
static int add_other_abi(scmp_filter_ctx filter, bool scoped) {
	(void)filter;
	(void)scoped;
	return 0;
}
#endif

/* Adds all rules and writes the instructions to `fd`. */
static int export(bool scoped, int fd) {
	scmp_filter_ctx filter;
	int error = new_filter(&filter);
	if (!error)
		error = add_rules(filter, scoped);
	if (!error)
		error = add_other_abi(filter, scoped);
	return error ? error : seccomp_export_bpf(filter, fd);
}

/* Nothing is released: what the first has taken the second cannot be given in the same order. */
static int export_twice(bool scoped, const int fds[2]) {
	int error = export(scoped, fds[0]);

	return error ? error : export(scoped, fds[1]);
}

enum { LIMIT_S = 2 }; /* of processor time; it takes some milliseconds */

/* libseccomp goes on, crashes or goes round for ever where some of its allocations fail: so this is for a process of its
 * own, with a limit that kills. */
static int export_apart(bool scoped, const int fds[2]) {
	int status = 0, pid = fork();

	if (pid == 0) {
		setrlimit(RLIMIT_CPU, &(struct rlimit){LIMIT_S, LIMIT_S});
		_exit(-export_twice(scoped, fds));
	}
	if (pid < 0)
		return -errno;
	while (waitpid(pid, &status, 0) < 0)
		/* where SIGCHLD is ignored it has ended, and nobody knows how */
		if (errno != EINTR)
			return errno == ECHILD ? 0 : -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -ENOMEM;
}

static int read_instructions(int fd, struct syscalls *syscalls) {
	ssize_t length = read(fd, syscalls->instructions, sizeof(syscalls->instructions));

	if (length < 0)
		return -errno;
	syscalls->count = (unsigned short)((size_t)length / sizeof(syscalls->instructions[0]));
	return syscalls->count ? 0 : -ENOMEM;
}

/* A rule that is silently missing in one of them is a difference. */
static int read_both(const int fds[2], struct syscalls *syscalls) {
	struct syscalls second;
	int error = read_instructions(fds[0], syscalls);

	if (!error)
		error = read_instructions(fds[1], &second);
	if (error)
		return error;
	size_t size = syscalls->count * sizeof(syscalls->instructions[0]);
	return syscalls->count == second.count && memcmp(syscalls->instructions, second.instructions, size) == 0
		       ? 0
		       : -ENOMEM;
}

/* By pipes, which have room for it: a limit on the size of files is none on them. */
int syscalls_compile(bool scoped, struct syscalls *syscalls) {
	int first[2] = {-1, -1}, second[2] = {-1, -1};
	const int flags = O_CLOEXEC | O_NONBLOCK;
	int error = pipe2(first, flags) || pipe2(second, flags) ? -errno : 0;

	if (!error)
		error = export_apart(scoped, (const int[]){first[1], second[1]});
	if (!error)
		error = read_both((const int[]){first[0], second[0]}, syscalls);
	if (error)
		syscalls->count = 0;
	for (size_t i = 0; i < 2; i++) {
		if (first[i] >= 0)
			close(first[i]);
		if (second[i] >= 0)
			close(second[i]);
	}
	return error;
}

/* The instructions as they are installed: what is marked is told, or refused with its errno like the rest. */
static void settle(struct sock_filter *instruction, bool told) {
	if (instruction->code != (BPF_RET | BPF_K) || (instruction->k & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_ERRNO ||
	    !(instruction->k & TOLD))
		return;
	instruction->k = told ? SECCOMP_RET_USER_NOTIF : instruction->k & ~(unsigned int)TOLD;
}

static int install(const struct syscalls *syscalls, bool told) {
	struct sock_filter instructions[BPF_MAXINSNS];
	struct sock_fprog program = {syscalls->count, instructions};
	unsigned int flags = told ? SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV : 0;

	memcpy(instructions, syscalls->instructions, syscalls->count * sizeof(instructions[0]));
	for (unsigned short i = 0; i < syscalls->count; i++)
		settle(&instructions[i], told);
	int result = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	return result < 0 ? -errno : result;
}

/* There can be one listener to a process: not where who started snifence has one, as some container engines do. */
int syscalls_refuse(const struct syscalls *syscalls, int *listener) {
	int result = -EBUSY;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	if (listener) {
		result = install(syscalls, true);
		*listener = result;
	}
	if (result < 0)
		result = install(syscalls, false);
	return result < 0 ? result : 0;
}

/* ---- what is told -------------------------------------------------------------------------------------------------- */

/* What the instructions, which libseccomp makes of few kinds, return for a call. */
static uint32_t run_instructions(const struct syscalls *syscalls, const struct seccomp_data *data) {
	uint32_t a = 0;
	bool holds = false;

	for (unsigned short i = 0; i < syscalls->count; i++) {
		const struct sock_filter *instruction = &syscalls->instructions[i];
		switch (instruction->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&a, (const char *)data + instruction->k, sizeof(a));
			continue;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= instruction->k;
			continue;
		case BPF_JMP | BPF_JA:
			i = (unsigned short)(i + instruction->k);
			continue;
		case BPF_JMP | BPF_JEQ | BPF_K:
			holds = a == instruction->k;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			holds = a > instruction->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			holds = a >= instruction->k;
			break;
		default:
			return instruction->code == (BPF_RET | BPF_K) ? instruction->k : 0;
		}
		i = (unsigned short)(i + (holds ? instruction->jt : instruction->jf));
	}
	return 0;
}

static bool meets(const struct refusal *refusal, const struct seccomp_data *data) {
	for (unsigned int i = 0; i < refusal->count; i++) {
		const struct scmp_arg_cmp *condition = &refusal->conditions[i];
		if ((data->args[condition->arg] & condition->datum_a) != condition->datum_b)
			return false;
	}
	return true;
}

static const char *why(int call, const struct seccomp_data *data) {
	if (call == SCMP_SYS(kill))
		return group_signals.why;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (refusals[i].call == call && refusals[i].why && meets(&refusals[i], data))
			return refusals[i].why;
	return families_why;
}

void syscalls_tell(const struct syscalls *syscalls, const struct seccomp_data *data, struct refused_call *call) {
	uint32_t answer = run_instructions(syscalls, data);
	char *name = seccomp_syscall_resolve_num_arch(data->arch, data->nr);

	snprintf(call->name, sizeof(call->name), "%s", name ? name : "?");
	call->number = name ? seccomp_syscall_resolve_name(name) : 0;
	call->error = (int)(answer & SECCOMP_RET_DATA & ~(unsigned int)TOLD);
	call->why = why(call->number, data);
	free(name);
}
