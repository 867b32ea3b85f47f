/* SPDX-License-Identifier: BSD-2-Clause */
/* confine.c, identity.c and syscalls.c: what a confined process can no longer do. Needs root; skips without. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if_tun.h>
#include <mntent.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "need_root.h"
#include "confine/confine.h"
#include "confine/syscalls.h"

#define NOBODY 65534

static gid_t nobodys_groups[] = {NOBODY};
static const struct confinement as_nobody = {.identity = {.change = true,
							  .uid = NOBODY,
							  .gid = NOBODY,
							  .groups = nobodys_groups,
							  .group_count = 1,
							  .name = (char *)"x.test",
							  .home = (char *)"/home/x.test"}};

#define CHECK(condition)                                                                                               \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			fprintf(stderr, "%s:%d: %s (errno %d)\n", __FILE__, __LINE__, #condition, errno);              \
			return __LINE__;                                                                               \
		}                                                                                                      \
	} while (0)

/* Confines a child and runs the check in it; the check returns 0 or the line that failed. */
static void confined(const struct confinement *confinement, int (*check)(void)) {
	struct confinement prepared = *confinement;
	int status;

	need_root_and_mounts();
	assert_int_equal(confine_prepare(&prepared), 0);
	fflush(NULL);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		enum confine_step step;
		int err = confine(&prepared, &step);
		if (err)
			fprintf(stderr, "cannot %s: %s\n", confine_step_text(step), strerror(-err));
		_exit(err || check() ? 1 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int descriptors_close(void) {
	for (int fd = 3; fd < 100; fd++) {
		int flags = fcntl(fd, F_GETFD);
		CHECK(flags < 0 || flags & FD_CLOEXEC);
	}
	CHECK(fcntl(100, F_GETFD) & FD_CLOEXEC);
	CHECK(!(fcntl(1, F_GETFD) & FD_CLOEXEC));
	return 0;
}

static void test_descriptors(void **state) {
	(void)state;
	struct confinement confinement = {0};
	assert_int_equal(dup2(1, 100), 100);
	confined(&confinement, descriptors_close);
	close(100);
}

static int mounts_are_read_only(void) {
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *entry;
	int seen = 0;

	CHECK(mounts);
	while ((entry = getmntent(mounts))) {
		if (strcmp(entry->mnt_type, "cgroup2") && strcmp(entry->mnt_type, "cgroup") &&
		    strcmp(entry->mnt_type, "bpf"))
			continue;
		seen++;
		CHECK(hasmntopt(entry, "ro"));
		CHECK(access(entry->mnt_dir, W_OK) == -1 && errno == EROFS);
	}
	endmntent(mounts);
	if (!seen)
		fprintf(stderr, "no cgroup or bpf file system is mounted here: nothing to see\n");
	return 0;
}

static void test_mounts(void **state) {
	(void)state;
	struct confinement confinement = {0};
	confined(&confinement, mounts_are_read_only);
}

static int mounts_stay_here(void) {
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	char line[8192];

	CHECK(mounts);
	while (fgets(line, sizeof(line), mounts))
		CHECK(!strstr(line, " shared:") && !strstr(line, " master:"));
	fclose(mounts);
	return 0;
}

static void test_propagation(void **state) {
	(void)state;
	struct confinement confinement = {0};
	need_root_and_mounts();
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL), 0);
	confined(&confinement, mounts_stay_here);
}

/* Whether a file is there and can be written; it is not written. */
static int opens(const char *path) {
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? errno : 0;
}

static int settings_are_read_only(void) {
	int uevent = opens("/sys/kernel/uevent_helper");

	CHECK(opens("/proc/sys/kernel/core_pattern") == EROFS);
	CHECK(opens("core_pattern") == EROFS); /* from the working directory */
	CHECK(uevent == EROFS || uevent == ENOENT);
	CHECK(access("/sys/kernel", W_OK) == -1 && errno == EROFS);
	CHECK(opens("/proc/self/oom_score_adj") == 0);
	return 0;
}

static int settings_can_be_written(void) {
	CHECK(opens("/proc/sys/kernel/core_pattern") == 0);
	return 0;
}

static int settings_are_left(void) {
	struct statvfs proc, sys;

	CHECK(statvfs("/proc/sys/kernel", &proc) == 0 && !(proc.f_flag & ST_RDONLY));
	CHECK(statvfs("/sys", &sys) == 0 && !(sys.f_flag & ST_RDONLY));
	return 0;
}

