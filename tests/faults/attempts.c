/* SPDX-License-Identifier: BSD-2-Clause */
/* The confined command ──► what it could do of all that it tried, and what it is: one line each, always the same. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <mntent.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../support/hello_maker.h"
#include "faults.h"

/* `name: done`, or why not. */
static void tell(const char *name, long result) {
	printf("%s: %s\n", name, result < 0 ? strerrorname_np(errno) : "done");
}

/* ---- out of the cgroup ---------------------------------------------------------------------------------------- */

/* Through every mount of cgroup2, to the cgroup whose path is below the hierarchy's root. */
static void leave(const char *cgroup) {
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *entry;
	char file[4096];

	while (mounts && (entry = getmntent(mounts))) {
		if (strcmp(entry->mnt_type, "cgroup2") != 0)
			continue;
		snprintf(file, sizeof(file), "%s%s/cgroup.procs", entry->mnt_dir, cgroup);
		int fd = open(file, O_WRONLY | O_CLOEXEC);
		tell("leave the cgroup", fd < 0 ? fd : write(fd, "0", 1));
		if (fd >= 0)
			close(fd);
	}
	if (mounts)
		endmntent(mounts);
}

static void start_elsewhere(void) {
	struct clone_args arguments = {.exit_signal = SIGCHLD};
	long pid = syscall(SYS_clone3, &arguments, sizeof(arguments));

	if (pid == 0)
		_exit(0);
	tell("clone3()", pid);
}

/* ---- to a server ----------------------------------------------------------------------------------------------- */

static int open_socket(int type, uint16_t port, struct sockaddr_in *address) {
	*address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
	inet_pton(AF_INET, SERVER_ADDRESS, &address->sin_addr);
	return socket(AF_INET, type | SOCK_CLOEXEC, 0);
}

static void reach_server(void) {
	struct sockaddr_in address;
	int fd = open_socket(SOCK_STREAM, SERVER_PORT, &address);

	tell("connect to a server", connect(fd, (struct sockaddr *)&address, sizeof(address)));
	close(fd);
	fd = open_socket(SOCK_DGRAM, SERVER_UDP_PORT, &address);
	tell("send a datagram", sendto(fd, "x", 1, 0, (struct sockaddr *)&address, sizeof(address)));
	close(fd);
}

/* The bytes go no further than to the socket: what counts is what the server has seen. */
static void say_hello(void) {
	static struct bytes hello;
	struct sockaddr_in address;
	int fd = open_socket(SOCK_STREAM, SERVER_TLS_PORT, &address);

	hello_make(&hello, &(struct hello){.name = "forbidden.test"});
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    send(fd, hello.data, hello.length, MSG_NOSIGNAL) < 0)
		tell("say a ClientHello", -1);
	close(fd);
}

static void open_other_sockets(void) {
	tell("raw socket", socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
	tell("packet socket", socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
	tell("socket of VSOCK", socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0));
	tell("pair of sockets of TIPC", socketpair(AF_TIPC, SOCK_STREAM | SOCK_CLOEXEC, 0, (int[2]){0}));
}

/* ---- into other processes ---------------------------------------------------------------------------------------- */

static void tell_open(const char *name, const char *victim, const char *file) {
	char path[64];

	snprintf(path, sizeof(path), "/proc/%s/%s", victim, file);
	tell(name, open(path, O_RDONLY | O_CLOEXEC));
}

static void meddle(const char *victim, const char *address) {
	pid_t pid = atoi(victim);
	char byte;
	struct iovec here = {&byte, 1}, there = {(void *)(uintptr_t)strtoull(address, NULL, 16), 1};

	tell("read another process's memory", process_vm_readv(pid, &here, 1, &there, 1, 0));
	tell("trace another process", ptrace(PTRACE_SEIZE, pid, 0, 0));
	tell_open("open another process's memory", victim, "mem");
	tell_open("open another process's root", victim, "root");
	tell_open("open another process's network", victim, "ns/net");
}

/* ---- to more rights ------------------------------------------------------------------------------------------------ */

static void enter_namespaces(void) {
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	tell("enter a namespace", setns(fd, CLONE_NEWNET));
	close(fd);
	tell("make a mount namespace", unshare(CLONE_NEWNS));
	tell("make a network namespace", unshare(CLONE_NEWNET));
	tell("mount the cgroups", mount("none", "/", "cgroup2", 0, NULL));
}

static void call_what_leads_around(void) {
	int pipes[2], one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct iovec byte = {&one, 1};

	if (pipe(pipes))
		exit(1);
	tell("bpf()", syscall(SYS_bpf, BPF_MAP_GET_NEXT_ID, NULL, 0));
	tell("io_uring_setup()", syscall(SYS_io_uring_setup, 1, NULL));
	tell("keyctl()", syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0));
	tell("add_key()", syscall(SYS_add_key, "user", "snifence", "x", 1, KEY_SPEC_PROCESS_KEYRING));
	tell("request_key()", syscall(SYS_request_key, "user", "snifence", NULL, 0));
	tell("splice()", splice(pipes[0], NULL, fd, NULL, 0, 0));
	tell("vmsplice()", vmsplice(pipes[1], &byte, 1, 0));
	tell("sendfile()", sendfile(fd, STDIN_FILENO, NULL, 0));
	tell("SO_ZEROCOPY", setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)));
	tell("TIOCSTI", ioctl(pipes[0], TIOCSTI, ""));
	close(pipes[0]);
	close(pipes[1]);
	close(fd);
}

