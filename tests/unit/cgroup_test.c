/* SPDX-License-Identifier: BSD-2-Clause */
/* cgroup.c and cgroup_place.c against the kernel's cgroup2. Needs root; skips without. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/message.h"
#include "cgroup/cgroup.h"
#include "cgroup/cgroup_place.h"
#include "need_root.h"
#include "run/supervise.h"

/* A child that does nothing, in the cgroup. */
static pid_t sleeper_in(const struct cgroup *cgroup) {
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(cgroup->fd);
		alarm(20);
		for (;;)
			pause();
	}
	assert_int_equal(cgroup_adopt(cgroup, pid), 0);
	return pid;
}

/* Runs a check in a child, as it changes the process; the check returns 0 or the line that failed. */
static void in_child(int (*check)(void)) {
	int status;
	fflush(NULL);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(check() ? 1 : 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define CHECK(condition)                                                                                               \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			print_error("%s:%d: %s (errno %d)\n", __FILE__, __LINE__, #condition, errno);                  \
			return __LINE__;                                                                               \
		}                                                                                                      \
	} while (0)

static void test_create_and_remove(void **state) {
	(void)state;
	need_root();
	struct cgroup cgroup;
	struct stat by_name, by_fd;
	char name[32];
	assert_int_equal(cgroup_create(&cgroup), 0);
	snprintf(name, sizeof(name), "snifence-%d", getpid());
	assert_string_equal(cgroup.name, name);
	assert_ptr_equal(strrchr(cgroup.path, '/') + 1, cgroup.name);
	assert_int_equal(fstatat(cgroup.parent_fd, name, &by_name, 0), 0);
	assert_int_equal(fstat(cgroup.fd, &by_fd), 0);
	assert_true(by_name.st_ino == by_fd.st_ino);
	assert_true(cgroup.id == by_fd.st_ino);
	int parent = dup(cgroup.parent_fd);
	assert_int_equal(cgroup_remove(&cgroup), 0);
	assert_int_equal(cgroup.fd, -1);
	assert_int_equal(fstatat(parent, name, &by_name, 0), -1);
	assert_int_equal(errno, ENOENT);
	close(parent);
}

/* Makes cgroups below each other; returns the directory of the deepest. */
static int nest(const struct cgroup *cgroup, int depth) {
	int fd = openat(cgroup->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < depth; i++) {
		int above = fd;
		assert_int_equal(mkdirat(above, "another-one-below", 0755), 0);
		fd = openat(above, "another-one-below", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(fd >= 0);
		close(above);
	}
	return fd;
}

/* However deep a command nests its cgroups: signals arrive, and nothing stays. */
static void test_deep_tree(void **state) {
	(void)state;
	need_root();
	struct cgroup cgroup;
	int status;
	assert_int_equal(cgroup_create(&cgroup), 0);
	struct cgroup deepest = {.fd = nest(&cgroup, 200)};
	assert_int_equal(mkdirat(cgroup.fd, "beside", 0755), 0);
	pid_t pid = sleeper_in(&deepest);
	close(deepest.fd);
	assert_int_equal(cgroup_signal(&cgroup, SIGTERM), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WTERMSIG(status), SIGTERM);
	assert_int_equal(supervise_kill(&cgroup), 0);
	assert_int_equal(cgroup_remove(&cgroup), 0);
}

/* Takes the lock of the cgroup's directory as another user. */
static int lock_as_nobody(void) {
	struct cgroup_place place;
	char name[64];
	CHECK(cgroup_place_own(&place) == 0);
	CHECK(cgroup_place_rise(&place) == 0);
	snprintf(name, sizeof(name), "snifence-%d", getppid());
	CHECK(setresuid(65534, 65534, 65534) == 0);
	CHECK(openat(place.fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC) < 0 && errno == EACCES);
	/* what a program asks of its limits can still be read */
	strcat(name, "/cgroup.events");
	CHECK(openat(place.fd, name, O_RDONLY | O_CLOEXEC) >= 0);
	free(place.path);
	return 0;
}

/* The lock says that a cgroup is in use: nobody else can take it. */
static void test_lock_is_roots(void **state) {
	(void)state;
	need_root();
	struct cgroup cgroup;
	assert_int_equal(cgroup_create(&cgroup), 0);
	in_child(lock_as_nobody);
	assert_int_equal(cgroup_remove(&cgroup), 0);
}

static void test_remove_without_cgroup(void **state) {
	(void)state;
	struct cgroup cgroup = {.fd = -1, .parent_fd = -1};
	assert_int_equal(cgroup_remove(&cgroup), 0);
}

/* With room for so many open files more: what it says, or "" where there was room enough. */
static const char *create_with(int room) {
	static char told[512];
	struct rlimit before, few;
	struct cgroup cgroup;
	FILE *messages = fmemopen(told, sizeof(told), "w");
	int free_fd = dup(STDERR_FILENO);

	told[0] = '\0';
	close(free_fd);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = (struct rlimit){(rlim_t)(free_fd + room), before.rlim_max};
	message_redirect(messages);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	int err = cgroup_create(&cgroup);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	message_redirect(NULL);
	fclose(messages);
	assert_true(err == 0 || err == -EMFILE);
	if (!err)
		cgroup_remove(&cgroup);
	return told;
}

/* Wherever there are too many, this is what it says. */
static void test_too_many_files(void **state) {
	(void)state;
	need_root_and_mounts();
	assert_string_equal(create_with(0), "snifence: cannot read in which cgroup this process is, in "
					    "/proc/self/cgroup: Too many open files\n");
	for (int room = 1; room < 6; room++) {
		const char *told = create_with(room);
		if (*told && !strstr(told, "Too many open files"))
			fail_msg("with room for %d files: %s", room, told);
	}
	assert_string_equal(create_with(6), "");
}

static void test_second_name(void **state) {
	(void)state;
	need_root();
	struct cgroup first, second;
	char name[32];
	assert_int_equal(cgroup_create(&first), 0);
	assert_int_equal(cgroup_create(&second), 0);
	snprintf(name, sizeof(name), "snifence-%d-1", getpid());
	assert_string_equal(second.name, name);
	assert_int_equal(cgroup_remove(&second), 0);
	assert_int_equal(cgroup_remove(&first), 0);
}

static void test_signal(void **state) {
	(void)state;
	need_root();
	struct cgroup cgroup;
	int status;
	assert_int_equal(cgroup_create(&cgroup), 0);
	assert_int_equal(cgroup_signal(&cgroup, 0), 0);
	pid_t pid = sleeper_in(&cgroup);
	int watch_fd = cgroup_watch(&cgroup);
	assert_int_equal(cgroup_populated(watch_fd), 1);
	assert_int_equal(cgroup_signal(&cgroup, 0), 1);
	assert_int_equal(cgroup_signal(&cgroup, SIGUSR1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGUSR1);
	assert_int_equal(cgroup_populated(watch_fd), 0);
	close(watch_fd);
	assert_int_equal(cgroup_remove(&cgroup), 0);
}

/* What the command nests inside is signalled, killed and removed with the rest. */
static void test_nested(void **state) {
	(void)state;
	need_root();
	struct cgroup cgroup, inner;
	int status;
	assert_int_equal(cgroup_create(&cgroup), 0);
	assert_int_equal(mkdirat(cgroup.fd, "a", 0755), 0);
	assert_int_equal(mkdirat(cgroup.fd, "a/b", 0755), 0);
	inner = cgroup;
	inner.fd = openat(cgroup.fd, "a/b", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid_t pid = sleeper_in(&inner);
	close(inner.fd);
	assert_int_equal(cgroup_signal(&cgroup, 0), 1);
	assert_int_equal(cgroup_kill(&cgroup), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WTERMSIG(status), SIGKILL);
	assert_int_equal(cgroup_remove(&cgroup), 0);
}

/* Of what other snifences left: the abandoned one goes; those in use, or with processes, stay. So do others of such names. */
static void test_sweep(void **state) {
	(void)state;
	need_root();
	static const char abandoned_name[] = "snifence-0-98", populated_name[] = "snifence-0-99",
			  named[] = "snifence-1.test";
	struct cgroup probe, cgroup, abandoned;
	struct stat status;
	assert_int_equal(cgroup_create(&probe), 0);
	int parent = dup(probe.parent_fd);
	assert_int_equal(mkdirat(parent, abandoned_name, 0755), 0);
	assert_int_equal(mkdirat(parent, populated_name, 0755), 0);
	assert_int_equal(mkdirat(parent, named, 0755), 0);
	abandoned = probe;
	abandoned.fd = openat(parent, populated_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid_t pid = sleeper_in(&abandoned);

	assert_int_equal(cgroup_create(&cgroup), 0);
	assert_int_equal(fstatat(parent, abandoned_name, &status, 0), -1);
	assert_int_equal(fstatat(parent, populated_name, &status, 0), 0);
	assert_int_equal(fstatat(parent, probe.name, &status, 0), 0);
	assert_int_equal(unlinkat(parent, named, AT_REMOVEDIR), 0);
	assert_int_equal(cgroup_remove(&cgroup), 0);

	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(abandoned.fd);
	assert_int_equal(cgroup_create(&cgroup), 0);
	assert_int_equal(fstatat(parent, populated_name, &status, 0), -1);
	assert_int_equal(cgroup_remove(&cgroup), 0);
	assert_int_equal(cgroup_remove(&probe), 0);
	close(parent);
}

/* A user who owns the cgroup could lead a command out of one made below it. */
static int rises(void) {
	struct cgroup outer, made;
	CHECK(cgroup_create(&outer) == 0);
	CHECK(mkdirat(outer.fd, "user.test", 0755) == 0);
	CHECK(fchownat(outer.fd, "user.test/cgroup.procs", 65534, 65534, 0) == 0);
	struct cgroup owned = outer;
	owned.fd = openat(outer.fd, "user.test", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(cgroup_adopt(&owned, getpid()) == 0);
	CHECK(cgroup_create(&made) == 0);
	char expected[256];
	snprintf(expected, sizeof(expected), "%s/snifence-%d", outer.path, getpid());
	CHECK(strcmp(made.path, expected) == 0);
	CHECK(cgroup_remove(&made) == 0);
	struct cgroup parent = outer;
	parent.fd = outer.parent_fd;
	CHECK(cgroup_adopt(&parent, getpid()) == 0);
	close(owned.fd);
	CHECK(cgroup_remove(&outer) == 0);
	return 0;
}

static void test_rises_to_a_root_owned_cgroup(void **state) {
	(void)state;
	need_root();
	in_child(rises);
}

/* Like under `ip netns exec`: no cgroup2 mount in sight. Its options stay as they are for everybody else. */
static int creates_without_mount(void) {
	struct cgroup cgroup;
	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(umount2("/sys", MNT_DETACH) == 0);
	CHECK(cgroup_create(&cgroup) == 0);
	CHECK(cgroup_adopt(&cgroup, getpid()) == 0);
	CHECK(cgroup_signal(&cgroup, 0) == 1);
	struct cgroup parent = cgroup;
	parent.fd = cgroup.parent_fd;
	CHECK(cgroup_adopt(&parent, getpid()) == 0);
	CHECK(cgroup_remove(&cgroup) == 0);
	return 0;
}

static void test_without_mount(void **state) {
	(void)state;
	need_root_and_mounts();
	in_child(creates_without_mount);
}

/* A process that is another one whenever somebody looks: each forks the next and ends. */
static pid_t runner_in(const struct cgroup *cgroup) {
	int start[2];
	char go;
	if (pipe(start))
		return -1;
	pid_t pid = fork();
	if (pid != 0) {
		close(start[0]);
		bool moved = pid > 0 && cgroup_adopt(cgroup, pid) == 0 && write(start[1], "", 1) == 1;
		close(start[1]);
		return moved ? pid : -1;
	}
	close(cgroup->fd);
	close(start[1]);
	for (int left = read(start[0], &go, 1) == 1 ? 100000 : 0; left > 0 && fork() == 0; left--)
		;
	_exit(0);
}

/* The file of this cgroup cannot be written, as if the kernel had none: /dev/full is mounted over it, in a mount
 * namespace of this process. */
static int kills_without_file(void) {
	struct cgroup cgroup;
	char path[64];
	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(cgroup_create(&cgroup) == 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d/cgroup.kill", cgroup.fd);
	CHECK(mount("/dev/full", path, NULL, MS_BIND, NULL) == 0);
	CHECK(runner_in(&cgroup) > 0);
	CHECK(cgroup_signal(&cgroup, 0) > 0);
	CHECK(supervise_kill(&cgroup) == 0);
	CHECK(cgroup_signal(&cgroup, 0) == 0);
	CHECK(cgroup_remove(&cgroup) == 0);
	return 0;
}

static void test_kill_without_file(void **state) {
	(void)state;
	need_root_and_mounts();
	in_child(kills_without_file);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create_and_remove),
		cmocka_unit_test(test_deep_tree),
		cmocka_unit_test(test_lock_is_roots),
		cmocka_unit_test(test_remove_without_cgroup),
		cmocka_unit_test(test_too_many_files),
		cmocka_unit_test(test_second_name),
		cmocka_unit_test(test_signal),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_sweep),
		cmocka_unit_test(test_rises_to_a_root_owned_cgroup),
		cmocka_unit_test(test_without_mount),
		cmocka_unit_test(test_kill_without_file),
	};
	return cmocka_run_group_tests_name("cgroup", tests, NULL, NULL);
}
