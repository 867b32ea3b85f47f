/* SPDX-License-Identifier: BSD-2-Clause */
/* What people do inside a run ──► works as outside: job control on a terminal, debuggers, daemons, user namespaces. */
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/lab.h"

#define POLICY "version: 1\ndns: {servers: none}\n"

/* ---- a terminal with an interactive bash, outside ------------------------------------------------------------------ */

static struct {
	int fd;
	pid_t pid;
	char seen[1 << 16]; /* since the last text that was waited for */
	size_t length;
} terminal;

static void open_terminal(void) {
	lab_needs("bash");
	terminal.length = 0;
	terminal.pid = forkpty(&terminal.fd, NULL, NULL, NULL);
	assert_true(terminal.pid >= 0);
	if (terminal.pid == 0) {
		setenv("POLICY", lab_write("policy.yaml", POLICY), 1);
		setenv("PS1", "prompt> ", 1);
		setenv("TERM", "dumb", 1);
		alarm((unsigned)(LAB_TEST_SECONDS * lab_slowness()));
		execlp("bash", "bash", "--norc", "--noprofile", "--noediting", "-i", NULL);
		_exit(99);
	}
}

static int close_terminal(void **state) {
	if (terminal.pid > 0) {
		kill(terminal.pid, SIGKILL);
		close(terminal.fd);
		waitpid(terminal.pid, NULL, 0);
	}
	terminal.pid = 0;
	return lab_leave(state);
}

static void type(const char *text) {
	assert_int_equal(write(terminal.fd, text, strlen(text)), strlen(text));
}

/* Waits for a text, of which the rest of the line that it is in may not have come yet. */
static void await(const char *text) {
	double end = lab_now_ms() + 2 * LAB_PATIENCE_MS * lab_slowness();
	char *at;

	while (!(at = strstr(terminal.seen, text))) {
		struct pollfd ready = {.fd = terminal.fd, .events = POLLIN};
		ssize_t got = 0;

		if (lab_now_ms() > end || terminal.length + 1 >= sizeof(terminal.seen))
			fail_msg("\"%s\" did not come, but: %s", text, terminal.seen);
		if (poll(&ready, 1, 50) == 1)
			got = read(terminal.fd, terminal.seen + terminal.length,
				   sizeof(terminal.seen) - 1 - terminal.length);
		terminal.length += got > 0 ? (size_t)got : 0;
		terminal.seen[terminal.length] = '\0';
	}
	terminal.length = strlen(at + strlen(text));
	memmove(terminal.seen, at + strlen(text), terminal.length + 1);
}

#define RUN "build/snifence run --quiet $POLICY -- "

/* Ctrl-Z stops snifence and command, fg continues them, Ctrl-C ends the command. What is typed is seen, too, and is
 * therefore not the text that is waited for. */
static void test_stop_and_continue(void **state) {
	(void)state;
	lab_enter();
	open_terminal();
	await("prompt> ");
	type(RUN "sh -c 'echo be''gins; read x; echo got $x; read y'\n");
	await("begins");
	type("\x1a");
	await("Stopped");
	await("prompt> ");
	lab_sleep_ms(300); /* the shell is about to take the terminal */
	type("fg\n");
	lab_sleep_ms(300);
	type("word\n");
	await("got word");
	type("\x03");
	await("prompt> ");
	type("echo sta''tus $?\n");
	await("status 130");
}

/* A shell inside has jobs of its own. */
static void test_jobs_inside(void **state) {
	(void)state;
	lab_enter();
	open_terminal();
	await("prompt> ");
	type(RUN "bash --norc --noprofile --noediting -i\n");
	lab_sleep_ms(50);
	await("prompt> ");
	type("echo in''side $$\n");
	await("inside 2");
	type("sleep 100\n");
	lab_sleep_ms(500);
	type("\x1a");
	await("Stopped");
	type("bg; kill %1; wait; echo wai''ted\n");
	await("waited");
	type("sleep 100\n");
	lab_sleep_ms(500);
	type("\x03");
	type("echo sta''tus $?\n");
	await("status 130");
	type("exit 7\n");
	type("echo sta''tus $?\n");
	await("status 7");
}

