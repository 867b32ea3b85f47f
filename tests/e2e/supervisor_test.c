/* SPDX-License-Identifier: BSD-2-Clause */
/* What a command does to stall, stop or slow the process that supervises it ──► that goes on, and ends when asked to. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "../support/resident.h"
#include "supervisor_kernel.h"
#include "supervisor_stall.h"

#define POLICY "version: 1\ntls: {allow: [allowed.lab.test]}\ndns: {servers: none}\n"

enum { ENDS_MS = 3000, BURST = 6000 /* more than the ring buffer has room for */ };

/* ---- what the commands do ----------------------------------------------------------------------------------- */

/* Stops the output of the terminal that it shares with snifence. */
static int stop_output(void) {
	tcflow(STDOUT_FILENO, TCOOFF);
	lab_be_refused(3);
	pause();
	return 1;
}

/* Takes the terminal, and has every other process group stopped that writes to it. */
static int take_terminal(void) {
	struct termios modes;

	signal(SIGTTOU, SIG_IGN);
	setpgid(0, 0);
	if (tcsetpgrp(STDOUT_FILENO, getpid()) || tcgetattr(STDOUT_FILENO, &modes))
		return 1;
	modes.c_lflag |= TOSTOP;
	tcsetattr(STDOUT_FILENO, TCSANOW, &modes);
	lab_be_refused(3);
	lab_sleep_ms(500);
	return 7;
}

static int flood(int count) {
	lab_be_refused(count);
	lab_say("flooded");
	pause();
	return 1;
}

/* The peers close, unless they are to `stay`. */
static int connect_all(int fds[BURST], bool stay) {
	struct sockaddr_storage address;
	socklen_t length = lab_address("127.0.0.1", 443, &address);
	int listener, peer;

	listener = socket(AF_INET, SOCK_STREAM, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) || listen(listener, 64))
		return 1;
	for (int i = 0; i < BURST; i++) {
		fds[i] = lab_dial("127.0.0.1", 443);
		peer = accept(listener, NULL, NULL);
		if (fds[i] < 0 || peer < 0)
			return 1;
		if (!stay)
			close(peer);
	}
	return 0;
}

