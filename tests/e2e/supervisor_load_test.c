/* SPDX-License-Identifier: BSD-2-Clause */
/* Storms of refusals, helpers that are killed ──► connections that end soon, and runs that do. */
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor_kernel.h"

#define POLICY "version: 1\ntls: {allow: [allowed.lab.test]}\ndns: {servers: none}\n"

enum { ENDS_MS = 3000, HANGS_MS = 2000, GONE_MS = 2000, SENDERS = 4, BURST = 50000 / SENDERS, BATCH = 6, MANY = 6000 };

/* ---- what the commands do ----------------------------------------------------------------------------------- */

/* Connections to an address of its own; the peers close. */
static bool connect_all(int *fds, int count, int sender) {
	struct sockaddr_storage address;
	char text[16];
	socklen_t length;
	int listener, peer;

	snprintf(text, sizeof(text), "127.0.0.%d", 1 + sender);
	length = lab_address(text, 443, &address);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) || listen(listener, 64))
		return false;
	for (int i = 0; i < count; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM, 0);
		if (fds[i] < 0 || connect(fds[i], (struct sockaddr *)&address, length))
			return false;
		peer = accept(listener, NULL, NULL);
		if (peer < 0)
			return false;
		close(peer);
	}
	close(listener);
	return true;
}

static bool has_ended(int fd) {
	struct pollfd ready = {.fd = fd};

	return poll(&ready, 1, 0) == 1 && ready.revents & POLLHUP;
}

/* How many milliseconds the one that lasts longest goes on after it was refused, looked at in their order; -1: one has
 * not ended at all. */
