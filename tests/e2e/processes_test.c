/* SPDX-License-Identifier: BSD-2-Clause */
/* A confined command and a process outside, of the same user ──► neither its files nor its memory nor a signal to it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/lab.h"
#include "confine/scope.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5 */
#endif

#define POLICY "version: 1\ndns: {servers: none}\n"

/* ---- the process outside: says which signals it gets, and has two sockets that can be connected to --------------- */

static void tell_signal(int signal) {
	char text[] = "signal 00\n";

	text[7] = (char)('0' + signal / 10);
	text[8] = (char)('0' + signal % 10);
	if (write(1, text, sizeof(text) - 1) < 0)
		_exit(1);
}

static socklen_t socket_name(struct sockaddr_un *address, const char *name) {
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	strncpy(address->sun_path + (name[0] == '@'), name + (name[0] == '@'), sizeof(address->sun_path) - 2);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name) + (name[0] != '@'));
}

static int listen_at(const char *name) {
	struct sockaddr_un address;
	socklen_t length = socket_name(&address, name);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	return bind(fd, (struct sockaddr *)&address, length) || listen(fd, 8);
}

static int be_outside(const char *abstract, const char *path) {
	for (int signal = 1; signal < 32; signal++)
		if (signal != SIGKILL && signal != SIGSTOP && signal != SIGALRM)
			sigaction(signal, &(struct sigaction){.sa_handler = tell_signal, .sa_flags = SA_RESTART}, NULL);
	umask(0);
	if (listen_at(abstract) || listen_at(path))
		return 1;
	if (write(1, "ready\n", 6) != 6)
		return 1;
	alarm((unsigned)(LAB_TEST_SECONDS * lab_slowness()));
	for (;;)
		pause();
}

/* ---- the command: tries one thing after the other, and prints those that worked, or how they failed wrongly ------- */

static pid_t outside;
static const char *abstract_name, *path_name, *other_proc;

static int open_in_proc(const char *proc, const char *name, int flags) {
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%d/%s", proc, outside, name);
	fd = open(path, flags);
	if (fd >= 0)
		close(fd);
	return fd < 0 ? errno : 0;
}

static int result(long value) {
	return value < 0 ? errno : 0;
}

static int see_it(void) {
	return open_in_proc("/proc", "status", O_RDONLY);
}
static int open_root(void) {
	return open_in_proc("/proc", "root", O_PATH | O_DIRECTORY);
}
static int open_directory(void) {
	return open_in_proc("/proc", "cwd", O_PATH | O_DIRECTORY);
}
static int open_descriptor(void) {
	return open_in_proc("/proc", "fd/1", O_WRONLY);
}
static int open_memory(void) {
	return open_in_proc("/proc", "mem", O_RDWR);
}
static int open_namespace(void) {
	return open_in_proc("/proc", "ns/net", O_RDONLY);
}
static int open_elsewhere(void) {
	return open_in_proc(other_proc, "root", O_PATH | O_DIRECTORY);
}
/* As root, in the guise of the other process's user: a capability more is of no use then. */
static int open_as_its_user(void) {
	int error;

	setfsgid(65534);
	setfsuid(65534);
	error = open_root();
	setfsuid(getuid());
	setfsgid(getgid());
	return error;
}
static int trace(void) {
	return result(ptrace(PTRACE_SEIZE, outside, NULL, NULL));
}
static int write_memory(void) {
	struct iovec piece = {&outside, sizeof(outside)};

	return result(process_vm_writev(outside, &piece, 1, &piece, 1, 0));
}
static int open_process(void) {
	return result(syscall(SYS_pidfd_open, outside, 0));
}
static int compare(void) {
	return result(syscall(SYS_kcmp, getpid(), outside, KCMP_FILE, 1, 1));
}
static int measure(void) {
	struct perf_event_attr event = {.type = PERF_TYPE_SOFTWARE, .size = sizeof(event), .exclude_kernel = 1};
	int error = result(syscall(SYS_perf_event_open, &event, outside, -1, -1, 0));

	return error == EACCES || error == ENOSYS || error == EPERM ? ESRCH : error; /* closed to everybody here */
}
static int limit(void) {
	struct rlimit none = {0};

	return result(prlimit(outside, RLIMIT_NOFILE, &none, NULL));
}
static int slow_down(void) {
	return result(setpriority(PRIO_PROCESS, (id_t)outside, 19));
}
static int pin(void) {
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	return result(sched_setaffinity(outside, sizeof(set), &set));
}
static int send_signal(void) {
	return result(kill(outside, SIGUSR1));
}
static int send_group_signal(void) {
	return result(kill(-outside, SIGUSR1));
}
static int send_thread_signal(void) {
	return result(syscall(SYS_tgkill, outside, outside, SIGUSR1));
}
static int queue_signal(void) {
	return result(sigqueue(outside, SIGUSR1, (union sigval){0}));
}
static int own_descriptor(void) {
	int pair[2], error;

	if (pipe(pair))
		return 0;
	error = result(fcntl(pair[0], F_SETOWN, outside));
	if (!error && (fcntl(pair[0], F_SETFL, O_ASYNC) || write(pair[1], "x", 1) != 1))
		return 0;
	return error;
}
static int set_priority_of_group(void) {
	return result(setpriority(PRIO_PGRP, 0, 19));
}
static int set_io_priority_of_group(void) {
	return result(syscall(SYS_ioprio_set, 2, 0, 3 << 13));
}

