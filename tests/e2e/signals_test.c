/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals to snifence ──► the command's whole tree; and what outlives the command ──► is ended. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <seccomp.h>

#include "../support/lab.h"
#include "base/message.h"

#define POLICY "version: 1\ndns: {servers: none}\n"

static struct lab_program *start_shell(const char *script) {
	return lab_start_snifence(POLICY, NULL, (const char *[]){"sh", "-c", script, NULL});
}

static struct lab_program *finish(struct lab_program *program, int status) {
	pid_t pid = program->pid;

	lab_finish(program, 10000 * lab_slowness());
	assert_int_equal(program->status, status);
	assert_false(lab_cgroup_of(pid));
	return program;
}

/* The command takes the signal and ends as it likes; its status is the run's. */
static void test_handled(void **state) {
	static const struct {
		const char *name;
		int number;
	} signals[] = {{"TERM", SIGTERM},     {"INT", SIGINT},	 {"HUP", SIGHUP},
		       {"USR1", SIGUSR1},     {"USR2", SIGUSR2}, {"ALRM", SIGALRM},
		       {"VTALRM", SIGVTALRM}, {"PROF", SIGPROF}, {"IO", SIGIO},
		       {"PWR", SIGPWR},	      {"34", 34}};
	char script[256];

	(void)state;
	lab_enter();
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct lab_program *program;

		snprintf(script, sizeof(script), "trap 'echo %s; exit 3' %s; echo ready; while :; do sleep 0.05; done",
			 signals[i].name, signals[i].name);
		program = start_shell(script);
		lab_await_output(program, "ready\n");
		kill(program->pid, signals[i].number);
		finish(program, 3);
		snprintf(script, sizeof(script), "ready\n%s\n", signals[i].name);
		assert_string_equal(program->out, script);
	}
}

/* What a terminal or a limit sends to snifence alone is no reason to leave the command. */
static void test_not_for_snifence(void **state) {
	static const int signals[] = {SIGTTOU, SIGTTIN, SIGXCPU, SIGXFSZ, SIGPIPE};
	struct lab_program *program;

	(void)state;
	lab_enter();
	program = start_shell("trap 'exit 3' TERM; echo ready; while :; do sleep 0.05; done");
	lab_await_output(program, "ready\n");
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		kill(program->pid, signals[i]);
	lab_sleep_ms(200);
	kill(program->pid, SIGTERM);
	finish(program, 3);
}

/* Nothing of that is handed on: the command has the signals that snifence was started with. */
static void test_as_before(void **state) {
	static const char show[] = "grep -E '^Sig(Blk|Ign)' /proc/self/status";
	static const char standard[32]; /* what the kernel calls a sigaction, all zero: SIG_DFL */
	struct lab_program *outside, *inside;

	(void)state;
	lab_enter();
	/* two are the C library's own: it takes them back, as soon as there are threads, from whoever had them ignored */
	for (int number = 32; number <= 33; number++)
		syscall(SYS_rt_sigaction, number, standard, NULL, 8);
	outside = lab_run((const char *[]){"sh", "-c", show, NULL});
	inside = finish(start_shell(show), 0);
	assert_string_equal(inside->out, outside->out);
}

static void test_not_handled(void **state) {
	struct lab_program *program;

	(void)state;
	lab_enter();
	program = start_shell("echo ready; exec sleep 60");
	lab_await_output(program, "ready\n");
	kill(program->pid, SIGTERM);
	finish(program, 128 + SIGTERM);
}

/* What is stopped goes on, or it would not end. */
static void test_stopped(void **state) {
	static const int signals[] = {SIGTERM, SIGHUP};

	(void)state;
	lab_enter();
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct lab_program *program = start_shell("trap 'exit 3' TERM HUP; echo ready; kill -STOP $$; exit 4");

		lab_await_output(program, "ready\n");
		lab_sleep_ms(200);
		kill(program->pid, signals[i]);
		finish(program, 3);
	}
}

