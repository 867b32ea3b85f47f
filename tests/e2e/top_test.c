/* SPDX-License-Identifier: BSD-2-Clause */
/* `snifence top` and `run --top` in a real terminal: tmux's, whose screen is read back. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../support/lab.h"
#include "../support/log_maker.h"
#include "../support/name_server.h"

enum { ENDS_MS = 3000 };

/*
 * Runs tmux with these words; returns its output, valid until the next call. The lab has no room for as many programs.
 */
static char *tmux(const char *words) {
	static char output[16384];
	char command[256];
	FILE *pipe;

	snprintf(command, sizeof(command), "tmux -L snifence-top -f /dev/null %s 2>&1", words);
	pipe = popen(command, "re");
	assert_non_null(pipe);
	output[fread(output, 1, sizeof(output) - 1, pipe)] = '\0';
	pclose(pipe);
	return output;
}

/* Waits for a screen with this text; returns it. */
static char *await(const char *text) {
	double end = lab_now_ms() + 2 * LAB_PATIENCE_MS * lab_slowness();
	char *seen;

	do {
		lab_sleep_ms(50);
		seen = tmux("capture-pane -p");
		if (strstr(seen, text))
			return seen;
	} while (lab_now_ms() < end);
	fail_msg("\"%s\" did not come; the screen is:\n%s", text, seen);
	return NULL;
}

static void press(const char *keys) {
	char words[64];

	snprintf(words, sizeof(words), "send-keys %s", keys);
	assert_string_equal(tmux(words), "");
}

/*
 * Runs a line of sh in a terminal of its own, which ends by itself after 50 seconds; what `stty -g` says before and
 * after goes into files.
 */
static void start(const char *environment, const char *line) {
	char *script = NULL;

	lab_needs("tmux");
	setenv("TMUX_TMPDIR", lab_folder(), 1);
	assert_true(
		asprintf(&script,
			 "stty -g >%s/before; export TZ=UTC LC_ALL=C.UTF-8 %s; %s; status=$?; stty -g >%s/after; echo "
			 "status $status; sleep 30",
			 lab_folder(), environment, line, lab_folder()) > 0);
	assert_int_equal(
		lab_run((const char *[]){"tmux", "-L", "snifence-top", "-f", "/dev/null", "new-session", "-d", "-x",
					 "80", "-y", "24", "timeout", "--foreground", "50", "sh", "-c", script, NULL})
			->status,
		0);
	free(script);
}

static void expect_terminal_restored(void) {
	char before[128], after[128];

	snprintf(before, sizeof(before), "%s/before", lab_folder());
	snprintf(after, sizeof(after), "%s/after", lab_folder());
	assert_true(strlen(lab_read(before)) > 20);
	assert_string_equal(lab_read(before), lab_read(after));
}

static int end_terminal(void **state) {
	if (getenv("TMUX_TMPDIR"))
		tmux("kill-server");
	unsetenv("TMUX_TMPDIR");
	return lab_leave(state);
}

static char *write_log(void) {
	char *path = NULL;
	FILE *log;

	assert_true(asprintf(&path, "%s/some.json", lab_folder()) > 0);
	log = fopen(path, "w");
	assert_non_null(log);
	for (int i = 0; i < 3; i++)
		MAKE_LINE(log, .second = i, .name = "pypi.test", .process = "pip");
	MAKE_LINE(log, .second = 5, .name = "\\u001b[2J.test", .reason = "name_invalid", .process = "nc");
	MAKE_LINE(log, .second = 9, .name = "api.github.test", .action = "pass", .reason = "name_allowed");
	assert_int_equal(fclose(log), 0);
	return path;
}

/* The manual shows this screen, with one of its blank lines. */
static void expect_in_the_manual(const char *screen) {
	const char *blank = strstr(screen, "\n\n"), *below = blank + strspn(blank, "\n");
	char *shown = NULL;

	assert_true(asprintf(&shown, "```\n%.*s\n\n%s```\n", (int)(blank - screen), screen, below) > 0);
	assert_non_null(strstr(lab_read("docs/commands/top.md"), shown));
	free(shown);
}