static int dial(const char *name) {
	struct sockaddr_un address;
	socklen_t length = socket_name(&address, name);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	return connect(fd, (struct sockaddr *)&address, length) ? -errno : fd;
}
static int dial_abstract(void) {
	int fd = dial(abstract_name);

	return fd < 0 ? -fd : 0;
}

/* The process behind a socket, which the kernel hands over without a number. -1: not with this kernel. */
static int process_behind_socket(void) {
	socklen_t length = sizeof(int);
	int fd = dial(path_name), process = -1;

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &process, &length))
		return -1;
	return process;
}
static int take_descriptor(void) {
	int process = process_behind_socket();

	return process < 0 ? EPERM : result(syscall(SYS_pidfd_getfd, process, 1, 0));
}
static int signal_by_descriptor(void) {
	int process = process_behind_socket();
	int error = process < 0 ? EPERM : result(syscall(SYS_pidfd_send_signal, process, SIGUSR1, NULL, 0));

	return error == EINVAL ? EPERM
			       : error; /* which it is depends on whether Landlock or the number is asked first */
}
static int enter_by_descriptor(void) {
	int process = process_behind_socket();

	return process < 0 ? EPERM : result(setns(process, CLONE_NEWNET));
}

struct attempt {
	const char *name;
	int (*try)(void);
	int error; /* with which it has to fail */
	bool of_landlock, of_seccomp;
};

static const struct attempt attempts[] = {
	{"see", see_it, ENOENT, false, false},
	{"root", open_root, ENOENT, false, false},
	{"cwd", open_directory, ENOENT, false, false},
	{"fd", open_descriptor, ENOENT, false, false},
	{"mem", open_memory, ENOENT, false, false},
	{"ns", open_namespace, ENOENT, false, false},
	{"root in another proc", open_elsewhere, ENOENT, false, false},
	{"root as its user", open_as_its_user, ENOENT, false, false},
	{"ptrace", trace, ESRCH, false, false},
	{"process_vm_writev", write_memory, ESRCH, false, false},
	{"pidfd_open", open_process, ESRCH, false, false},
	{"kcmp", compare, ESRCH, false, false},
	{"perf_event_open", measure, ESRCH, false, false},
	{"prlimit", limit, ESRCH, false, false},
	{"setpriority", slow_down, ESRCH, false, false},
	{"sched_setaffinity", pin, ESRCH, false, false},
	{"kill", send_signal, ESRCH, false, false},
	{"kill its group", send_group_signal, ESRCH, false, false},
	{"tgkill", send_thread_signal, ESRCH, false, false},
	{"sigqueue", queue_signal, ESRCH, false, false},
	{"F_SETOWN", own_descriptor, ESRCH, false, false},
	{"setpriority of the group", set_priority_of_group, EPERM, false, true},
	{"ioprio_set of the group", set_io_priority_of_group, EPERM, false, true},
	{"abstract socket", dial_abstract, EPERM, true, false},
	{"pidfd_getfd by SO_PEERPIDFD", take_descriptor, EPERM, false, false},
	{"pidfd_send_signal by SO_PEERPIDFD", signal_by_descriptor, EPERM, false, false},
	{"setns by SO_PEERPIDFD", enter_by_descriptor, EPERM, false, false},
};

/* `seccomp`: there is that filter, as it is by default. */
static int be_command(char **words) {
	bool landlock = scope_abi() >= SCOPE_ABI, seccomp = strcmp(words[4], "seccomp") == 0;

	outside = atoi(words[0]);
	abstract_name = words[1];
	path_name = words[2];
	other_proc = words[3];
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		const struct attempt *attempt = &attempts[i];
		int error;

		if ((attempt->of_landlock && !landlock) || (attempt->of_seccomp && !seccomp))
			continue;
		error = attempt->try();
		if (error != attempt->error)
			printf("%s: %s\n", attempt->name, error ? strerror(error) : "it worked");
	}
	printf("uid %d tried all\n", (int)getuid());
	return 0;
}

/* ---- a process group: a process outside, snifence, and the command, which sends a signal to all of it -------------- */