/* Every process of the tree gets it, also one that has left the session. */
static void test_whole_tree(void **state) {
	struct lab_program *program;

	(void)state;
	lab_enter();
	program =
		start_shell("setsid sh -c 'trap \"echo inner; exit\" TERM; echo ready; while :; do sleep 0.05; done' &"
			    "trap : TERM; wait; wait; exit 4");
	lab_await_output(program, "ready\n");
	kill(program->pid, SIGTERM);
	finish(program, 4);
	assert_string_equal(program->out, "ready\ninner\n");
}

static void test_outliving(void **state) {
	struct lab_program *program;

	(void)state;
	lab_enter();
	program = finish(start_shell("sleep 60 >/dev/null 2>&1 & exit 5"), 5);
	assert_true(program->ms < 2000 * lab_slowness());
	assert_non_null(strstr(program->err, "snifence: 1 process outlived the command and was ended\n"));
}

/* What doesn't listen to SIGTERM is killed two seconds later. */
static void test_stubborn(void **state) {
	struct lab_program *program;

	(void)state;
	lab_enter();
	program = finish(start_shell("(trap '' TERM; sleep 60) & exit 5"), 5);
	assert_true(program->ms > 2000);
	assert_true(program->ms < 6000 * lab_slowness());
}

/* Inside: refused datagrams, as many as there can be, for six seconds; each makes an event. */
static int flood(void) {
	struct sockaddr_storage address;
	socklen_t length = lab_address("198.51.100.1", 5432, &address);
	double end = lab_now_ms() + 6000;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	puts("ready");
	fflush(stdout);
	fork();
	fork();
	while (lab_now_ms() < end)
		for (int i = 0; i < 100; i++)
			if (sendto(fd, "x", 1, 0, (struct sockaddr *)&address, length) == 1)
				return 1;
	return 0;
}

/* More events than can be written do not keep a signal from the command. */
static void test_flood(void **state) {
	struct lab_program *program;

	(void)state;
	lab_enter();
	program = lab_start_snifence(POLICY, (const char *[]){"--quiet", NULL},
				     (const char *[]){lab_self(), "flood", NULL});
	lab_await_output(program, "ready\n");
	lab_sleep_ms(200);
	kill(program->pid, SIGTERM);
	finish(program, 128 + SIGTERM);
	assert_true(program->ms < 5000 * lab_slowness());
}

/* Becomes a run, in which no process learns how a child has ended: also not who has the seccomp filter made, so without. */
static int be_told_nothing(const char *policy) {
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	if (!filter || seccomp_rule_add(filter, SCMP_ACT_ERRNO(ECHILD), SCMP_SYS(wait4), 0) || seccomp_load(filter))
		return 1;
	execl("build/snifence", "snifence", "run", "--no-seccomp", policy, "--", "sh", "-c", "echo started; exit 7",
	      NULL);
	return 2;
}

/* Then the run's status is not the command's, nor any that says that all is well. */
static void test_end_not_told(void **state) {
	struct lab_program *program;
	pid_t pid;

	(void)state;
	lab_enter();
	program = lab_start((const char *[]){lab_self(), "not-told", lab_write("policy.yaml", POLICY), NULL});
	pid = program->pid;
	lab_finish(program, LAB_PROGRAM_MS * lab_slowness());
	assert_string_equal(program->out, "started\n");
	assert_int_equal(program->status, EXIT_FAILED);
	assert_non_null(strstr(program->err, "snifence: cannot tell how the command has ended: No child processes\n"));
	assert_false(lab_cgroup_of(pid));
}

int main(int argc, char **argv) {
	const struct CMUnitTest tests[] = {
		lab_test(test_handled),	     lab_test(test_not_for_snifence), lab_test(test_as_before),
		lab_test(test_not_handled),  lab_test(test_stopped),	      lab_test(test_whole_tree),
		lab_test(test_outliving),    lab_test(test_stubborn),	      lab_test(test_flood),
		lab_test(test_end_not_told),
	};
	if (argc == 2 && strcmp(argv[1], "flood") == 0)
		return flood();
	if (argc == 3)
		return be_told_nothing(argv[2]);
	return cmocka_run_group_tests_name("signals", tests, NULL, NULL);
}