static void test_settings(void **state) {
	(void)state;
	struct confinement confinement = {0};
	char here[PATH_MAX];
	assert_non_null(getcwd(here, sizeof(here)));
	assert_int_equal(chdir("/proc/sys/kernel"), 0);
	confined(&confinement, settings_are_read_only);
	assert_int_equal(chdir(here), 0);
	if (opens("/proc/sys/kernel/core_pattern")) {
		print_message("skipped: /proc/sys is read-only for this test already, as in a container\n");
		skip();
	}
	confinement.keep_caps = true;
	confined(&confinement, settings_can_be_written);
	/* they are not the user's to write */
	confined(&as_nobody, settings_are_left);
}

static const cap_value_t dangerous[] = {
	CAP_NET_RAW,   CAP_NET_ADMIN,	    CAP_BPF,	  CAP_SYS_ADMIN, CAP_SYS_PTRACE,
	CAP_SYS_RAWIO, CAP_SYS_MODULE,	    CAP_PERFMON,  CAP_MKNOD,	 CAP_CHECKPOINT_RESTORE,
	CAP_SETPCAP,   CAP_DAC_READ_SEARCH, CAP_SYS_BOOT,
};

static int has(cap_flag_t flag, cap_value_t capability) {
	cap_flag_value_t value = CAP_SET;
	cap_t set = cap_get_proc();
	cap_get_flag(set, capability, flag, &value);
	cap_free(set);
	return value == CAP_SET;
}

static int root_is_without_dangerous_capabilities(void) {
	CHECK(geteuid() == 0);
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	for (size_t i = 0; i < sizeof(dangerous) / sizeof(dangerous[0]); i++) {
		CHECK(cap_get_bound(dangerous[i]) == 0);
		CHECK(!has(CAP_PERMITTED, dangerous[i]));
		CHECK(!has(CAP_EFFECTIVE, dangerous[i]));
		CHECK(!has(CAP_INHERITABLE, dangerous[i]));
	}
	CHECK(has(CAP_EFFECTIVE, CAP_SETUID));
	CHECK(has(CAP_EFFECTIVE, CAP_DAC_OVERRIDE));
	return 0;
}

static void test_capabilities(void **state) {
	(void)state;
	struct confinement confinement = {0};
	confined(&confinement, root_is_without_dangerous_capabilities);
}

static int keeps_capabilities(void) {
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	CHECK(has(CAP_EFFECTIVE, CAP_NET_ADMIN));
	CHECK(cap_get_bound(CAP_NET_ADMIN) == 1);
	return 0;
}

static void test_keep_caps(void **state) {
	(void)state;
	struct confinement confinement = {.keep_caps = true};
	confined(&confinement, keeps_capabilities);
}

static int is_nobody(void) {
	gid_t group;
	uid_t real, effective, saved;

	CHECK(getresuid(&real, &effective, &saved) == 0);
	CHECK(real == NOBODY && effective == NOBODY && saved == NOBODY);
	CHECK(getgid() == NOBODY);
	CHECK(getgroups(1, &group) == 1 && group == NOBODY);
	CHECK(strcmp(getenv("HOME"), "/home/x.test") == 0);
	CHECK(strcmp(getenv("USER"), "x.test") == 0);
	CHECK(strcmp(getenv("LOGNAME"), "x.test") == 0);
	CHECK(!has(CAP_PERMITTED, CAP_SETUID));
	CHECK(cap_get_bound(CAP_NET_RAW) == 0);
	CHECK(setuid(0) == -1 && errno == EPERM);
	return 0;
}

static void test_identity(void **state) {
	(void)state;
	confined(&as_nobody, is_nobody);
}

static int families_are_few(void) {
	int allowed[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
	int refused[] = {AF_PACKET, AF_VSOCK, AF_XDP, AF_CAN, AF_TIPC, AF_BLUETOOTH, AF_ALG + 1, AF_ALG + 5, 1000, -1};
	int pair[2];

	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		int fd = socket(allowed[i], SOCK_DGRAM, 0);
		CHECK(fd >= 0 || (allowed[i] == AF_INET6 && errno == EAFNOSUPPORT));
		close(fd);
	}
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		CHECK(socket(refused[i], SOCK_DGRAM, 0) == -1 && errno == EAFNOSUPPORT &&
		      socketpair(refused[i], SOCK_DGRAM, 0, pair) == -1 && errno == EAFNOSUPPORT);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
#ifdef __LP64__
	/* The kernel looks at the low half of the register only. */
	CHECK(syscall(SYS_socket, 0x100000000L | AF_PACKET, SOCK_RAW, 0) == -1 && errno == EAFNOSUPPORT);
#endif
	return 0;
}