static void append(const char *path, const struct made_line *line) {
	FILE *log = fopen(path, "a");

	assert_non_null(log);
	make_line(log, line);
	assert_int_equal(fclose(log), 0);
}

static const char large[] = "4 refused, 0.0/s; 1 allowed, 0.0/s\n"
			    "0 lost; 03:00:00 to 03:00:09\n"
			    "[1 names] 2 processes  3 events  4 lookups   agent  some.json\n"
			    "  REFUSED  ALLOWED  NAME             REASON            ASKED BY  LAST\n"
			    ">       3        0  pypi.test        name_not_allowed  pip       03:00:02\n"
			    "        1        0  \\x1b[2J.test     name_invalid      nc        03:00:05\n"
			    "        0        1  api.github.test  name_allowed      curl      03:00:09\n"
			    "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n"
			    "1-3 of 3  by refused  q quit  ? keys  Enter more  / filter  Tab view  s sort\n";

static const char small[] = "5 refused, 0.0/s; 1 allowed, 0.0/s\n"
			    "0 lost; 03:00:00 to 03:00:20\n"
			    "[1 names] 2 processes  3 events  4 looku\n"
			    "  REFUSED  ALLOWED  NAME\n"
			    ">       3        0  pypi.test\n"
			    "        1        0  \\x1b[2J.test\n"
			    "        1        0  late.test\n"
			    "        0        1  api.github.test\n"
			    "\n"
			    "1-4 of 4  by refused  q quit  ? keys  En\n";

static const char filtered[] = "5 refused, 0.0/s; 1 allowed, 0.0/s\n"
			       "0 lost; 03:00:00 to 03:00:20\n"
			       "[1 names] 2 processes  3 events  4 looku\n"
			       "  REFUSED  ALLOWED  NAME\n"
			       ">       3        0  pypi.test\n"
			       "\n\n\n\n"
			       "/pip_\n";

static void test_follows_a_log(void **state) {
	char *path, *line = NULL;

	(void)state;
	lab_enter();
	path = write_log();
	assert_true(asprintf(&line, "build/snifence top %s", path) > 0);
	start("NO_COLOR=1", line);
	assert_string_equal(await("1-3 of 3"), large);
	expect_in_the_manual(large);
	append(path, &(struct made_line){.second = 20, .name = "late.test"});
	await("1-4 of 4");
	assert_string_equal(tmux("resize-window -x 40 -y 10"), "");
	assert_string_equal(await("? keys  En\n"), small);
	press("?");
	await("  Enter             what is known of tha\n");
	press("x");
	await("api.github.test\n");
	press("Down");
	await("\n>       1        0  \\x1b[2J.test\n");
	press("Enter");
	await("  asked by: nc\n");
	press("Home"); /* back, and no more than that */
	await("\n>       1        0  \\x1b[2J.test\n");
	press("/");
	press("pip");
	assert_string_equal(await("/pip_"), filtered);
	press("Enter");
	press("q");
	await("status 0\n");
	expect_terminal_restored();
	free(line);
	free(path);
}

/* The signal goes to snifence alone. */
static void test_signals_restore_the_terminal(void **state) {
	static const struct {
		const char *name, *status;
	} signals[] = {{"TERM", "status 143\n"}, {"INT", "status 130\n"}, {"HUP", "status 129\n"}};
	char *path, *line = NULL;

	(void)state;
	lab_enter();
	path = write_log();
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		assert_true(asprintf(&line, "sh -c 'echo $$ >%s/pid; exec build/snifence top %s'", lab_folder(), path) >
			    0);
		start("A=1", line);
		await("1-3 of 3");
		free(line);
		assert_true(asprintf(&line, "kill -%s $(cat %s/pid)", signals[i].name, lab_folder()) > 0);
		assert_int_equal(lab_run((const char *[]){"sh", "-c", line, NULL})->status, 0);
		await(signals[i].status);
		expect_terminal_restored();
		tmux("kill-server");
		lab_sleep_ms(200);
		free(line);
	}
	free(path);
}