static void say_all(const int fds[BURST]) {
	for (int i = 0; i < BURST; i++)
		if (send(fds[i], "no TLS\n", 7, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			continue;
}

/* How many of them have not ended yet. That of the peer alone would be POLLRDHUP. */
static int count_open(const int fds[BURST]) {
	int open = 0;

	for (int i = 0; i < BURST; i++) {
		struct pollfd ready = {.fd = fds[i]};

		open += poll(&ready, 1, 0) != 1 || !(ready.revents & POLLHUP);
	}
	return open;
}

/* Refused connections, more than events find room for while snifence is stopped. */
static int burst(const char *go_on) {
	static int fds[BURST];
	double end;
	int open;

	bool audit = strstr(go_on, "audit");

	if (connect_all(fds, audit))
		return 1;
	lab_say("connected");
	if (!lab_await_file(go_on, 20000 * lab_slowness()))
		return 2;
	say_all(fds);
	lab_say("refused");
	if (strstr(go_on, "leave"))
		return 7;
	if (audit) {
		lab_sleep_ms(2500);
		return count_open(fds) == BURST ? 7 : 3;
	}
	end = lab_now_ms() + 15000 * lab_slowness();
	while ((open = count_open(fds)) > 0 && lab_now_ms() < end)
		lab_sleep_ms(20);
	printf("%d\n", open);
	return open ? 3 : 7;
}

/* ---- the tests ---------------------------------------------------------------------------------------------- */

static struct lab_program *start_self(const char *const options[], const char *role, const char *argument) {
	return lab_start_snifence(POLICY, options, (const char *[]){lab_self(), role, argument, NULL});
}

static void expect_to_end(struct lab_program *program) {
	double begin = lab_now_ms();

	assert_int_equal(kill(program->pid, SIGTERM), 0);
	lab_finish(program, 10000 * lab_slowness());
	assert_true(lab_now_ms() - begin < ENDS_MS * lab_slowness());
	assert_int_equal(program->status, 128 + SIGTERM);
}

static void await_text(const char *path, const char *text) {
	double end = lab_now_ms() + LAB_PROGRAM_MS * lab_slowness();

	while (!strstr(lab_read(path), text)) {
		if (lab_now_ms() > end)
			fail_msg("\"%s\" did not come in %s: %s", text, path, lab_read(path));
		lab_sleep_ms(50);
	}
}

static const struct lab_program *stalled;

/* The socket cannot be ended. The log tells of it all the same, others are ended, and so is the run. */
static void expect_no_stall(const char *role, const char *user, const char *device) {
	const char *const options[] = {"--user", user, NULL};
	struct lab_program *program;

	lab_server(LAB_TLS, "192.0.2.1", 443);
	stalled = program = start_self(options, role, device);
	for (int i = 0; i < 100 && !strstr(lab_read(program->output[0]), "stalling") && kill(program->pid, 0) == 0;
	     i++) {
		if (waitpid(program->pid, NULL, WNOHANG | WNOWAIT) > 0)
			break;
		lab_sleep_ms(50 * lab_slowness());
	}
	if (!strstr(lab_read(program->output[0]), "stalling")) {
		assert_int_equal(lab_finish(program, 5000 * lab_slowness())->status, CANNOT);
		printf("skipped: no page that never comes can be had here by %s\n", role);
		skip();
	}
	await_text(program->log, "\"not_tls\"");
	lab_sleep_ms(300);
	expect_to_end(program);
}

static void test_stalled_by_userfault(void **state) {
	(void)state;
	lab_enter();
	expect_no_stall("userfault", "root", "/dev/userfaultfd");
}

/* Without this the process would be there for ever. */
static int abort_connection(void **state) {
	char path[300], folder[280];
	const char *found = stalled ? strstr(lab_read(stalled->output[0]), "connection ") : NULL;

	stalled = NULL;
	snprintf(folder, sizeof(folder), "%s/connections", lab_folder());
	if (found && mkdir(folder, 0700) == 0 && mount("lab", folder, "fusectl", 0, NULL) == 0) {
		snprintf(path, sizeof(path), "%s/%d/abort", folder, atoi(found + strlen("connection ")));
		put_text(path, "1");
		umount(folder);
	}
	return lab_leave(state);
}

static void test_stalled_by_fuse(void **state) {
	const char *device;

	(void)state;
	lab_enter();
	/* often everybody's, but not everywhere */
	device = lab_write("fuse", "");
	unlink(device);
	assert_int_equal(mknod(device, S_IFCHR | 0666, makedev(10, 229)), 0);
	assert_int_equal(chmod(device, 0666), 0);
	expect_no_stall("fuse", "65534:65534", device);
}

/* Starts snifence in a terminal of its own. Returns its pid, or with a shell that of the shell, which exits as snifence
 * does, and with 99 when that was stopped. */
static pid_t start_in_terminal(const char *role, bool shell, int *terminal) {
	const char *policy = lab_write("terminal.yaml", POLICY);
	pid_t pid = forkpty(terminal, NULL, NULL, NULL), child = 0;
	int status;

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	signal(SIGTTOU, SIG_IGN);
	if (shell && (child = fork()) > 0) {
		waitpid(child, &status, WUNTRACED);
		if (WIFSTOPPED(status))
			kill(child, SIGKILL);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 99);
	}
	setpgid(0, 0);
	tcsetpgrp(STDIN_FILENO, getpid());
	signal(SIGTTOU, SIG_DFL);
	execl("build/snifence", "snifence", "run", "--log", "-", policy, "--", lab_self(), role, NULL);
	_exit(98);
}

static int end_within(pid_t pid, int ms) {
	int fd = (int)syscall(SYS_pidfd_open, pid, 0), status = 0;
	struct pollfd end = {.fd = fd, .events = POLLIN};
	bool ended = poll(&end, 1, ms * lab_slowness()) == 1;

	close(fd);
	if (!ended)
		kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	if (!ended)
		fail_msg("not ended within %d ms", ms);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void test_terminal_stopped(void **state) {
	int terminal;
	pid_t pid;

	(void)state;
	lab_enter();
	pid = start_in_terminal("stop-output", false, &terminal);
	lab_sleep_ms(2000 * lab_slowness());
	kill(pid, SIGTERM);
	assert_int_equal(end_within(pid, ENDS_MS), 128 + SIGTERM);
	close(terminal);
}

static void test_terminal_taken(void **state) {
	int terminal;
	pid_t pid;

	(void)state;
	lab_enter();
	pid = start_in_terminal("take-terminal", true, &terminal);
	assert_int_equal(end_within(pid, 15000), 7);
	close(terminal);
}

/* The reader of the log does not read: neither the run waits for it nor a connection that is to end. */
static void test_reader_stopped(void **state) {
	const char *path;
	struct lab_program *program;
	int reader;

	(void)state;
	lab_enter();
	path = lab_write("fifo", "");
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	program = start_self((const char *[]){"--log", path, NULL}, "flood", "3000");
	await_text(program->output[0], "flooded\n");
	expect_to_end(program);
	assert_non_null(strstr(program->err, "3000 refused\n"));
	assert_non_null(strstr(program->err, ": its reader did not take them\n"));
	close(reader);
}

static char *file_for(const char *name) {
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", lab_folder(), name);
	return path;
}

/* Starts a burst of refusals with snifence stopped, so that it loses events. */
static struct lab_program *lose_events(const char *name, const char *policy) {
	struct lab_program *program = lab_start_snifence(policy, (const char *[]){"--quiet", NULL},
							 (const char *[]){lab_self(), "burst", file_for(name), NULL});

	await_text(program->output[0], "connected\n");
	kill(program->pid, SIGSTOP);
	lab_write(name, "");
	await_text(program->output[0], "refused\n");
	return program;
}

/* A connection whose event was lost is ended all the same. */
static void test_lost_events(void **state) {
	struct lab_program *program;
	double begin;

	(void)state;
	lab_enter();
	program = lose_events("stay", POLICY);
	begin = lab_now_ms();
	kill(program->pid, SIGCONT);
	lab_finish(program, 20000 * lab_slowness());
	if (program->status != 7)
		fail_msg("connections that were not ended: %s", program->out);
	assert_non_null(strstr(lab_read(program->log), "\"lost\":"));
	assert_null(strstr(lab_read(program->log), "\"lost\":0,"));
	assert_true(lab_now_ms() - begin < 5000 * lab_slowness());
}

/* In audit mode nothing is refused, and so nothing ended. */
static void test_lost_in_audit(void **state) {
	struct lab_program *program;

	(void)state;
	lab_enter();
	program = lose_events("audit", "mode: audit\n" POLICY);
	kill(program->pid, SIGCONT);
	assert_int_equal(lab_finish(program, 20000 * lab_slowness())->status, 7);
	assert_null(strstr(lab_read(program->log), "\"lost\":0,"));
}

/* What the command leaves behind it, refused and unsent, keeps nothing in the kernel. */
static void test_nothing_stays(void **state) {
	struct in_kernel kernel = {0};
	struct lab_program *program;

	(void)state;
	lab_enter();
	program = lose_events("leave", POLICY);
	in_kernel_note(&kernel, program->pid);
	kill(program->pid, SIGCONT);
	assert_int_equal(lab_finish(program, 20000 * lab_slowness())->status, 7);
	assert_int_equal(in_kernel_await_end(&kernel, 2000 * lab_slowness()), 0);
	free(kernel.found);
}

static bool is_stuck(const struct lab_program *program) {
	char path[32], line[128];
	bool found = false;
	FILE *stack;

	snprintf(path, sizeof(path), "/proc/%d/stack", program->pid);
	stack = fopen(path, "re");
	while (stack && !found && fgets(line, sizeof(line), stack))
		found = strstr(line, "lock_sock") != NULL;
	if (stack)
		fclose(stack);
	return found;
}

/* Who looks at the sockets of a cgroup can be held up there, deaf to SIGKILL; nobody else is. */
static void test_stalled_at_verify(void **state) {
	struct lab_program *holder, *verify;
	bool stuck = false;

	(void)state;
	resident_begin();
	lab_server(LAB_SINK, "192.0.2.1", 443);
	holder = lab_start((const char *const[]){lab_self(), "userfault", "/dev/userfaultfd", NULL});
	for (int i = 0; i < 100 && !strstr(lab_read(holder->output[0]), "stalling") && kill(holder->pid, 0) == 0; i++)
		lab_sleep_ms(20);
	cgroup_adopt(resident_cgroup(), holder->pid);
	resident_says(0, "attach", lab_write("stalled.yaml", RESIDENT_ALLOW("kept.lab.test")), "--cgroup",
		      resident_cgroup()->path);
	verify = lab_start((const char *const[]){"build/snifence", "verify", NULL});
	for (double end_ms = lab_now_ms() + LAB_PATIENCE_MS * lab_slowness(); !stuck && lab_now_ms() < end_ms;
	     lab_sleep_ms(50))
		stuck = is_stuck(verify);
	if (stuck)
		resident_says(0, "detach", "--cgroup", resident_cgroup()->path);
	kill(holder->pid, SIGKILL);
	lab_finish(holder, LAB_PROGRAM_MS);
	lab_finish(verify, LAB_PROGRAM_MS);
	if (!stuck)
		skip(); /* no userfaultfd, or a kernel that says who the peer is without the lock */
}

/* Nor is what keeps the connections of a cgroup, which lets go of the others' all the same. */
static void test_stalled_at_keep(void **state) {
	struct lab_program *holder, *attach;
	const char *policy;
	bool can;

	(void)state;
	resident_begin();
	lab_server(LAB_SINK, "192.0.2.1", 443);
	policy = lab_write("stalled.yaml", RESIDENT_ALLOW("kept.lab.test"));
	holder = lab_start((const char *const[]){lab_self(), "userfault", "/dev/userfaultfd", NULL});
	for (int i = 0; i < 100 && !strstr(lab_read(holder->output[0]), "stalling") && kill(holder->pid, 0) == 0; i++)
		lab_sleep_ms(20);
	can = strstr(lab_read(holder->output[0]), "stalling") != NULL;
	cgroup_adopt(resident_cgroup(), holder->pid);
	attach = lab_start((const char *const[]){"build/snifence", "attach", "--existing", "keep", policy, "--cgroup",
						 resident_cgroup()->path, NULL});
	assert_int_equal(lab_finish(attach, LAB_PROGRAM_MS)->status, 0);
	if (can)
		assert_non_null(strstr(attach->err, "which cannot be looked at: it is not kept"));
	/* what is left behind holds nobody up */
	resident_says(0, "detach", "--cgroup", resident_cgroup()->path);
	kill(holder->pid, SIGKILL);
	lab_finish(holder, LAB_PROGRAM_MS);
	if (!can)
		skip(); /* no userfaultfd */
}

static int held = -1;

static int let_go(void **state) {
	if (held >= 0)
		close(held);
	held = -1;
	return resident_end(state);
}

static struct lab_program *run_true(const char *policy) {
	return lab_start((const char *const[]){"build/snifence", "run", "--quiet", policy, "--", "true", NULL});
}

/* Whoever holds the instances for ever keeps neither a run from its end, or from giving up, nor monitor from its own. */
static void test_held(void **state) {
	struct lab_program *run, *monitor, *told, *late;
	const char *policy, *others;

	(void)state;
	resident_begin();
	policy = lab_write("held.yaml", RESIDENT_ALLOW("kept.lab.test"));
	others = lab_write("others.yaml", RESIDENT_ALLOW("kept.lab.test"));
	resident_says(0, "attach", policy, "--cgroup", resident_cgroup()->path);
	run = lab_start_snifence(RESIDENT_ALLOW("kept.lab.test"), (const char *const[]){"--quiet", NULL},
				 (const char *const[]){"sh", "-c", "echo started; sleep 1000", NULL});
	lab_await_output(run, "started\n");
	monitor = lab_start(
		(const char *const[]){"build/snifence", "monitor", "--output", lab_write("events", ""), NULL});
	assert_true(lab_await_file("/run/snifence/monitor", LAB_PATIENCE_MS * lab_slowness()));
	held = open("/run/snifence/bpf", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flock(held, LOCK_EX), 0);
	late = run_true(others);
	told = run_true(others);
	/* monitor would reload it */
	lab_write("held.yaml", RESIDENT_ALLOW("other.lab.test"));
	lab_sleep_ms(1000 * lab_slowness());
	kill(run->pid, SIGTERM);
	kill(monitor->pid, SIGTERM);
	assert_int_equal(lab_finish(run, LAB_PROGRAM_MS)->status, 128 + SIGTERM);
	assert_int_equal(lab_finish(monitor, LAB_PROGRAM_MS)->status, 0);
	await_text(told->output[1], "waiting for it");
	kill(told->pid, SIGTERM);
	assert_int_equal(lab_finish(told, LAB_PROGRAM_MS)->status, 128 + SIGTERM);
	assert_int_equal(lab_finish(late, 2 * LAB_PROGRAM_MS * lab_slowness())->status, 125);
	assert_non_null(strstr(late->err, "still holds what is resident"));
}

static int play(const char *role, const char *argument) {
	if (strcmp(role, "userfault") == 0)
		return stall_by_userfault(argument);
	if (strcmp(role, "fuse") == 0)
		return stall_by_fuse(argument);
	if (strcmp(role, "stop-output") == 0)
		return stop_output();
	if (strcmp(role, "take-terminal") == 0)
		return take_terminal();
	if (strcmp(role, "burst") == 0)
		return burst(argument);
	return flood(atoi(argument));
}

int main(int argc, char **argv) {
	const struct CMUnitTest tests[] = {
		lab_test(test_stalled_by_userfault),
		cmocka_unit_test_teardown(test_stalled_by_fuse, abort_connection),
		lab_test(test_terminal_stopped),
		lab_test(test_terminal_taken),
		lab_test(test_reader_stopped),
		lab_test(test_lost_events),
		lab_test(test_lost_in_audit),
		lab_test(test_nothing_stays),
		resident_test(test_stalled_at_verify),
		resident_test(test_stalled_at_keep),
		cmocka_unit_test_teardown(test_held, let_go),
	};

	/* bursts take many files */
	lab_allow_files(20000);
	if (argc > 1)
		return play(argv[1], argc > 2 ? argv[2] : "");
	return cmocka_run_group_tests_name("supervisor", tests, NULL, NULL);
}
