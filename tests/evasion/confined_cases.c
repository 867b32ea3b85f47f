/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * T13, T17: what a process that `run` has confined tries, to get past the hooks or out of its cgroup; and which of it is
 * open to one in a cgroup that is attached.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/sched.h>
#include <mntent.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "evasion.h"
#include "confine/scope.h"
#include "filter/instance.h"
#include "uring.h"
#include "way.h"

enum { TCP_REPAIR_OPTION = 19 };

static int result(long value) {
	return value < 0 ? errno : 0;
}

/* ---- families that no hook sees ---- */

static int packet_raw(void) {
	return result(socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)));
}

static int packet_datagram(void) {
	return result(socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP)));
}

static int packet_with_high_bits(void) {
	return result(syscall(SYS_socket, AF_PACKET | 1L << 32, SOCK_RAW, 0));
}

static int vsock(void) {
	return result(socket(AF_VSOCK, SOCK_STREAM, 0));
}

static int xdp(void) {
	return result(socket(AF_XDP, SOCK_RAW, 0));
}

static int smc(void) {
	return result(socket(43, SOCK_STREAM, 0));
}

/* There are no such pairs, which the kernel would say by another error. */
static int pair_of_packet(void) {
	int pair[2];

	return result(socketpair(AF_PACKET, SOCK_DGRAM, 0, pair));
}

/* A namespace of one's own gives all capabilities inside. */
static int packet_in_user_namespace(void) {
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return errno == EPERM || errno == ENOSPC ? EAFNOSUPPORT : errno; /* refused already: as good */
	return packet_raw();
}

static void families(void) {
	static const struct way ways[] = {
		{WAY_PACKETS, "a raw packet socket", packet_raw, EAFNOSUPPORT, EAFNOSUPPORT},
		{WAY_PACKETS, "a packet socket", packet_datagram, EAFNOSUPPORT, EAFNOSUPPORT},
		{WAY_PACKETS, "its family with high bits", packet_with_high_bits, EAFNOSUPPORT, EAFNOSUPPORT},
		{WAY_CALLS, "one in a user namespace", packet_in_user_namespace, EAFNOSUPPORT, EAFNOSUPPORT},
	};
	/* a kernel can be without these, which says the same */
	static const attempt_function others[] = {vsock, xdp, smc, pair_of_packet};

	ways_tried(ways, COUNT(ways));
	for (size_t i = 0; i < COUNT(others); i++)
		must_fail(others[i], EAFNOSUPPORT, EAFNOSUPPORT);
}

/*
 * What AF_PACKET would be good for, where a privileged process is attached to instead of run: the threat model says so. The
 * datagram goes where nothing may go, and no hook sees it.
 */
static void packet_of_root(void) {
	struct sockaddr_ll device = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_halen = 6};
	struct {
		struct iphdr ip;
		struct udphdr udp;
		char data[4];
	} packet = {.ip = {.ihl = 5, .version = 4, .ttl = 64, .protocol = IPPROTO_UDP},
		    .udp = {.source = htons(1), .dest = htons(443), .len = htons(12)},
		    .data = "quic"};
	size_t before = lab_seen(evasion_udp443, 0).received;
	uint32_t sum = 0;
	int fd = socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP));

	evasion_spoilt();
	assert_true(fd >= 0);
	assert_int_equal(evasion_system("echo 1 >/proc/sys/net/ipv4/conf/lo/accept_local"), 0);
	device.sll_ifindex = (int)if_nametoindex("lo");
	packet.ip.tot_len = htons(sizeof(packet));
	packet.ip.saddr = packet.ip.daddr = htonl(0xc0000201);
	for (size_t i = 0; i < sizeof(packet.ip) / 2; i++)
		sum += ((uint16_t *)&packet.ip)[i];
	packet.ip.check = (uint16_t) ~((sum & 0xffff) + (sum >> 16));
	evasion_count(1);
	assert_int_equal(sendto(fd, &packet, sizeof(packet), 0, (struct sockaddr *)&device, sizeof(device)),
			 sizeof(packet));
	assert_int_equal(lab_wait_bytes(evasion_udp443, 0, before + 4).received, before + 4);
	assert_null(lab_event(0));
	close(fd);
}

/* ---- the filter's own objects, the cgroup, other processes ---- */

static int use_bpf(void) {
	union bpf_attr attributes = {0};

	return result(syscall(SYS_bpf, BPF_MAP_GET_NEXT_ID, &attributes, sizeof(attributes)));
}