/* Where no shell gives the terminal back to the script, snifence does. */
static void test_terminal_comes_back(void **state) {
	(void)state;
	lab_enter();
	open_terminal();
	await("prompt> ");
	type("sh -c '" RUN "bash --norc --noprofile --noediting -i; read x; echo got $x'\n");
	lab_sleep_ms(50);
	await("prompt> ");
	type("echo in''side\n");
	await("inside");
	type("exit\n");
	lab_sleep_ms(500);
	type("word\n");
	await("got word");
}

/* ---- programs -------------------------------------------------------------------------------------------------------- */

static struct lab_program *shell(const char *const options[], const char *script) {
	return lab_snifence(POLICY, options, (const char *[]){"sh", "-c", script, NULL});
}

static const char *const as_user[] = {"--quiet", "--user", "65534:65534", NULL};
static const char *const as_root[] = {"--quiet", "--user", "0:0", NULL};

/* As root, as nobody: the script prints the text and ends with 0. */
static void works(const char *script, const char *text) {
	const char *const *const users[] = {as_user, as_root};

	for (size_t i = 0; i < 2; i++) {
		struct lab_program *program = shell(users[i], script);

		if (program->status || !strstr(program->out, text))
			fail_msg("%s: %d, %s%s", users[i][2], program->status, program->out, program->err);
	}
}

static void test_strace(void **state) {
	(void)state;
	lab_enter();
	lab_needs("strace");
	works("strace -f -e trace=exit_group sh -c 'exit 0' 2>&1", "exit_group(0)");
	works("sleep 20 & p=$!; (sleep 1; kill $p) & strace -p $p 2>&1 | grep -o 'SIGTERM' | head -n 1", "SIGTERM");
}

static void test_gdb(void **state) {
	(void)state;
	lab_enter();
	lab_needs("gdb");
	works("HOME=/ gdb -nx -batch -ex 'catch exec' -ex run -ex 'info inferiors' --args env true 2>&1", "process ");
	works("sleep 20 & sleep 0.2; HOME=/ gdb -nx -batch -p $! -ex 'print 40 + 2' 2>&1; kill $!", "= 42");
}

static void test_processes(void **state) {
	(void)state;
	lab_enter();
	works("a=$(ps -eo comm=); echo \"[$(echo \"$a\" | sort -u | tr '\\n' ' ')]\"", "[ps sh snifence-init ]");
	works("top -bn1", " snifenc");
	works("test $(readlink /proc/self) -gt 2 && test \"$(cat /proc/$$/comm)\" = sh && echo right", "right");
	/* its parent has ended: whoever takes it in waits for it */
	works("(true & sh -c 'sleep 0.1' &) & wait; sleep 0.5; ps -eo stat= | grep -c Z; test $? = 1 && echo none",
	      "none");
}

/* What package managers do as root. */
static void test_changes_user(void **state) {
	struct lab_program *program;

	(void)state;
	lab_enter();
	lab_needs("setpriv");
	program = shell(as_root,
			"f=$(mktemp) && chown 65534:65534 $f && setpriv --reuid=65534 --regid=65534 --clear-groups "
			"sh -c \"echo x >$f && id -u && kill -0 \\$\\$ && ls /proc/self/fd >/dev/null\"; rm $f");
	assert_string_equal(program->out, "65534\n");
	assert_int_equal(program->status, 0);
}