static void say(const char *text) {
	if (write(1, text, strlen(text)) < 0)
		_exit(1);
}

static int signal_group(void) {
	int error;

	signal(SIGUSR2, SIG_IGN);
	error = result(kill(0, SIGUSR2));
	say(error == (scope_abi() >= SCOPE_ABI ? 0 : EPERM) ? "sent as expected\n" : "not sent as expected\n");
	return 0;
}

static int be_group(char **snifence) {
	int status = 1;
	pid_t member;

	setpgid(0, 0);
	sigaction(SIGUSR2, &(struct sigaction){.sa_handler = tell_signal}, NULL);
	member = fork();
	if (member == 0) {
		signal(SIGUSR2, SIG_DFL);
		execv(snifence[0], snifence);
		_exit(1);
	}
	while (waitpid(member, &status, 0) < 0 && errno == EINTR)
		;
	say("ended\n");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* ---- the tests ----------------------------------------------------------------------------------------------------- */

/* This program, where everybody can execute it. */
static const char *copy_self(void) {
	const char *copy = lab_write("copy", "");

	assert_int_equal(lab_run((const char *[]){"cp", lab_self(), copy, NULL})->status, 0);
	assert_int_equal(chmod(copy, 0755), 0);
	return copy;
}

static struct lab_program *start_outside(const char *copy, const char *user, const char *abstract, const char *path) {
	struct lab_program *program;

	program = lab_start((const char *[]){"setpriv", "--reuid", user, "--regid", user, "--clear-groups", copy,
					     "outside", abstract, path, NULL});
	lab_await_output(program, "ready\n");
	return program;
}

/* Another proc, which is mounted beside the first; it goes with the test's mount namespace, or here. */
static const char *mount_proc(void) {
	const char *path = lab_write("proc", "");

	unlink(path);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(mount("proc", path, "proc", 0, NULL), 0);
	return path;
}

/* The user's command reaches the user's process nowhere, which lives on and has noticed nothing. */
static void reaches_nothing(const char *command_user, const char *outside_user, const char *option) {
	char abstract[64], pid[16], told[64];
	const char *proc, *path, *copy;
	struct lab_program *program, *run;

	lab_enter();
	assert_int_equal(chmod(lab_folder(), 0777), 0);
	path = lab_write("socket", "");
	unlink(path);
	proc = mount_proc();
	snprintf(abstract, sizeof(abstract), "@snifence-lab-%d", getpid());
	copy = copy_self();
	program = start_outside(copy, outside_user, abstract, path);
	snprintf(pid, sizeof(pid), "%d", program->pid);
	run = lab_snifence(
		POLICY, (const char *[]){"--user", command_user, "--quiet", option, NULL},
		(const char *[]){copy, "reach", pid, abstract, path, proc, option ? "none" : "seccomp", NULL});
	umount2(proc, MNT_DETACH);
	snprintf(told, sizeof(told), "uid %s tried all\n", command_user);
	assert_string_equal(run->out, told);
	assert_string_equal(lab_read(program->output[0]), "ready\n");
	assert_int_equal(waitpid(program->pid, NULL, WNOHANG), 0);
}

static void test_as_root(void **state) {
	(void)state;
	reaches_nothing("0", "0", NULL);
}

static void test_as_root_nobodys(void **state) {
	(void)state;
	reaches_nothing("0", "65534", NULL);
}

static void test_as_user(void **state) {
	(void)state;
	reaches_nothing("65534", "65534", NULL);
}

static void test_without_seccomp(void **state) {
	(void)state;
	reaches_nothing("65534", "65534", "--no-seccomp");
}

/* kill(0, …) stays inside, or is refused. */
static void test_process_group(void **state) {
	struct lab_program *program;

	(void)state;
	lab_enter();
	program = lab_run((const char *[]){lab_self(), "group", "build/snifence", "run", "--quiet",
					   lab_write("policy.yaml", POLICY), "--", lab_self(), "signal-group", NULL});
	assert_string_equal(program->out, "sent as expected\nended\n");
	assert_int_equal(program->status, 0);
}

int main(int argc, char **argv) {
	const struct CMUnitTest tests[] = {lab_test(test_as_root), lab_test(test_as_root_nobodys),
					   lab_test(test_as_user), lab_test(test_without_seccomp),
					   lab_test(test_process_group)};

	if (argc == 4 && strcmp(argv[1], "outside") == 0)
		return be_outside(argv[2], argv[3]);
	if (argc == 7 && strcmp(argv[1], "reach") == 0)
		return be_command(argv + 2);
	if (argc > 3 && strcmp(argv[1], "group") == 0)
		return be_group(argv + 2);
	if (argc == 2 && strcmp(argv[1], "signal-group") == 0)
		return signal_group();
	return cmocka_run_group_tests_name("processes", tests, NULL, NULL);
}