/* Opens something in the parent of the cgroup. */
static int open_outside(const char *name, int flags) {
	FILE *mounts = setmntent("/proc/self/mounts", "r");
	struct mntent *entry;
	char path[1024] = "";

	while ((entry = getmntent(mounts)))
		if (strcmp(entry->mnt_type, "cgroup2") == 0)
			snprintf(path, sizeof(path), "%s%s/../%s", entry->mnt_dir, lab_cgroup()->path, name);
	endmntent(mounts);
	return open(path, flags);
}

static int leave_cgroup(void) {
	return result(open_outside("cgroup.procs", O_WRONLY));
}

/* Out of a chroot, to wherever there is a way up. */
static int leave_by_chroot(void) {
	int root = open("/", O_RDONLY | O_DIRECTORY);

	if (chroot("/tmp"))
		return errno;
	if (fchdir(root))
		return errno;
	for (int i = 0; i < 64; i++)
		if (chdir(".."))
			return errno;
	return chroot(".") ? errno : leave_cgroup();
}

/* A child that begins its life in the parent of the cgroup. */
static int clone_outside(void) {
	struct clone_args arguments = {.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD};
	long pid;

	arguments.cgroup = (uint64_t)open_outside(".", O_PATH | O_DIRECTORY);
	pid = syscall(SYS_clone3, &arguments, sizeof(arguments));
	if (pid == 0)
		_exit(0);
	return result(pid);
}

/* The kernel would start a program outside, to make the key. */
static int ask_for_key(void) {
	return result(syscall(SYS_request_key, "user", "snifence:evasion", "x", 0));
}

static int use_keys(void) {
	return result(syscall(SYS_keyctl, 0 /* KEYCTL_GET_KEYRING_ID */, -1, 1));
}

/* What it names is started outside, as root. */
static int write_core_pattern(void) {
	return result(open("/proc/sys/kernel/core_pattern", O_WRONLY));
}

static int mount_one(const char *type) {
	return mount("none", "/tmp", type, 0, NULL) ? errno : result(umount2("/tmp", MNT_DETACH));
}

static int mount_cgroup(void) {
	return mount_one("cgroup2");
}

static int mount_bpf(void) {
	return mount_one("bpf");
}

/* Without stopping it, as it is the test where this works. */
static int trace_the_daemon(void) {
	return result(ptrace(PTRACE_SEIZE, getppid(), NULL, NULL));
}

static int take_a_descriptor(void) {
	int process = (int)syscall(SYS_pidfd_open, getppid(), 0);

	return process < 0 ? errno : result(syscall(SYS_pidfd_getfd, process, 0, 0));
}

static int enter_namespace(void) {
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", getppid());
	fd = open(path, O_RDONLY);
	return fd < 0 ? errno : result(setns(fd, CLONE_NEWNET));
}

static int write_memory(void) {
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/mem", getppid());
	return result(open(path, O_WRONLY));
}

/* What resident filters note, which whoever has it open can lock. */
static int open_state(void) {
	return result(open(INSTANCE_ROOT "/state", O_RDONLY));
}

static void mount_state(void) {
	assert_true(mkdir(INSTANCE_ROOT, 0700) == 0 || errno == EEXIST);
	assert_int_equal(mount("lab", INSTANCE_ROOT, "tmpfs", 0, "mode=0700"), 0);
	assert_int_equal(mknod(INSTANCE_ROOT "/state", S_IFREG | 0600, 0), 0);
}

static void unmount_state(void) {
	assert_int_equal(umount2(INSTANCE_ROOT, MNT_DETACH), 0);
	rmdir(INSTANCE_ROOT); /* unless the machine has one */
}

static void ways_out(void) {
	static const struct way ways[] = {
		{WAY_PACKETS, "bpf()", use_bpf, EPERM, EPERM},
		{WAY_STATE, "the state of resident filters", open_state, ENOENT, EACCES},
		{WAY_CGROUP, "cgroup.procs of the parent", leave_cgroup, EROFS, EACCES},
		{WAY_CGROUP, "a child in the parent", clone_outside, ENOSYS, ENOSYS},
		{WAY_CALLS, "request_key()", ask_for_key, ENOSYS, ENOSYS},
		{WAY_CALLS, "keyctl()", use_keys, ENOSYS, ENOSYS},
		{WAY_CGROUP, "a way up from a chroot", leave_by_chroot, EROFS, EPERM},
		{WAY_CGROUP, "core_pattern", write_core_pattern, EROFS, EACCES},
		{WAY_CGROUP, "a mount of cgroup2", mount_cgroup, EPERM, EPERM},
		{WAY_CGROUP, "a mount of bpf", mount_bpf, EPERM, EPERM},
		{WAY_PROCESSES, "ptrace()", trace_the_daemon, EPERM, EPERM},
		{WAY_PROCESSES, "pidfd_getfd()", take_a_descriptor, EPERM, EPERM},
		{WAY_PROCESSES, "a namespace in /proc", enter_namespace, EPERM, EACCES},
		{WAY_PROCESSES, "memory in /proc", write_memory, EPERM, EACCES},
	};

	mount_state();
	ways_tried(ways, COUNT(ways));
	unmount_state();
}