static int calls_are_refused(void) {
	int one = 1, pair[2], fd = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(fd >= 0 && pipe(pair) == 0);
	CHECK(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one)) == 0);
	CHECK(setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)) == -1 && errno == EPERM);
	CHECK(syscall(SYS_bpf, 0, NULL, 0) == -1 && errno == EPERM);
	CHECK(syscall(SYS_clone3, NULL, 0) == -1 && errno == ENOSYS);
	CHECK(syscall(SYS_request_key, NULL, NULL, NULL, 0) == -1 && errno == ENOSYS);
	CHECK(syscall(SYS_add_key, NULL, NULL, NULL, 0, 0) == -1 && errno == ENOSYS);
	CHECK(syscall(SYS_keyctl, 0, -1, 1) == -1 && errno == ENOSYS);
	CHECK(syscall(SYS_io_uring_setup, 1, NULL) == -1 && errno == ENOSYS);
	CHECK(syscall(SYS_io_uring_enter, 0, 0, 0, 0, NULL, 0) == -1 && errno == ENOSYS);
	CHECK(splice(pair[0], NULL, fd, NULL, 1, SPLICE_F_NONBLOCK) == -1 && errno == EINVAL);
	CHECK(vmsplice(pair[1], NULL, 0, 0) == -1 && errno == EPERM);
	CHECK(sendfile(pair[1], 0, NULL, 1) == -1 && errno == EINVAL);
	CHECK(ioctl(0, TIOCSTI, "x") == -1 && errno == EPERM);
	CHECK(ioctl(0, TIOCLINUX, "x") == -1 && errno == EPERM);
	CHECK(ioctl(-1, TUNSETIFF, "x") == -1 && errno == EPERM);
	CHECK(ioctl(-1, _IO(0xaf, 1), NULL) == -1 && errno == EPERM);
	CHECK(ioctl(-1, _IOWR('t', 62, int), NULL) == -1 && errno == EPERM);
	CHECK(setns(-1, 0) == -1 && errno == EPERM);
	CHECK(unshare(CLONE_NEWCGROUP) == -1 && errno == EPERM);
	CHECK(syscall(SYS_clone, CLONE_NEWCGROUP | CLONE_NEWNS, NULL, NULL, NULL, NULL) == -1 && errno == EPERM);
	CHECK(syscall(SYS_pidfd_getfd, -1, 0, 0) == -1 && errno == EPERM);
	CHECK(setpriority(PRIO_PGRP, 0, 19) == -1 && errno == EPERM);
	CHECK(syscall(SYS_ioprio_set, 2, 0, 0) == -1 && errno == EPERM);
	CHECK(setpriority(PRIO_PROCESS, 0, 19) == 0); /* which nobody is refused, however nice already */
	return 0;
}

/* Without Landlock's scopes. A process group of its own, as this test is to get no signal. */
static int signals_to_the_group_are_refused(void) {
	static struct syscalls syscalls;

	CHECK(setpgid(0, 0) == 0);
	CHECK(syscalls_compile(false, &syscalls) == 0 && syscalls_refuse(&syscalls, NULL) == 0);
	CHECK(kill(0, 0) == -1 && errno == EPERM);
	CHECK(kill(getpid(), 0) == 0);
	return 0;
}

static void test_group_signals(void **state) {
	struct confinement confinement = {.no_seccomp = true};

	(void)state;
	confined(&confinement, signals_to_the_group_are_refused);
}

/* Who has forgotten to make the filter does not run without it. */
static void test_no_filter(void **state) {
	struct confinement confinement = {0};
	int status;

	(void)state;
	need_root_and_mounts();
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		enum confine_step step;
		_exit(confine(&confinement, &step) < 0 && step == CONFINE_SYSTEM_CALLS ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Names with spaces and the like, and longer than a line is often taken to be; and what is mounted below a proc. */
static int odd_mounts_are_seen(void) {
	struct statvfs cgroup, part;

	CHECK(statvfs("/tmp/snifence a\tb\\c/cgroup", &cgroup) == 0 && cgroup.f_flag & ST_RDONLY);
	CHECK(access("/tmp/snifence a\tb\\c/proc/self", F_OK) == 0);
	CHECK(access("/tmp/snifence a\tb\\c/proc/driver/hidden", F_OK) == 0);
	CHECK(statvfs("/tmp/snifence a\tb\\c/proc/sys", &part) == 0 && part.f_flag & ST_RDONLY);
	return 0;
}

static void make_odd_mounts(void) {
	static const char *const folder = "/tmp/snifence a\tb\\c";
	char options[3000], path[64];

	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("none", "/tmp", "tmpfs", 0, NULL), 0);
	memset(options, 'x', sizeof(options));
	options[sizeof(options) - 1] = '\0';
	assert_int_equal(mkdir(folder, 0755), 0);
	static const char *const names[][2] = {{"cgroup", "cgroup2"}, {"proc", "proc"}, {"proc/driver", "tmpfs"}};
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i][0]);
		mkdir(path, 0755);
		assert_int_equal(mount(options, path, names[i][1], 0, NULL), 0);
	}
	snprintf(path, sizeof(path), "%s/proc/driver/hidden", folder);
	assert_int_equal(mkdir(path, 0755), 0);
}