/* The command's output does not touch the screen, and is there afterwards, with its status. */
static void test_around_a_command(void **state) {
	const char *policy;
	char *line = NULL, *seen;

	(void)state;
	lab_enter();
	policy = lab_write("top.yaml", "version: 1\ntls: {allow: [allowed.lab.test]}\n");
	assert_true(asprintf(&line,
			     "build/snifence run --top %s -- sh -c 'echo printed; curl -sm1 http://192.0.2.1:22/; cat; "
			     "while ! [ -e %s/go ]; do sleep .1; done; echo more; exit 3'",
			     policy, lab_folder()) > 0);
	start("A=1", line);
	seen = await("1-1 of 1");
	assert_non_null(strstr(seen, "1 refused, "));
	assert_non_null(strstr(seen, "\n>       1  192.0.2.1:22/TCP  port_not_allowed  curl "));
	assert_null(strstr(seen, "printed"));
	lab_write("go", "");
	seen = await("status 3\n");
	assert_non_null(strstr(seen, "printed\nmore\nsnifence: 0 allowed, 1 refused\n"));
	expect_terminal_restored();
	free(line);
}

static void answer(const struct name_query *query, struct bytes *out) {
	dns_begin_answer(out, query->message);
	dns_add_address(out, query->name, 60, "192.0.2.1");
}

/* Where names were found is shown whether or not the policy has it logged. */
static void test_lookups(void **state) {
	static const char question[] = "\\000\\007\\001\\000\\000\\001\\000\\000\\000\\000\\000\\000"
				       "\\007allowed\\003lab\\004test\\000\\000\\001\\000\\001";
	const char *policy;
	char *line = NULL;

	(void)state;
	lab_enter();
	name_server("203.0.113.1", answer);
	policy = lab_write("top.yaml", "version: 1\ntls: {allow: [allowed.lab.test]}\n"
				       "dns: {servers: [203.0.113.1], bind: require}\n");
	assert_true(
		asprintf(&line,
			 "build/snifence run --top --log %s/log.json %s -- bash -c 'exec 3<>/dev/udp/203.0.113.1/53; "
			 "printf \"%s\" >&3; head -c 20 <&3 >/dev/null; "
			 "while ! [ -e %s/go ]; do sleep .1; done'; grep -c answer %s/log.json",
			 lab_folder(), policy, question, lab_folder(), lab_folder()) > 0);
	start("A=1", line);
	await("1 allowed, ");
	press("4");
	await("1:09:5");
	await("  192.0.2.1  allowed.lab.test  bash\n");
	lab_write("go", "");
	assert_non_null(strstr(await("status 1\n"), "\n0\n"));
	name_servers_end();
	free(line);
}

/* Left before the command ends: what it prints comes from then on as it is printed. */
static void test_left_before_the_command_ends(void **state) {
	const char *policy;
	char *line = NULL;

	(void)state;
	lab_enter();
	policy = lab_write("top.yaml", "version: 1\ntls: {allow: [allowed.lab.test]}\n");
	assert_true(asprintf(&line,
			     "build/snifence run --top --quiet %s -- sh -c 'echo first; while ! [ -e %s/go ]; do sleep "
			     ".1; done; echo second'",
			     policy, lab_folder()) > 0);
	start("A=1", line);
	await("0-0 of 0");
	press("q");
	assert_null(strstr(await("first\n"), "second"));
	lab_write("go", "");
	await("first\nsecond\nstatus 0\n");
	expect_terminal_restored();
	free(line);
}

static void do_by_shell(const char *words) {
	char *line = NULL;

	assert_true(asprintf(&line, "cd %s && %s", lab_folder(), words) > 0);
	assert_int_equal(lab_run((const char *[]){"sh", "-c", line, NULL})->status, 0);
	free(line);
}

/* Starts a run whose view then gets this signal. */
static void signal_view(const char *signal) {
	const char *policy = lab_write("top.yaml", "version: 1\ntls: {allow: [allowed.lab.test]}\n");
	char *line = NULL;

	assert_true(
		asprintf(&line,
			 "sh -c 'echo $$ >%s/pid; exec build/snifence run --top --quiet %s -- sh -c \"echo printed; "
			 ">%s/began; while ! [ -e %s/go ]; do sleep .1; done; exit 3\"'",
			 lab_folder(), policy, lab_folder(), lab_folder()) > 0);
	start("A=1", line);
	free(line);
	await("0-0 of 0");
	do_by_shell("while ! [ -e began ]; do sleep .1; done");
	assert_true(asprintf(&line, "pkill -%s -x -P $(cat pid) snifence", signal) > 0);
	do_by_shell(line);
	free(line);
}