/* ---- calls that would let another name follow the judged one, and others ---- */

static int ring(void) {
	return -uring_do(IORING_OP_NOP, -1, NULL, 0, 0);
}

static int zerocopy(void) {
	int one = 1;

	return result(setsockopt(socket(AF_INET, SOCK_STREAM, 0), SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)));
}

/* A byte of a file, with which the kernel itself would have nothing against this. */
static int file_of_one(void) {
	int fd = memfd_create("evasion", MFD_CLOEXEC);

	return fd >= 0 && pwrite(fd, "x", 1, 0) == 1 ? fd : -1;
}

static int spliced(void) {
	off_t at = 0;
	int ends[2];

	return pipe(ends) ? errno : result(splice(file_of_one(), &at, ends[1], NULL, 1, 0));
}

static int sent_file(void) {
	off_t at = 0;
	int ends[2];

	return pipe(ends) ? errno : result(sendfile(ends[1], file_of_one(), &at, 1));
}

static int vmspliced(void) {
	struct iovec piece = {(void *)"x", 1};
	int ends[2];

	return pipe(ends) ? errno : result(vmsplice(ends[1], &piece, 1, 0));
}

static void shared_pages(void) {
	static const struct way ways[] = {
		{WAY_SOCKETS, "SO_ZEROCOPY", zerocopy, EPERM, EPERM},
		{WAY_CALLS, "splice()", spliced, EINVAL, EINVAL},
		{WAY_CALLS, "sendfile()", sent_file, EINVAL, EINVAL},
		{WAY_CALLS, "vmsplice()", vmspliced, EPERM, EPERM},
		{WAY_CALLS, "io_uring", ring, ENOSYS, ENOSYS},
	};

	ways_tried(ways, COUNT(ways));
	lab_expect(SNIF_DENY, SNIF_REASON_SOCKET_OPTION);
}

static int repair(void) {
	int one = 1;

	return result(setsockopt(socket(AF_INET, SOCK_STREAM, 0), IPPROTO_TCP, TCP_REPAIR_OPTION, &one, sizeof(one)));
}

static int transparent(void) {
	int one = 1;

	return result(setsockopt(socket(AF_INET, SOCK_STREAM, 0), IPPROTO_IP, IP_TRANSPARENT, &one, sizeof(one)));
}

static void socket_options(void) {
	static const struct way ways[] = {
		{WAY_SOCKETS, "TCP_REPAIR", repair, EPERM, EPERM},
		{WAY_SOCKETS, "IP_TRANSPARENT", transparent, EPERM, EPERM},
	};

	ways_tried(ways, COUNT(ways));
	for (int i = 0; i < 6; i++)
		lab_expect(SNIF_DENY, SNIF_REASON_SOCKET_OPTION);
}

static int mptcp(void) {
	return result(socket(AF_INET, SOCK_STREAM, 262));
}

#if defined(__x86_64__)
enum { GETPID_OF_32_BIT = 20, SETSOCKOPT_OF_32_BIT = 366 };

static long call_32_bit(long call, long a, long b, long c, const void *d, long e) {
	__asm__ volatile("int $0x80"
			 : "+a"(call)
			 : "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
			 : "memory", "r8", "r9", "r10", "r11");
	return call;
}

/* Where the kernel does without, the instruction ends the process. */
static bool has_32_bit(void) {
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		signal(SIGSEGV, SIG_DFL);
		_exit(call_32_bit(GETPID_OF_32_BIT, 0, 0, 0, NULL, 0) != getpid());
	}
	return waitpid(child, &status, 0) == child && status == 0;
}