/* Namespaces of its own, but none of cgroups, in which cgroup file systems could be mounted anew. */
static void test_user_namespaces(void **state) {
	struct lab_program *program;

	(void)state;
	lab_enter();
	if (lab_run((const char *[]){"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "unshare", "-Urm",
				     "true", NULL})
		    ->status) {
		print_message("skipped: users cannot make user namespaces here\n");
		skip();
	}
	works("unshare -Urmpnf sh -c 'mount -t tmpfs none /tmp && echo $$'", "1\n");
	program = shell(as_user, "unshare -Urpf --mount-proc ps -eo pid=");
	assert_string_equal(program->err, "");
	program = shell(as_root, "unshare -UrCm mount -t cgroup2 none /tmp && echo mounted");
	assert_string_equal(program->out, "");
	assert_non_null(strstr(program->err, "unshare failed: Operation not permitted"));
	program = shell(as_user, "unshare -UrCm mount -t cgroup2 none /tmp && echo mounted");
	assert_string_equal(program->out, "");
}

/* A run inside of a run says that it is one. */
static void test_nested(void **state) {
	const char *const *const users[] = {as_user, as_root};
	char expected[512];

	(void)state;
	lab_enter();
	for (size_t i = 0; i < 2; i++) {
		struct lab_program *program = shell(users[i], "build/snifence run --allow a.test -- true; echo $?");

		snprintf(expected, sizeof(expected),
			 "snifence: this is inside of `snifence run` already, under %s/policy.yaml: that holds for all "
			 "that is started here, and a rule has to be added there\n",
			 lab_folder());
		assert_string_equal(program->out, "125\n");
		if (!strstr(program->err, expected))
			fail_msg("%s, and not %s", program->err, expected);
	}
}

/* Of what was open before, pipes and regular files stay; sockets and what leads out do not, nor what tells of them. */
static void test_open_files(void **state) {
	static const char inside[] = "cat <&5; for n in 5 6 7 8; do test -e /proc/self/fd/$n && echo $n; done; "
				     "echo ${NODE_CHANNEL_FD-none} ${LISTEN_FDS-none}\n";
	static const char script[] = "cd $2; exec 5<file 6</dev/null 7</proc/self/mounts 8<.; "
				     "export NODE_CHANNEL_FD=6 LISTEN_FDS=1; $1 run --allow a.test -- bash inside; "
				     "$1 run --allow a.test -- cat <(echo from a pipe); "
				     "env -u MAKEFLAGS -u MAKELEVEL make -s -j2 -f outer SNIFENCE=$1 2>&1";
	char program[4096];

	(void)state;
	lab_enter();
	lab_needs("make");
	assert_non_null(realpath("build/snifence", program));
	lab_write("file", "kept\n");
	lab_write("inside", inside);
	lab_write("inner", "all: a\na:\n\t@echo $@\n");
	lab_write("outer", "all:\n\t+@$(SNIFENCE) run --allow a.test -- make -s -f inner all\n");
	assert_string_equal(lab_run((const char *[]){"bash", "-c", script, "bash", program, lab_folder(), NULL})->out,
			    "kept\n5\nnone none\nfrom a pipe\na\n");
}

/* Root's services have their own roots; but not where one leads out of a chroot that snifence is in. */
static void test_chroot(void **state) {
	static const char script[] =
		"mkdir $1/r; mount --rbind / $1/r; chroot $1/r sh -c \"cd $PWD; build/snifence run "
		"--allow a.test -- chroot / echo inside\"";
	struct lab_program *program;

	(void)state;
	lab_enter();
	assert_string_equal(shell(as_root, "chroot / echo inside")->out, "inside\n");
	program = lab_run((const char *[]){"unshare", "-m", "sh", "-c", script, "sh", lab_folder(), NULL});
	assert_string_equal(program->out, "");
	assert_non_null(strstr(program->err, "chroot: cannot change root directory to '/': Operation not permitted"));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_stop_and_continue, close_terminal),
		cmocka_unit_test_teardown(test_jobs_inside, close_terminal),
		cmocka_unit_test_teardown(test_terminal_comes_back, close_terminal),
		lab_test(test_strace),
		lab_test(test_gdb),
		lab_test(test_processes),
		lab_test(test_changes_user),
		lab_test(test_user_namespaces),
		lab_test(test_nested),
		lab_test(test_open_files),
		lab_test(test_chroot),
	};

	return cmocka_run_group_tests_name("inside", tests, NULL, NULL);
}