/* The terminal is as before, and has what was printed. */
static void expect_good_end(const char *screen) {
	await(screen);
	expect_terminal_restored();
	assert_string_equal(tmux("display-message -p '#{alternate_on} #{cursor_flag}'"), "0 1\n");
}

static void test_view_killed(void **state) {
	(void)state;
	lab_enter();
	signal_view("KILL");
	lab_write("go", "");
	expect_good_end("printed\nstatus 3\n");
}

static void test_view_stopped(void **state) {
	(void)state;
	lab_enter();
	signal_view("STOP");
	lab_write("go", "");
	expect_good_end("printed\nstatus 3\n");
}

static void test_asked_to_end_with_a_stopped_view(void **state) {
	double begin;

	(void)state;
	lab_enter();
	signal_view("STOP");
	begin = lab_now_ms();
	do_by_shell("kill -TERM $(cat pid)");
	expect_good_end("printed\nstatus 143\n");
	assert_true(lab_now_ms() - begin < ENDS_MS * lab_slowness());
}

/* A command that is not root's can do neither. */
static void test_view_is_nobodys(void **state) {
	char *line = NULL, *seen;

	(void)state;
	lab_enter();
	assert_true(asprintf(&line,
			     "build/snifence run --top --quiet --user 65534:65534 %s -- sh -c 'sleep 1; pkill -STOP -x "
			     "snifence; pkill -0 -x snifence && echo reached; exit 4'",
			     lab_write("top.yaml", "version: 1\ntls: {allow: [allowed.lab.test]}\n")) > 0);
	start("A=1", line);
	seen = await("status 4\n");
	assert_null(strstr(seen, "reached"));
	free(line);
}

static void test_needs_a_terminal(void **state) {
	const char *policy;
	char *line = NULL;
	struct lab_program *program;

	(void)state;
	lab_enter();
	policy = lab_write("top.yaml", "version: 1\ntls: {allow: [allowed.lab.test]}\n");
	program = lab_run((const char *[]){"build/snifence", "run", "--top", policy, "--", "echo", "started", NULL});
	assert_int_equal(program->status, 2);
	assert_string_equal(program->out, "");
	assert_string_equal(program->err,
			    "snifence: run --top: neither standard output nor standard error is a terminal; without "
			    "--top, `--log FILE` and `snifence report FILE` need none\n");
	assert_true(asprintf(&line, "TERM=dumb build/snifence run --top %s -- echo started", policy) > 0);
	start("A=1", line);
	assert_null(strstr(await("status 2\n"), "started\n"));
	expect_terminal_restored();
	free(line);
}

static void test_log_needs_another_place(void **state) {
	const char *policy;
	char *line = NULL;

	(void)state;
	lab_enter();
	policy = lab_write("top.yaml", "version: 1\ntls: {allow: [allowed.lab.test]}\n");
	assert_true(asprintf(&line, "build/snifence run --top --log - %s -- echo started", policy) > 0);
	start("A=1", line);
	assert_non_null(strstr(await("status 2\n"), "--top and --log - would write to the terminal at once"));
	expect_terminal_restored();
	free(line);
}

#define top_test(function) cmocka_unit_test_teardown(function, end_terminal)

int main(void) {
	const struct CMUnitTest tests[] = {
		top_test(test_follows_a_log),
		top_test(test_signals_restore_the_terminal),
		top_test(test_around_a_command),
		top_test(test_lookups),
		top_test(test_left_before_the_command_ends),
		top_test(test_view_killed),
		top_test(test_view_stopped),
		top_test(test_asked_to_end_with_a_stopped_view),
		top_test(test_view_is_nobodys),
		top_test(test_needs_a_terminal),
		top_test(test_log_needs_another_place),
	};

	return cmocka_run_group_tests_name("top", tests, NULL, NULL);
}