/* setsockopt() as a 32-bit program calls it; the kernel then asks no hook. 0 or the errno. */
static int set_by_32_bit(int type, int level, int option, const void *value, long length) {
	void *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	int fd = socket(AF_INET6, type, 0);

	if (low == MAP_FAILED || fd < 0)
		return -1;
	memcpy(low, value, (size_t)length);
	return (int)-call_32_bit(SETSOCKOPT_OF_32_BIT, fd, level, option, low, length);
}

static int foreign_source_by_32_bit(void) {
	int one = 1;

	return set_by_32_bit(SOCK_DGRAM, IPPROTO_IPV6, 78, &one, sizeof(one));
}

static int join_by_32_bit(void) {
	static const uint8_t group[20] = {0xff, 5, [15] = 9, 1};

	return set_by_32_bit(SOCK_DGRAM, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, group, sizeof(group));
}

static int plain_by_32_bit(void) {
	int one = 1, error = set_by_32_bit(SOCK_STREAM, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));

	return error ? error : 1000;
}
#endif

/* Programs of the machine's 32-bit ABI: the same options are closed to them, others not. */
static void socket_options_of_32_bit(void) {
#if defined(__x86_64__)
	static const struct way ways[] = {
		{WAY_CALLS, "IPV6_FREEBIND by 32 bits", foreign_source_by_32_bit, EPERM, EPERM},
		{WAY_CALLS, "a group by 32 bits", join_by_32_bit, EPERM, EPERM},
	};

	if (!has_32_bit())
		evasion_skip("this kernel runs no 32-bit programs");
	ways_tried(ways, COUNT(ways));
	must_fail(plain_by_32_bit, 1000, 1000);
#else
	evasion_skip("there is no second ABI to call here");
#endif
}

static void mptcp_socket(void) {
	static const struct way way = {WAY_SOCKETS, "MPTCP", mptcp, EPROTONOSUPPORT, EPROTONOSUPPORT};

	ways_tried(&way, 1);
	lab_expect(SNIF_DENY, SNIF_REASON_MPTCP);
}

/* ---- namespaces, devices and processes outside ---- */

/* A namespace of one's own can be left; entering it by setns() is what entering another one takes. */
static int enter_by_capability(void) {
	int fd;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return errno == ENOSPC || errno == ENOSYS ? EPERM : errno; /* refused already: as good */
	fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	return fd < 0 ? errno : result(setns(fd, CLONE_NEWNET));
}

/* Where cgroup file systems could be mounted anew. */
static int unshare_cgroup(void) {
	return result(unshare(CLONE_NEWUSER | CLONE_NEWCGROUP));
}

static int clone_cgroup(void) {
	long pid = syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWCGROUP | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0)
		_exit(0);
	return result(pid);
}

static void namespaces(void) {
	static const struct way ways[] = {
		{WAY_CALLS, "setns()", enter_by_capability, EPERM, EPERM},
		{WAY_CALLS, "unshare()", unshare_cgroup, EPERM, EPERM},
		{WAY_CALLS, "clone()", clone_cgroup, EPERM, EPERM},
	};

	ways_tried(ways, COUNT(ways));
}

/* A device that is there, and nobody's in particular: whoever opens the file may have it. */
static int tun_fd;

static int take_tun(void) {
	struct ifreq request = {.ifr_name = "evasion-tun", .ifr_flags = IFF_TUN | IFF_NO_PI};

	return result(ioctl(tun_fd, TUNSETIFF, &request));
}

/* By a descriptor from outside, so that it is not the device program which refuses (D1). */
static void tun_device(void) {
	evasion_outside();
	tun_fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (tun_fd < 0 || evasion_system("ip tuntap add dev evasion-tun mode tun"))
		evasion_skip("no tun device can be made here");
	evasion_spoilt();
	must_fail(take_tun, EPERM, EPERM);
	assert_int_equal(take_tun(), 0); /* which the test may */
	close(tun_fd);
	evasion_system("ip link del evasion-tun");
}

#ifdef __x86_64__
/* By the number of a 32-bit system call, which the kernel takes from every process. */
static int call32(int number, int first, unsigned int second) {
	int value;

	__asm__ volatile("int $0x80" : "=a"(value) : "a"(number), "b"(first), "c"(second), "d"(0) : "memory");
	return value < 0 ? -value : 0;
}