static void test_odd_mounts(void **state) {
	struct confinement confinement = {0};
	int own;

	(void)state;
	need_root_and_mounts();
	own = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	make_odd_mounts();
	confined(&confinement, odd_mounts_are_seen);
	assert_int_equal(setns(own, CLONE_NEWNS), 0);
	close(own);
}

static void test_families(void **state) {
	(void)state;
	struct confinement confinement = {0};
	confined(&confinement, families_are_few);
}

static void test_system_calls(void **state) {
	(void)state;
	struct confinement confinement = {0};
	confined(&confinement, calls_are_refused);
}

static int has_no_seccomp(void) {
	CHECK(prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 0);
	return 0;
}

static void test_no_seccomp(void **state) {
	(void)state;
	struct confinement confinement = {.no_seccomp = true};
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != 0) {
		print_message("skipped: this test is under a seccomp filter already, as in a container\n");
		skip();
	}
	confined(&confinement, has_no_seccomp);
}

static void test_resolve(void **state) {
	(void)state;
	struct identity identity;
	assert_int_equal(identity_resolve("root", &identity), 0);
	assert_true(identity.change);
	assert_int_equal(identity.uid, 0);
	assert_string_equal(identity.name, "root");
	assert_true(identity.group_count >= 1);
	identity_free(&identity);

	assert_int_equal(identity_resolve("4000000001:4000000002", &identity), 0);
	assert_true(identity.uid == 4000000001U && identity.gid == 4000000002U);
	assert_int_equal(identity.group_count, 1);
	assert_true(identity.groups[0] == 4000000002U);
	assert_null(identity.name);
	assert_string_equal(identity.home, "/");
	identity_free(&identity);
}

static void test_resolve_errors(void **state) {
	(void)state;
	struct identity identity;
	static const char *const wrong[] = {
		"",	 "no-such-user.test", "4000000001", "4294967295:1", "1:4294967295", "1:",	    ":1",
		"1:1:1", "root:root",	      "-1:1",	    "+1:1",	    " 1:1",	    "99999999999:1"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(identity_resolve(wrong[i], &identity), -EINVAL);
}

static void test_sudo(void **state) {
	(void)state;
	struct identity identity;
	setenv("SUDO_UID", "4000000001", 1);
	unsetenv("SUDO_GID");
	assert_int_equal(identity_resolve(NULL, &identity), -EINVAL);
	unsetenv("SUDO_UID");
	setenv("SUDO_GID", "4000000002", 1);
	assert_int_equal(identity_resolve(NULL, &identity), -EINVAL);
	setenv("SUDO_UID", "4000000001", 1);
	assert_int_equal(identity_resolve(NULL, &identity), 0);
	assert_true(identity.change);
	assert_true(identity.uid == 4000000001U && identity.gid == 4000000002U);
	identity_free(&identity);
	/* --user goes first */
	assert_int_equal(identity_resolve("root", &identity), 0);
	assert_int_equal(identity.uid, 0);
	identity_free(&identity);
	setenv("SUDO_GID", "x", 1);
	assert_int_equal(identity_resolve(NULL, &identity), -EINVAL);
	unsetenv("SUDO_UID");
	unsetenv("SUDO_GID");
	assert_int_equal(identity_resolve(NULL, &identity), 0);
	assert_false(identity.change);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_descriptors),  cmocka_unit_test(test_mounts),
		cmocka_unit_test(test_settings),     cmocka_unit_test(test_propagation),
		cmocka_unit_test(test_capabilities), cmocka_unit_test(test_keep_caps),
		cmocka_unit_test(test_identity),     cmocka_unit_test(test_families),
		cmocka_unit_test(test_system_calls), cmocka_unit_test(test_no_seccomp),
		cmocka_unit_test(test_resolve),	     cmocka_unit_test(test_resolve_errors),
		cmocka_unit_test(test_sudo),	     cmocka_unit_test(test_group_signals),
		cmocka_unit_test(test_no_filter),    cmocka_unit_test(test_odd_mounts),

	};

	return cmocka_run_group_tests_name("confine", tests, NULL, NULL);
}