/* Opened, not written: they are the machine's. */
static void open_what_root_can(void) {
	tell("write core_pattern", open("/proc/sys/kernel/core_pattern", O_WRONLY | O_CLOEXEC));
	tell("write uevent_helper", open("/sys/kernel/uevent_helper", O_WRONLY | O_CLOEXEC));
	tell("write sysrq-trigger", open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC));
}

/* ---- what it is ------------------------------------------------------------------------------------------------------ */

/* Of /proc/self/status: what was taken from it, and its signals. */
static void print_status(void) {
	static const char *const members[] = {"Uid",	    "Gid",     "Groups",	 "SigBlk", "SigIgn",
					      "CapInh",	    "CapPrm",  "CapEff",	 "CapBnd", "CapAmb",
					      "NoNewPrivs", "Seccomp", "Seccomp_filters"};
	static const char standard[32]; /* what the kernel calls a sigaction, all zero: SIG_DFL */
	FILE *status;
	char line[512];

	/* two signals are the C library's own, which takes them back, or fails to, from whoever had them ignored */
	for (int number = 32; number <= 33; number++)
		syscall(SYS_rt_sigaction, number, standard, NULL, 8);
	status = fopen("/proc/self/status", "re");
	while (status && fgets(line, sizeof(line), status))
		for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
			if (strncmp(line, members[i], strlen(members[i])) == 0 && line[strlen(members[i])] == ':')
				printf("= %s", line);
	if (status)
		fclose(status);
}

/* Which mounts lead out: those of these file systems, and whether they can be written. */
static void print_mounts(void) {
	static const char *const types = " cgroup cgroup2 bpf sysfs debugfs tracefs configfs binfmt_misc proc ";
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *entry;
	char type[64];

	while (mounts && (entry = getmntent(mounts))) {
		snprintf(type, sizeof(type), " %s ", entry->mnt_type);
		if (strstr(types, type))
			printf("= mount %s of%s%s\n", entry->mnt_dir, type, hasmntopt(entry, "ro") ? "ro" : "rw");
	}
	if (mounts)
		endmntent(mounts);
}

static void print_descriptors(void) {
	for (int fd = STDERR_FILENO + 1; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf("= descriptor %d\n", fd);
}

/* The cgroup's name but for the number, which is snifence's pid. */
static void print_cgroup(void) {
	FILE *file = fopen("/proc/self/cgroup", "re");
	char line[4096];

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, "0::/", 4) == 0)
			printf("= cgroup %.10s\n", strrchr(line, '/'));
	if (file)
		fclose(file);
}

int attempts_main(char **argv) {
	print_descriptors();
	leave(argv[2]);
	print_cgroup();
	reach_server();
	say_hello();
	open_other_sockets();
	start_elsewhere();
	open_what_root_can();
	meddle(argv[0], argv[1]);
	enter_namespaces();
	call_what_leads_around();
	print_status();
	print_mounts();
	puts("= end");
	return fflush(stdout) ? 1 : ATTEMPTS_DONE;
}