static bool has_calls_of_32_bits(void) {
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		_exit(call32(4 /* write */, -1, 0) != EBADF);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int enter_by_32_bits(void) {
	return call32(346 /* setns */, -1, 0);
}

static int unshare_by_32_bits(void) {
	return call32(310 /* unshare */, CLONE_NEWUSER | CLONE_NEWCGROUP, 0);
}

static int take_tun_by_32_bits(void) {
	return call32(54 /* ioctl */, -1, TUNSETIFF);
}

static int take_descriptor_by_32_bits(void) {
	return call32(438 /* pidfd_getfd */, -1, 0);
}

static int make_family_by_32_bits(void) {
	return call32(359 /* socket */, AF_PACKET, SOCK_RAW);
}

static void calls_of_32_bits(void) {
	static const struct way ways[] = {
		{WAY_CALLS, "setns() of 32 bits", enter_by_32_bits, EPERM, EPERM},
		{WAY_CALLS, "unshare() of 32 bits", unshare_by_32_bits, EPERM, EPERM},
		{WAY_CALLS, "ioctl() of 32 bits", take_tun_by_32_bits, EPERM, EPERM},
		{WAY_CALLS, "pidfd_getfd() of 32 bits", take_descriptor_by_32_bits, EPERM, EPERM},
		{WAY_CALLS, "socket() of 32 bits", make_family_by_32_bits, EAFNOSUPPORT, EAFNOSUPPORT},
	};

	if (!has_calls_of_32_bits())
		evasion_skip("this kernel has no 32-bit system calls");
	ways_tried(ways, COUNT(ways));
}
#endif

static int signal_the_parent(void) {
	return result(kill(getppid(), 0));
}

static const struct sockaddr_un abstract = {.sun_family = AF_UNIX, .sun_path = "\0snifence-evasion"};

/* It could belong to a bus, or a helper that connects to wherever it is told. */
static int dial_abstract(void) {
	return result(connect(socket(AF_UNIX, SOCK_STREAM, 0), (const struct sockaddr *)&abstract, sizeof(abstract)));
}

/* Without a PID namespace here, so by Landlock alone. */
static void scopes(void) {
	static const struct way ways[] = {
		{WAY_PROCESSES, "an abstract socket", dial_abstract, EPERM, EPERM},
		{WAY_PROCESSES, "a signal", signal_the_parent, EPERM, EPERM},
	};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (scope_abi() < SCOPE_ABI)
		evasion_skip("Landlock has no scopes here");
	assert_int_equal(bind(fd, (const struct sockaddr *)&abstract, sizeof(abstract)), 0);
	assert_int_equal(listen(fd, 1), 0);
	ways_tried(ways, COUNT(ways));
	close(fd);
}

/* And what it may do works: a connection to an allowed name passes, another one does not. */
static int both_names(void) {
	static struct bytes hello;
	char byte;
	int fd;

	hello_make(&hello, &(struct hello){.name = ALLOWED});
	fd = lab_dial(V4, 443);
	if (fd < 0 || lab_send(fd, hello.data, hello.length) || recv(fd, &byte, 1, 0) != 1)
		return 1;
	lab_reset(fd);
	hello_make(&hello, &(struct hello){.name = FORBIDDEN});
	fd = lab_dial(V4, 443);
	if (fd < 0)
		return 2;
	lab_send(fd, hello.data, hello.length);
	if (recv(fd, &byte, 1, MSG_DONTWAIT) != -1)
		return 3;
	lab_reset(fd);
	return 1000;
}

static void still_judged(void) {
	must_fail(both_names, 1000, 1000);
	for (int i = 0; i < 2; i++) {
		lab_expect(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED);
		lab_expect(SNIF_DENY, SNIF_REASON_NAME_NOT_ALLOWED);
	}
}

static const struct evasion cases[] = {
	{"T13-families-that-no-hook-sees", .run = families},
	{"T13-packet-socket-of-an-unconfined-root", .run = packet_of_root},
	{"T17-ways-out", .run = ways_out},
	{"T17-ways-out-as-documented", .run = ways_documented},
	{"N-namespaces-of-others", .run = namespaces},
	{"N-tun-device-by-ioctl", .run = tun_device},
#ifdef __x86_64__
	{"N-calls-of-32-bits", .run = calls_of_32_bits},
#endif
	{"P-signals-and-abstract-sockets", .run = scopes},
	{"X-pages-shared-with-the-sender", .run = shared_pages},
	{"X-socket-options-of-administrators", .run = socket_options},
	{"K1-options-of-32-bit-programs", .run = socket_options_of_32_bit},
	{"T2-mptcp-confined", .run = mptcp_socket},
	{"T17-confined-and-judged", .run = still_judged},
};

CATALOGUE(confined_cases, cases);