static double say_all(const int fds[BURST]) {
	static double said[BURST];
	double longest = 0, end, now;

	for (int i = 0; i < BURST; i++) {
		said[i] = lab_now_ms();
		if (send(fds[i], "no TLS\n", 7, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			continue;
	}
	end = lab_now_ms() + 2 * HANGS_MS * lab_slowness();
	for (int i = 0; i < BURST; i++) {
		if (has_ended(fds[i]))
			continue;
		while (!has_ended(fds[i]))
			if (lab_now_ms() > end)
				return -1;
			else
				lab_sleep_ms(1);
		now = lab_now_ms();
		longest = now - said[i] > longest ? now - said[i] : longest;
	}
	return longest;
}

static int send_burst(int sender, const char *go_on, int ready) {
	static int fds[BURST];
	double ms;

	if (!connect_all(fds, BURST, sender) || write(ready, "", 1) != 1 || !lab_await_file(go_on, 40000))
		return 1;
	ms = say_all(fds);
	printf("%.0f ms\n", ms);
	fflush(stdout);
	return ms < 0 || ms > HANGS_MS * lab_slowness() ? 3 : 0;
}

static int burst(const char *go_on) {
	int ready[2], status, code = 7;
	char byte;

	if (pipe(ready))
		return 1;
	for (int sender = 0; sender < SENDERS; sender++)
		if (fork() == 0)
			_exit(send_burst(sender, go_on, ready[1]));
	for (int sender = 0; sender < SENDERS; sender++)
		if (read(ready[0], &byte, 1) != 1)
			return 1;
	lab_say("connected");
	while (wait(&status) > 0)
		if (status)
			code = 3;
	return code;
}

/* Ends amid refusals, with what it could not send still there. */
static int end_amid(const char *go_on) {
	lab_say("started");
	if (!lab_await_file(go_on, 20000))
		return 1;
	for (int i = 0; i < 40; i++) {
		int fd = lab_dial("192.0.2.1", 443);

		if (fd < 0 || send(fd, "no TLS\n", 7, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			return 1;
	}
	return 7;
}

/* Ends amid more refusals than there is room for events. */
static int end_amid_many(const char *go_on) {
	static int fds[MANY];

	if (!connect_all(fds, MANY, 0))
		return 1;
	lab_say("connected");
	if (!lab_await_file(go_on, 20000))
		return 1;
	for (int i = 0; i < MANY; i++)
		if (send(fds[i], "no TLS\n", 7, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			return 1;
	return 7;
}

static int storm(void) {
	struct sockaddr_storage address;
	socklen_t length = lab_address("203.0.113.1", 25, &address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	lab_say("storm");
	for (;;)
		if (connect(fd, (struct sockaddr *)&address, length) == 0)
			return 1;
}

/* ---- sockets of a namespace that no process is in ------------------------------------------------------------ */

enum { ORPHANS = 1000, IDLE = 1500, HANDED = 200 /* at a time */ };

static bool set_up_loopback(void) {
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	return fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
}

/* Sends descriptors, or takes as many as come. Returns how many there were. */
static int pass(int via, int fds[HANDED], int count, bool send) {
	char control[CMSG_SPACE(HANDED * sizeof(int))] = "", byte = 'x';
	struct iovec vector = {&byte, 1};
	struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control};
	struct cmsghdr *header = (struct cmsghdr *)control;

	message.msg_controllen = send ? CMSG_SPACE((size_t)count * sizeof(int)) : sizeof(control);
	*header = (struct cmsghdr){CMSG_LEN((size_t)count * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
	if (send) {
		memcpy(CMSG_DATA(header), fds, (size_t)count * sizeof(int));
		return sendmsg(via, &message, 0) == 1 ? count : 0;
	}
	if (recvmsg(via, &message, 0) != 1 || message.msg_controllen < CMSG_LEN(sizeof(int)))
		return 0;
	count = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
	memcpy(fds, CMSG_DATA(header), (size_t)count * sizeof(int));
	return count;
}

/* Connects in a network namespace of its own, and hands out both ends. */
static int connect_elsewhere(int via) {
	struct sockaddr_storage address;
	socklen_t length = lab_address("127.0.0.1", 443, &address);
	int listener, fds[HANDED], count = 0;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) || !set_up_loopback())
		return 1;
	listener = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, 64))
		return 1;
	for (int i = 0; i < ORPHANS; i++) {
		fds[count++] = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(fds[count - 1], (struct sockaddr *)&address, length))
			return 1;
		fds[count++] = accept(listener, NULL, NULL);
		if (count < HANDED)
			continue;
		if (pass(via, fds, count, true) != count)
			return 1;
		while (count > 0)
			close(fds[--count]);
	}
	return 0;
}

/* Takes them; every second is one that connects. */
static bool take_orphans(int fds[2 * ORPHANS + HANDED]) {
	int pair[2], count = 0, status;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return false;
	if (fork() == 0)
		_exit(connect_elsewhere(pair[1]));
	close(pair[1]);
	for (int got = 1; got > 0 && count < 2 * ORPHANS; count += got)
		got = pass(pair[0], fds + count, 0, false);
	return wait(&status) > 0 && status == 0 && count == 2 * ORPHANS;
}

/* Each refusal is of a socket that is found nowhere, among many processes to look for it. */
static int orphans(void) {
	static int fds[2 * ORPHANS + HANDED];

	if (!take_orphans(fds))
		return 1;
	for (int i = 0; i < IDLE; i++)
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			pause();
			_exit(0);
		}
	for (int i = 0; i < ORPHANS; i++)
		if (send(fds[2 * i], "no TLS\n", 7, MSG_NOSIGNAL) < 0)
			return 1;
	lab_say("storm");
	pause();
	return 1;
}

/* ---- the tests ---------------------------------------------------------------------------------------------- */

static struct lab_program *start_self(const char *role, const char *argument) {
	return lab_start_snifence(POLICY, (const char *[]){"--quiet", NULL},
				  (const char *[]){lab_self(), role, argument, NULL});
}

static const char *file_for(const char *name) {
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", lab_folder(), name);
	return path;
}

/* What is to be connected before takes a while. */
static void await_line(const struct lab_program *program, const char *line) {
	double end = lab_now_ms() + 40000 * lab_slowness();

	while (!strstr(lab_read(program->output[0]), line)) {
		if (lab_now_ms() > end || waitid(P_PID, (id_t)program->pid, NULL, WEXITED | WNOHANG | WNOWAIT))
			fail_msg("no %s%s", line, lab_read(program->output[0]));
		lab_sleep_ms(50);
	}
}

/* 50,000 refusals. Whatever `stopped_ms` without a reader make of their events, no connection hangs. */
static void expect_no_hanging(const char *name, int stopped_ms) {
	struct lab_program *program = start_self("burst", file_for(name));

	await_line(program, "connected\n");
	if (stopped_ms)
		kill(program->pid, SIGSTOP);
	lab_write(name, "");
	if (stopped_ms) {
		lab_sleep_ms(stopped_ms);
		kill(program->pid, SIGCONT);
	}
	lab_finish(program, 50000 * lab_slowness());
	printf("%s%s", stopped_ms ? "with losses: " : "", program->out);
	assert_int_equal(program->status, 7);
	assert_true(!stopped_ms || !strstr(lab_read(program->log), "\"lost\":0,"));
}

static void test_burst(void **state) {
	(void)state;
	lab_enter();
	expect_no_hanging("go", 0);
}

static void test_burst_with_losses(void **state) {
	(void)state;
	lab_enter();
	expect_no_hanging("go", 300);
}

static void run_and_note(struct in_kernel *kernel) {
	struct lab_program *program;

	unlink(file_for("end"));
	program = start_self("end-amid", file_for("end"));
	lab_await_output(program, "started\n");
	in_kernel_note(kernel, program->pid);
	lab_write("end", "");
	lab_finish(program, 20000 * lab_slowness());
	assert_int_equal(program->status, 7);
}

/* As many runs as RUNS says, of which one lab has room for some: two seconds after the last there, nothing is left of all
 * their programs and maps. */
static void test_many_ends(void **state) {
	const char *wanted = getenv("RUNS");
	int runs = wanted ? atoi(wanted) : BATCH;
	size_t programs = 0, maps = 0;

	for (int done = 0; done < runs; done += BATCH) {
		struct in_kernel kernel = {0};

		lab_enter();
		lab_server(LAB_SINK, "192.0.2.1", 443);
		for (int i = done; i < runs && i < done + BATCH; i++)
			run_and_note(&kernel);
		assert_int_equal(in_kernel_await_end(&kernel, GONE_MS * lab_slowness()), 0);
		programs += kernel.programs;
		maps += kernel.maps;
		free(kernel.found);
		lab_leave(state);
	}
	printf("%d runs: %zu programs and %zu maps, none of them left\n", runs, programs, maps);
}

/* Nobody reads of the refusals before their command has ended: most events are lost, and all of their sockets are left. */
static void test_end_with_losses(void **state) {
	struct in_kernel kernel = {0};
	struct lab_program *program;
	double end;

	(void)state;
	lab_enter();
	program = start_self("end-amid-many", file_for("end"));
	await_line(program, "connected\n");
	in_kernel_note(&kernel, program->pid);
	kill(program->pid, SIGSTOP);
	lab_write("end", "");
	end = lab_now_ms() + 20000 * lab_slowness();
	while (lab_command_of(program->pid) && lab_now_ms() < end)
		lab_sleep_ms(10);
	kill(program->pid, SIGCONT);
	lab_finish(program, 20000 * lab_slowness());
	assert_int_equal(program->status, 7);
	assert_null(strstr(lab_read(program->log), "\"lost\":0,"));
	assert_int_equal(in_kernel_await_end(&kernel, GONE_MS * lab_slowness()), 0);
	free(kernel.found);
}

static void expect_end(const char *role) {
	struct lab_program *program;
	double begin;

	lab_enter();
	program = start_self(role, "");
	await_line(program, "storm\n");
	lab_sleep_ms(500);
	begin = lab_now_ms();
	kill(program->pid, SIGTERM);
	lab_finish(program, 20000 * lab_slowness());
	printf("%s: ended %.0f ms after TERM\n", role, lab_now_ms() - begin);
	assert_true(lab_now_ms() - begin < ENDS_MS * lab_slowness());
	assert_int_equal(program->status, 128 + SIGTERM);
}

static void test_end_in_a_storm(void **state) {
	(void)state;
	expect_end("storm");
}

static void test_end_amid_orphans(void **state) {
	(void)state;
	expect_end("orphans");
}

/* Kills what ends connections: the process with this name among the children of `pid`, and its own children. */
static int kill_aborters(pid_t pid) {
	char path[64], name[32] = "";
	FILE *file;
	int child, killed = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	file = fopen(path, "r");
	while (file && fscanf(file, "%d", &child) == 1) {
		FILE *comm;

		killed += kill_aborters(child);
		snprintf(path, sizeof(path), "/proc/%d/comm", child);
		comm = fopen(path, "r");
		if (comm && fscanf(comm, "%31s", name) == 1 && strcmp(name, "snifence-abort") == 0)
			killed += kill(child, SIGKILL) == 0;
		if (comm)
			fclose(comm);
	}
	if (file)
		fclose(file);
	return killed;
}

static double cpu_ms(pid_t pid) {
	unsigned long user = 0, system = 0;
	char path[32];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_int_equal(
		fscanf(file, "%*d (snifence) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system), 2);
	fclose(file);
	return (double)(user + system) * 1000 / (double)sysconf(_SC_CLK_TCK);
}

/* Who ends connections is gone: snifence says so, and goes on without being busy about it. */
static void test_aborters_killed(void **state) {
	struct lab_program *program;
	double before;

	(void)state;
	lab_enter();
	program = lab_start_snifence(POLICY, (const char *[]){NULL},
				     (const char *[]){"sh", "-c", "echo started; sleep 3; exit 7", NULL});
	lab_await_output(program, "started\n");
	assert_true(kill_aborters(program->pid) >= 2);
	lab_sleep_ms(500);
	before = cpu_ms(program->pid);
	lab_sleep_ms(1000);
	assert_true(cpu_ms(program->pid) - before < 100);
	assert_int_equal(lab_finish(program, LAB_PROGRAM_MS * lab_slowness())->status, 7);
	assert_non_null(strstr(program->err, "cannot end a refused connection: "));
}

static int play(const char *role, const char *argument) {
	if (strcmp(role, "burst") == 0)
		return burst(argument);
	if (strcmp(role, "end-amid-many") == 0)
		return end_amid_many(argument);
	if (strcmp(role, "orphans") == 0)
		return orphans();
	return strcmp(role, "storm") == 0 ? storm() : end_amid(argument);
}

int main(int argc, char **argv) {
	const struct CMUnitTest tests[] = {
		lab_test(test_burst),		lab_test(test_burst_with_losses), lab_test(test_many_ends),
		lab_test(test_end_with_losses), lab_test(test_end_in_a_storm),	  lab_test(test_end_amid_orphans),
		lab_test(test_aborters_killed),
	};

	lab_allow_files(20000);
	if (argc > 2)
		return play(argv[1], argv[2]);
	return cmocka_run_group_tests_name("supervisor under load", tests, NULL, NULL);
}
