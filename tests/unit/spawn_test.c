/* SPDX-License-Identifier: BSD-2-Clause */
/* spawn.c: where a command starts, and how it fails to. The command line of run. Needs root for the former. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <seccomp.h>

#include "base/message.h"
#include "need_root.h"
#include "run/run_options.h"
#include "confine/spawn.h"

/* Starts a command in a cgroup of its own; returns its exit status, or spawn()'s code plus 1000. */
static int start(char **argv) {
	struct cgroup cgroup;
	struct signals signals;
	struct confinement confinement = {0};
	struct child child;
	int status = -1;

	need_root_and_mounts();
	assert_int_equal(cgroup_create(&cgroup), 0);
	assert_int_equal(signals_take(&signals), 0);
	assert_int_equal(confine_prepare(&confinement), 0);
	int code = spawn(argv, &cgroup, &confinement, &signals, &child);
	if (code == 0) {
		assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
		spawn_end(&child);
	}
	assert_int_equal(signals_restore(&signals), 0);
	close(signals.fd);
	assert_int_equal(cgroup_remove(&cgroup), 0);
	return code ? 1000 + code : WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int start_shell(const char *script) {
	return start((char *[]){(char *)"sh", (char *)"-c", (char *)script, NULL});
}

static void test_starts_inside(void **state) {
	(void)state;
	assert_int_equal(start_shell("grep -q '^0::/.*snifence-[0-9]*$' /proc/self/cgroup"), 0);
	assert_int_equal(start_shell("exit 7"), 7);
	assert_int_equal(start_shell("kill -TERM $$"), 128 + SIGTERM);
}

static void test_cannot_start(void **state) {
	(void)state;
	assert_int_equal(start((char *[]){(char *)"no-such-command.test", NULL}), 1000 + EXIT_NOT_FOUND);
	assert_int_equal(start((char *[]){(char *)"/etc/passwd", NULL}), 1000 + EXIT_CANNOT_EXECUTE);
	assert_int_equal(start((char *[]){(char *)"/", NULL}), 1000 + EXIT_CANNOT_EXECUTE);
}

/* In a process of its own, where signals cannot be put back: what spawn() returns, and says. */
static int start_without_restoring(FILE *messages) {
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	struct confinement confinement = {0};
	struct signals signals;
	struct cgroup cgroup;
	struct child child;

	if (!filter || cgroup_create(&cgroup) || signals_take(&signals) || confine_prepare(&confinement))
		return 1;
	if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(rt_sigaction), 1,
			     (struct scmp_arg_cmp){0, SCMP_CMP_EQ, SIGXFSZ, 0}) ||
	    seccomp_load(filter))
		return 2;
	message_redirect(messages);
	int code = spawn((char *[]){(char *)"true", NULL}, &cgroup, &confinement, &signals, &child);
	message_redirect(NULL);
	return cgroup_remove(&cgroup) ? 3 : code;
}

/* The command would ignore what its parent did not, or be deaf to what ends it: so there is none. */
static void test_signals_not_restored(void **state) {
	FILE *messages = tmpfile();
	char said[256] = "";
	int status;

	(void)state;
	need_root_and_mounts();
	assert_non_null(messages);
	pid_t pid = fork();
	if (pid == 0) {
		int code = start_without_restoring(messages);
		fflush(messages);
		_exit(code);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, W_EXITCODE(EXIT_FAILED, 0));
	rewind(messages);
	said[fread(said, 1, sizeof(said) - 1, messages)] = '\0';
	assert_string_equal(said,
			    "snifence: cannot put the command's signals back: Operation not permitted; nothing was "
			    "started\n");
	fclose(messages);
}

/* Container engines refuse clone3; the command is moved before it executes. For the rest of this program. */
static void test_without_clone3(void **state) {
	(void)state;
	need_root_and_mounts();
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	assert_non_null(filter);
	assert_int_equal(seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0), 0);
	assert_int_equal(seccomp_load(filter), 0);
	seccomp_release(filter);
	test_starts_inside(state);
	test_cannot_start(state);
}

static int parse(char **argv, struct run_options *options) {
	int argc = 0;

	while (argv[argc])
		argc++;
	return run_options_parse(argc, argv, options);
}

#define PARSE(options, ...) parse((char *[]){(char *)"run", __VA_ARGS__, NULL}, options)
#define WORD (char *)

static void test_options(void **state) {
	(void)state;
	struct run_options options;
	assert_int_equal(PARSE(&options, WORD "--user", WORD "u.test", WORD "--log=l", WORD "--log-allowed",
			       WORD "--quiet", WORD "--keep-caps", WORD "--no-seccomp", WORD "p", WORD "--", WORD "c",
			       WORD "--quiet"),
			 0);
	assert_string_equal(options.user, "u.test");
	assert_string_equal(options.log, "l");
	assert_true(options.log_allowed && options.quiet && options.keep_caps && options.no_seccomp);
	assert_string_equal(options.policy, "p");
	assert_string_equal(options.command[0], "c");
	assert_string_equal(options.command[1], "--quiet");
	assert_null(options.command[2]);
	run_options_free(&options);

	assert_int_equal(PARSE(&options, WORD "p", WORD "--", WORD "c"), 0);
	assert_null(options.user);
	assert_null(options.log);
	assert_false(options.log_allowed || options.quiet || options.keep_caps || options.no_seccomp);
	run_options_free(&options);
}

static void refuse(char **argv) {
	struct run_options options;

	assert_int_equal(parse(argv, &options), -EINVAL);
	run_options_free(&options);
}

#define REFUSE(...) refuse((char *[]){(char *)"run", __VA_ARGS__, NULL})

static void test_wrong_options(void **state) {
	(void)state;
	refuse((char *[]){WORD "run", NULL});
	REFUSE(WORD "p");
	REFUSE(WORD "p", WORD "c");
	REFUSE(WORD "p", WORD "--");
	REFUSE(WORD "--", WORD "p", WORD "c");
	REFUSE(WORD "--bogus", WORD "p", WORD "--", WORD "c");
	REFUSE(WORD "-q", WORD "p", WORD "--", WORD "c");
	REFUSE(WORD "--user");
	REFUSE(WORD "--log-allowed", WORD "p", WORD "--", WORD "c");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_wrong_options),
		cmocka_unit_test(test_starts_inside),
		cmocka_unit_test(test_cannot_start),
		cmocka_unit_test(test_signals_not_restored),
		cmocka_unit_test(test_without_clone3),
	};

	return cmocka_run_group_tests_name("spawn", tests, NULL, NULL);
}
