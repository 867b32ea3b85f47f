/* SPDX-License-Identifier: BSD-2-Clause */
/* What `snifence run` says of refusals: at once, at the end, to CI systems; and what the command can know of them. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <json-c/json.h>

#include "../support/hello_maker.h"
#include "../support/lab.h"

static const char policy[] = "version: 1\n"
			     "tls:\n"
			     "  to: [192.0.2.0/24]\n"
			     "  allow: [allowed.lab.test]\n"
			     "  deny: [{host: telemetry.lab.test, expected: true}, denied.lab.test]\n"
			     "dns: {servers: none}\n";

/* ---- this program as the confined command -------------------------------------------------------------------------- */

static int say_hello(const char *name) {
	static struct bytes stream;
	int fd = lab_dial("192.0.2.1", 443);
	char byte;

	if (fd < 0)
		return 1;
	hello_make(&stream, &(struct hello){.name = name});
	return lab_send(fd, stream.data, stream.length) || recv(fd, &byte, 1, 0) < 0;
}

/* Each word is a name to say, an address to dial, or a number of milliseconds to wait. */
static int be_command(char **words) {
	for (; *words; words++) {
		if (strspn(*words, "0123456789") == strlen(*words))
			lab_sleep_ms(atoi(*words));
		else if (strspn(*words, "0123456789.") == strlen(*words))
			lab_dial(*words, 22);
		else
			say_hello(*words);
	}
	return 0;
}

static int refused(long result) {
	return result < 0 ? errno : 0;
}

/* Prints the errno of what the confinement refuses. Of the last two nothing is told. */
static int call(void) {
	int file = open("/etc/hosts", O_RDONLY), other = open(lab_self(), O_RDONLY), pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return 1;
	printf("%d", refused(socket(AF_PACKET, SOCK_RAW, 0)));
	printf(" %d", refused(unshare(CLONE_NEWCGROUP)));
	printf(" %d", refused(sendfile(pair[0], file, NULL, 1)));
	printf(" %d", refused(sendfile(other, file, NULL, 1)));
	printf(" %d\n", refused(syscall(SYS_io_uring_setup, 0, NULL)));
	return 0;
}

static void begin(void) {
	lab_enter();
	lab_server(LAB_TLS, "192.0.2.1", 443);
}

static struct lab_program *run(const char *const options[], const char *const words[]) {
	const char *command[16] = {lab_self(), "say"};
	size_t count = 2;

	while (*words)
		command[count++] = *words++;
	return lab_snifence(policy, options, command);
}

#define RUN(options, ...) run(options, (const char *[]){__VA_ARGS__, NULL})
#define OPTIONS(...)                                                                                                   \
	(const char *[]) {                                                                                             \
		__VA_ARGS__, NULL                                                                                      \
	}

/* A line with the policy's file in it. Valid until the next call. */
static const char *filled(const char *format) {
	static char line[1024];
	char file[256];

	snprintf(file, sizeof(file), "%s/policy.yaml", lab_folder());
	snprintf(line, sizeof(line), format, file);
	return line;
}

static const char name_line[] = "snifence: refused telemetry.vendor.test (notice_test, name_not_allowed); to allow it, "
				"under tls.allow in %s: - telemetry.vendor.test\n";
static const char address_line[] =
	"snifence: refused 198.51.100.1:22/TCP (notice_test, address_not_allowed); to allow it, under direct.allow in %s: "
	"- {to: 198.51.100.1, proto: tcp, ports: [22]} # not inspected\n";

/* ---- at once ------------------------------------------------------------------------------------------------------- */

/* Once for each name and program, whatever the number; before the command ends. */
static void test_notice(void **state) {
	const char *const command[] = {
		lab_self(), "say", "telemetry.vendor.test", "telemetry.vendor.test", "198.51.100.1", "5000", NULL};
	struct lab_program *program;
	double end = lab_now_ms() + 4000;
	char *text;

	(void)state;
	begin();
	program = lab_start_snifence(policy, NULL, command);
	do {
		lab_sleep_ms(50);
		text = lab_read(program->output[1]);
	} while (!strstr(text, filled(address_line)) && lab_now_ms() < end);
	assert_true(lab_now_ms() < end);
	assert_non_null(strstr(text, filled(name_line)));
	assert_null(strstr(strstr(text, "telemetry.vendor.test (") + 1, "telemetry.vendor.test ("));
	assert_null(strstr(text, " allowed, "));
}

static int leave_resolv_conf(void **state) {
	umount2("/etc/resolv.conf", MNT_DETACH);
	return lab_leave(state);
}

/* A run goes on with the resolvers that there were; what is one by now is named as that, what is not has a rule. */
static void test_resolver_that_has_come(void **state) {
	static const char system[] = "version: 1\ntls: {to: [192.0.2.0/24], allow: [allowed.lab.test]}\n";
	const char *file, *words[] = {"bash", "-c", NULL, NULL};
	double end = lab_now_ms() + 20000;
	char *script = NULL, *text;
	struct lab_program *program;

	(void)state;
	begin();
	file = lab_write("resolv.conf", "nameserver 203.0.113.1\n");
	assert_int_equal(mount(file, "/etc/resolv.conf", NULL, MS_BIND, NULL), 0);
	assert_true(asprintf(&script,
			     "echo there; while ! [ -e %s/go ]; do sleep .05; done; echo >/dev/tcp/203.0.113.2/53; "
			     "echo >/dev/tcp/203.0.113.3/53; true",
			     lab_folder()) > 0);
	words[2] = script;
	program = lab_start_snifence(system, NULL, words);
	while (!strstr(lab_read(program->output[0]), "there") && lab_now_ms() < end)
		lab_sleep_ms(20);
	lab_write("resolv.conf", "nameserver 203.0.113.2\n");
	lab_write("go", "");
	lab_finish(program, 10000);
	text = program->err;
	assert_non_null(strstr(text, "refused 203.0.113.2:53/TCP (bash, address_not_allowed); it is named in "
				     "/etc/resolv.conf now, and was not a resolver when this began: start it again\n"));
	assert_non_null(strstr(text, "refused 203.0.113.3:53/TCP (bash, address_not_allowed); to allow it, under "
				     "dns.servers in "));
	free(script);
}

/* Refused by its address, before it had a name: which one it was is told where lookups are refused too. */
static void test_address_of_no_name(void **state) {
	static const char any[] = "version: 1\ntls: {allow: [a.test]}\ndns: {servers: [203.0.113.53], bind: require}\n";
	static const char only[] = "version: 1\ntls: {allow: [a.test]}\n"
				   "dns: {servers: [203.0.113.53], bind: require, names: policy}\n";
	const char *const command[] = {lab_self(), "say", "b.test", NULL};

	(void)state;
	begin();
	assert_non_null(
		strstr(lab_snifence(any, NULL, command)->err,
		       "refused 192.0.2.1:443/TCP (notice_test, name_not_bound); no lookup of an allowed name gave "
		       "this address: with `dns: {names: policy}` the lookup of another is refused, and told by "
		       "its name\n"));
	assert_non_null(
		strstr(lab_snifence(only, NULL, command)->err,
		       "; no lookup of an allowed name gave this address: it is from another resolver, a cache or "
		       "a list\n"));
}

static void test_off_and_quiet(void **state) {
	struct lab_program *program;

	(void)state;
	begin();
	program = RUN(OPTIONS("--notify", "off"), "telemetry.vendor.test");
	assert_null(strstr(program->err, "snifence: refused"));
	assert_non_null(strstr(program->err, "snifence: 0 allowed, 1 refused\n"));
	assert_string_equal(RUN(OPTIONS("--quiet"), "telemetry.vendor.test")->err, "");
	program = RUN(OPTIONS("--quiet", "--notify", "stderr"), "telemetry.vendor.test");
	assert_string_equal(program->err, filled(name_line));
}

/* The file goes on where it is one of notices, and is left alone where it is not. */
static void test_to_file(void **state) {
	char *file;

	(void)state;
	begin();
	assert_true(asprintf(&file, "%s/notices", lab_folder()) > 0);
	assert_null(strstr(RUN(OPTIONS("--notify", file), "telemetry.vendor.test")->err, "snifence: refused"));
	assert_string_equal(lab_read(file), filled(name_line));
	RUN(OPTIONS("--notify", file), "198.51.100.1");
	assert_non_null(strstr(lab_read(file), filled(address_line)));
	lab_write("notices", "other words\n");
	assert_int_equal(RUN(OPTIONS("--notify", file), "198.51.100.1")->status, 125);
	assert_string_equal(lab_read(file), "other words\n");
	free(file);
}

/* What a flood of names leaves of a terminal; files have all of it. */
static void test_many_names(void **state) {
	char script[1024];
	struct lab_program *program;
	size_t lines = 0;

	(void)state;
	begin();
	snprintf(script, sizeof(script),
		 "for i in $(seq 40); do %s say n$i.test; done; grep -c refused $SNIFENCE_NOTICES", lab_self());
	program = lab_snifence(policy, NULL, (const char *[]){"sh", "-c", script, NULL});
	assert_string_equal(program->out, "40\n");
	for (const char *at = program->err; (at = strstr(at, "snifence: refused")); at++)
		lines++;
	if (lines < 10 || lines > 10 + program->ms / 1000 + 1)
		fail_msg("%zu lines in %.0f ms: %s", lines, program->ms, program->err);
}

/* A program that takes keys one by one has the screen for itself. */
static void test_full_screen(void **state) {
	const char *file = NULL, *text;
	char script[2048];

	(void)state;
	begin();
	lab_needs("script");
	file = lab_write("policy.yaml", policy);
	snprintf(
		script, sizeof(script),
		"build/snifence run %s -- sh -c 'stty -icanon; %s say hidden.test 300; stty icanon; %s say seen.test 300; "
		"exec 2>/dev/null'",
		file, lab_self(), lab_self());
	text = lab_run((const char *[]){"script", "-qec", script, "/dev/null", NULL})->out;
	assert_null(strstr(text, "refused hidden.test"));
	assert_non_null(strstr(text, "refused seen.test"));
	assert_non_null(strstr(text, "snifence: 1 more refusal was not shown here"));
	assert_non_null(strstr(text, "refused      hidden.test"));
}

/* ---- system calls -------------------------------------------------------------------------------------------------- */

static void test_system_calls(void **state) {
	struct lab_program *program;

	(void)state;
	begin();
	program = lab_snifence(policy, NULL, (const char *[]){lab_self(), "call", NULL});
	assert_string_equal(program->out, "97 1 22 22 38\n");
	assert_string_equal(
		program->err,
		"snifence: refused socket() (notice_test, system_call): sockets of this family pass no hook\n"
		"snifence: refused unshare() (notice_test, system_call): a cgroup namespace of its own would lead out of "
		"the filter\n"
		"snifence: refused sendfile() (notice_test, system_call): the file could change after it was judged; most "
		"programs read and write instead (nginx: `sendfile off`)\n"
		"snifence: 0 allowed, 0 refused, 3 system calls refused\n"
		"  refused      sendfile()                                    system_call             1  asked by notice_test\n"
		"  refused      socket()                                      system_call             1  asked by notice_test\n"
		"  refused      unshare()                                     system_call             1  asked by notice_test\n");
	program = lab_snifence(policy, OPTIONS("--quiet"), (const char *[]){lab_self(), "call", NULL});
	assert_string_equal(program->out, "97 1 22 22 38\n");
	assert_string_equal(program->err, "");
}

/* Where nobody answers any more they are refused all the same, as calls that there are not. */
static void test_system_calls_of_abandoned(void **state) {
	const char *const command[] = {"sh", "-c", "\"$0\" call; kill -STOP $$; \"$0\" call; kill -STOP $$", lab_self(),
				       NULL};
	struct lab_program *program;
	pid_t shell;

	(void)state;
	begin();
	program = lab_start_snifence(policy, NULL, command);
	lab_await_output(program, "97 1 22 22 38\n");
	shell = lab_command_of(program->pid);
	kill(program->pid, SIGKILL);
	lab_finish(program, LAB_PATIENCE_MS);
	for (int i = 0; i < 300 && !strstr(lab_read(program->output[0]), "\n38"); i++) {
		kill(shell, SIGCONT);
		lab_sleep_ms(10);
	}
	kill(shell, SIGKILL);
	assert_string_equal(lab_read(program->output[0]), "97 1 22 22 38\n38 38 38 38 38\n");
}

/* Where the question or its answer fails, nobody waits for it. */
static void test_system_calls_cannot_be_answered(void **state) {
	char inject[64];

	(void)state;
	begin();
	lab_needs("strace");
	for (int when = 1; when < 5; when++) {
		struct lab_program *program;

		snprintf(inject, sizeof(inject), "inject=ioctl:error=EIO:when=%d+", when);
		program = lab_run((const char *[]){"strace", "-qq", "-o", "/dev/null", "-e", inject, "build/snifence",
						   "run", lab_write("policy.yaml", policy), "--", lab_self(), "call",
						   NULL});
		assert_int_equal(program->status, 0);
		assert_true(program->out[0] != '0' && !strstr(program->out, " 0"));
		assert_non_null(strstr(program->err, "cannot answer a refused system call: Input/output error"));
	}
}

/* ---- what the command knows ---------------------------------------------------------------------------------------- */

static void expect_variables(const char *user) {
	char script[1024], expected[2048];
	struct lab_program *program;

	snprintf(script, sizeof(script),
		 "%s say telemetry.vendor.test 200; echo $SNIFENCE $SNIFENCE_POLICY; cat $SNIFENCE_NOTICES; "
		 "(echo x >>$SNIFENCE_NOTICES) 2>/dev/null || rm $SNIFENCE_NOTICES 2>/dev/null || echo kept; "
		 "echo $SNIFENCE_NOTICES",
		 lab_self());
	program = lab_snifence(policy, OPTIONS("--user", user), (const char *[]){"sh", "-c", script, NULL});
	snprintf(expected, sizeof(expected), "1 %s/policy.yaml\n%skept\n", lab_folder(), filled(name_line));
	if (strncmp(program->out, expected, strlen(expected)) != 0)
		fail_msg("%s and not: %s", program->out, expected);
	program->out[strlen(program->out) - 1] = '\0';
	assert_int_equal(access(program->out + strlen(expected), F_OK), -1);
}

static void test_variables(void **state) {
	(void)state;
	begin();
	expect_variables("root");
}

static void test_variables_of_user(void **state) {
	(void)state;
	begin();
	expect_variables("65534:65534");
}

/* Of a run that was killed something is left, until the next one. */
static void test_left_behind(void **state) {
	struct lab_program *program;
	char file[64];

	(void)state;
	begin();
	program = lab_start_snifence(policy, NULL, (const char *[]){"sh", "-c", "echo started; sleep 30", NULL});
	lab_await_output(program, "started\n");
	snprintf(file, sizeof(file), "/run/snifence-%d.notices", program->pid);
	assert_int_equal(access(file, F_OK), 0);
	RUN(NULL, "allowed.lab.test");
	assert_int_equal(access(file, F_OK), 0);
	kill(lab_command_of(program->pid), SIGKILL);
	kill(program->pid, SIGKILL);
	lab_finish(program, LAB_PATIENCE_MS);
	RUN(NULL, "allowed.lab.test");
	assert_int_equal(access(file, F_OK), -1);
}

/* ---- the end ------------------------------------------------------------------------------------------------------- */

static void test_nothing_to_say(void **state) {
	(void)state;
	begin();
	assert_string_equal(lab_snifence(policy, NULL, (const char *[]){"true", NULL})->err, "");
}

static const char summary[] =
	"snifence: 1 allowed, 3 refused (1 as expected)\n"
	"  refused      telemetry.vendor.test                         name_not_allowed        1  asked by notice_test\n"
	"  refused      denied.lab.test                               name_denied             1  asked by notice_test\n"
	"  allowed      allowed.lab.test                              name_allowed            1  asked by notice_test\n"
	"To allow what of it is wanted, write into the policy:\n"
	"  tls:\n"
	"    allow:\n"
	"      - telemetry.vendor.test\n";

/* What is expected is logged and counted, and no news. */
static void test_summary(void **state) {
	struct lab_program *program;

	(void)state;
	begin();
	program = RUN(OPTIONS("--notify", "off"), "allowed.lab.test", "telemetry.vendor.test", "denied.lab.test",
		      "telemetry.lab.test");
	assert_string_equal(program->err, summary);
	assert_int_equal(json_object_array_length(lab_log(program)), 3);
	program = RUN(OPTIONS("--quiet", "--notify", "stderr", "--fail-if-blocked"), "telemetry.lab.test");
	assert_string_equal(program->err, "");
	assert_int_equal(program->status, 0);
	assert_true(json_object_get_boolean(
		json_object_object_get(lab_log_one(program, SNIF_REASON_NAME_DENIED), "expected")));
}

static void test_fail_if_blocked(void **state) {
	(void)state;
	begin();
	assert_int_equal(RUN(OPTIONS("--fail-if-blocked"), "telemetry.vendor.test")->status, 120);
	assert_int_equal(RUN(OPTIONS("--fail-if-blocked"), "allowed.lab.test")->status, 0);
	assert_int_equal(lab_snifence(policy, OPTIONS("--fail-if-blocked"), (const char *[]){"false", NULL})->status,
			 1);
}

static const char page[] = "### snifence: 0 allowed, 2 refused\n"
			   "\n"
			   "| times | name or address | reason | asked by |\n"
			   "|---:|---|---|---|\n"
			   "| 1 | telemetry.vendor.test | `name_not_allowed` | notice&#95;test |\n"
			   "| 1 | a&#124;b&#60;c&#62;.test | `name_invalid` | notice&#95;test |\n"
			   "\n"
			   "To allow what of it is wanted, write into the policy:\n"
			   "\n"
			   "```yaml\n"
			   "tls:\n"
			   "  allow:\n"
			   "    - telemetry.vendor.test\n"
			   "```\n"
			   "\n";

/* Behind what other steps have written. */
static void test_ci(void **state) {
	char *file, expected[2048];
	struct lab_program *program;

	(void)state;
	begin();
	file = strdup(lab_write("summary.md", "## Other steps\n"));
	setenv("GITHUB_ACTIONS", "true", 1);
	program = RUN(OPTIONS("--summary-file", file, "--notify", "off"), "telemetry.vendor.test", "a|b<c>.test");
	unsetenv("GITHUB_ACTIONS");
	snprintf(expected, sizeof(expected), "## Other steps\n%s", page);
	assert_string_equal(lab_read(file), expected);
	assert_non_null(strstr(program->err, "\n::warning title=snifence::refused telemetry.vendor.test "
					     "(name_not_allowed, asked by notice_test), 1 time\n"));
	program = RUN(OPTIONS("--summary-file", file), "allowed.lab.test");
	assert_non_null(strstr(lab_read(file), "```\n\n### snifence: 1 allowed, 0 refused\n\n"));
	assert_null(strstr(program->err, "::warning"));
	free(file);
}

/* ---- policies without a file, and by name -------------------------------------------------------------------------- */

static void test_allow(void **state) {
	const char *file;
	struct lab_program *program;

	(void)state;
	begin();
	program =
		lab_run((const char *[]){"build/snifence", "run", "--allow", "one.test", "--allow", "*.two.test",
					 "--fail-if-blocked", "--", lab_self(), "say", "one.test", "a.two.test", NULL});
	assert_int_equal(program->status, 0);
	program = lab_run((const char *[]){"build/snifence", "run", "--allow", "one.test", "--quiet", "--notify",
					   "stderr", "--", lab_self(), "say", "three.test", NULL});
	assert_string_equal(program->err, "snifence: refused three.test (notice_test, name_not_allowed); to allow it: "
					  "--allow three.test\n");
	program = lab_run((const char *[]){"build/snifence", "run", "--allow", "one.test", "--notify", "off", "--",
					   lab_self(), "say", "three.test", NULL});
	assert_non_null(strstr(program->err,
			       "To allow what of it is wanted, give hosts to --allow, or write a policy:\n"
			       "  tls:\n    allow:\n      - three.test\n"));
	file = lab_write("policy.yaml", policy);
	program = lab_run((const char *[]){"build/snifence", "run", "--allow", "allowed.lab.test", "--allow",
					   "three.test", "--fail-if-blocked", file, "--", lab_self(), "say",
					   "three.test", "allowed.lab.test", NULL});
	assert_int_equal(program->status, 0);
	program = lab_run((const char *[]){"build/snifence", "run", "--allow", "https://x.test/", "--", "true", NULL});
	assert_int_equal(program->status, 2);
	assert_string_equal(program->err,
			    "--allow: error: `https://x.test/` is a URL: write its host alone, `x.test`\n");
	program = lab_run((const char *[]){"build/snifence", "run", "--allow", "db.test:5432", "--", "true", NULL});
	assert_int_equal(program->status, 2);
	assert_string_equal(program->err, "--allow: error: `db.test:5432` has a port: write {host: \"db.test\", ports: "
					  "[5432]} in a policy's file\n");
	program = lab_run((const char *[]){"build/snifence", "run", "--", "true", NULL});
	assert_int_equal(program->status, 2);
	assert_string_equal(program->err, "snifence: run: the policy is missing; `snifence run --help` shows how\n");
}

/* Skips the test where the machine does not have the file: an emulated one has not all of it. */
static void needs_file(const char *file) {
	if (access(file, F_OK) == 0)
		return;
	print_message("skipped: %s is not there\n", file);
	skip();
}

static void test_from_pipe(void **state) {
	char script[2048];

	(void)state;
	begin();
	needs_file("/dev/fd/0");
	lab_write("policy.yaml", policy);
	snprintf(script, sizeof(script),
		 "cat %s/policy.yaml | build/snifence run --fail-if-blocked - -- %s say allowed.lab.test && "
		 "build/snifence run --fail-if-blocked <(cat %s/policy.yaml) -- %s say allowed.lab.test",
		 lab_folder(), lab_self(), lab_folder(), lab_self());
	assert_int_equal(lab_run((const char *[]){"bash", "-c", script, NULL})->status, 0);
}

/* As `make install` lays them out, below the lab's folder. */
#define INSTALL                                                                                                        \
	"set -e; mkdir -p %1$s/p/bin %1$s/p/share/snifence/policy/examples; cp build/snifence %1$s/p/bin; "            \
	"cp policy/default.yaml %1$s/p/share/snifence/policy; "                                                        \
	"cp policy/policy.schema.json %1$s/p/share/snifence/policy; "                                                  \
	"cp policy/examples/*.yaml %1$s/p/share/snifence/policy/examples; cd %1$s; "

/* Here, in the caller's home, and what was installed beside the program. */
static void test_by_name(void **state) {
	struct lab_program *program;
	char script[4096];

	(void)state;
	begin();
	needs_file("policy/default.yaml");
	snprintf(
		script, sizeof(script),
		INSTALL
		"mkdir -p home/.config/snifence; "
		"printf 'version: 1\\n' >%1$s/home/.config/snifence/mine.yaml; printf 'version: 1\\n' >%1$s/here.yaml; "
		"export HOME=%1$s/home; for name in here mine default ai-agent; do "
		"p/bin/snifence run $name -- sh -c 'echo $SNIFENCE_POLICY'; done; p/bin/snifence run ai-agnt -- true",
		lab_folder());
	program = lab_run((const char *[]){"bash", "-c", script, NULL});
	snprintf(script, sizeof(script),
		 "%1$s/here.yaml\n%1$s/home/.config/snifence/mine.yaml\n%1$s/p/share/snifence/policy/default.yaml\n"
		 "%1$s/p/share/snifence/policy/examples/ai-agent.yaml\n",
		 lab_folder());
	assert_string_equal(program->out, script);
	assert_int_equal(program->status, 2);
	assert_non_null(strstr(program->err, "; did you mean ai-agent?\n"));
}

/* Asks nothing, writes over nothing, and what it writes is good. */
static void test_init(void **state) {
	struct lab_program *program;
	char script[4096];

	(void)state;
	begin();
	needs_file("policy/default.yaml");
	snprintf(script, sizeof(script),
		 INSTALL "p/bin/snifence init ai-agent; p/bin/snifence check policy.yaml >/dev/null; "
			 "test -f \"$(sed -n '1s/^# yaml-language-server: .schema=//p' policy.yaml)\"; "
			 "tail -n +2 p/share/snifence/policy/examples/ai-agent.yaml >preset; "
			 "tail -n +2 policy.yaml | cmp - preset; "
			 "p/bin/snifence init -o - | tail -n +2 | grep -q 'A first policy'; "
			 "p/bin/snifence init || echo $?; p/bin/snifence init nodeci || echo $?; "
			 "p/bin/snifence init nothing-like-it || echo $?",
		 lab_folder());
	program = lab_run((const char *[]){"bash", "-c", script, NULL});
	assert_string_equal(program->out, "125\n2\n2\n");
	assert_non_null(strstr(program->err, "wrote policy.yaml, a copy of the policy ai-agent; next: snifence check "
					     "policy.yaml\nsnifence: init: policy.yaml is there already, and stays as "
					     "it is: name another file with -o\n"));
	assert_non_null(strstr(program->err, "; did you mean node-ci?\n"));
	assert_non_null(strstr(program->err,
			       "/p/share/snifence/policy; there are default, ai-agent, debian-apt, node-ci, "
			       "payment-service, python-ci\n"));
}

/* ---- sudo ---------------------------------------------------------------------------------------------------------- */

/* A shell whose name is sudo stands for it: it is called with the caller's variables, and gives others. */
static struct lab_program *by_sudo(const char *options, const char *command) {
	char script[4096];

	snprintf(
		script, sizeof(script),
		"mkdir -p %1$s/mine; cp /bin/bash %1$s/sudo; printf '#!/bin/sh\necho mine $FLAVOUR\n' >%1$s/mine/true; "
		"cp %1$s/mine/true %1$s/mine/only-mine; chmod +x %1$s/mine/*; "
		"FLAVOUR=salt PATH=%1$s/mine:$PATH %1$s/sudo -c 'unset FLAVOUR; PATH=/usr/bin:/bin SUDO_UID=65534 "
		"SUDO_GID=65534 build/snifence run %2$s --allow a.test -- %3$s; exit $?'",
		lab_folder(), options, command);
	return lab_run((const char *[]){"bash", "-c", script, NULL});
}

static void test_sudo(void **state) {
	struct lab_program *program;
	char expected[512];

	(void)state;
	begin();
	program = by_sudo("", "true");
	snprintf(expected, sizeof(expected),
		 "snifence: by your PATH true is %s/mine/true, by sudo's it is /usr/bin/true: --env PATH takes yours\n",
		 lab_folder());
	assert_string_equal(program->err, expected);
	assert_string_equal(program->out, "");
	program = by_sudo("", "only-mine");
	assert_int_equal(program->status, 127);
	snprintf(expected, sizeof(expected),
		 "snifence: by your PATH only-mine is %s/mine/only-mine, by sudo's it is not found: --env PATH takes "
		 "yours\nsnifence: only-mine: command not found\n",
		 lab_folder());
	assert_string_equal(program->err, expected);
	program = by_sudo("--env PATH", "only-mine");
	assert_string_equal(program->err, "");
	assert_string_equal(program->out, "mine\n");
	assert_string_equal(by_sudo("--env PATH --env FLAVOUR --env NOT_SET", "true")->out, "mine salt\n");
	assert_string_equal(by_sudo("--env PATH --env FLAVOUR=sweet", "true")->out, "mine sweet\n");
	assert_string_equal(by_sudo("", "cat")->err, "");
	assert_int_equal(by_sudo("--env =x", "true")->status, 2);
}

/* ---- README ------------------------------------------------------------------------------------------------------ */

/* Has curl ask a site of the internet, which is in the lab here, under README's policy. Returns what is said of it,
 * without folders. */
static char *said_of(const char *host) {
	static const char text[] = "version: 1\ntls:\n  allow:\n    - api.github.com\n    - \"*.pypi.org\"\n";
	char folder[256], resolved[128], url[128], *said, *path;

	snprintf(folder, sizeof(folder), "%s/", lab_folder());
	snprintf(resolved, sizeof(resolved), "%s:443:192.0.2.1", host);
	snprintf(url, sizeof(url), "https://%s/", host);
	said = lab_snifence(text, NULL,
			    (const char *[]){"curl", "-sSk", "-o", "/dev/null", "--resolve", resolved, url, NULL})
		       ->err;
	while ((path = strstr(said, folder)))
		memmove(path, path + strlen(folder), strlen(path + strlen(folder)) + 1);
	return said;
}

static void test_readme(void **state) {
	const char *readme;
	char *said, *end;

	(void)state;
	begin();
	readme = lab_read("README.md");
	assert_non_null(
		strstr(readme, "version: 1\ntls:\n  allow:\n    - api.github.com\n    - \"*.pypi.org\"\n```\n"));
	said = said_of("api.github.com");
	assert_non_null(strstr(said, "1 allowed"));
	assert_non_null(strstr(readme, said));
	said = said_of("www.example.com");
	end = strstr(said, "snifence: 0 allowed, 1 refused\n");
	assert_non_null(end);
	assert_non_null(strstr(readme, end));
	said[strcspn(said, "\n") + 1] = '\0'; /* what curl says between them is of its version */
	assert_non_null(strstr(said, "snifence: refused "));
	assert_non_null(strstr(readme, said));
}

int main(int argc, char **argv) {
	const struct CMUnitTest tests[] = {
		lab_test(test_notice),
		lab_test(test_readme),
		lab_test(test_address_of_no_name),
		lab_test(test_off_and_quiet),
		cmocka_unit_test_teardown(test_resolver_that_has_come, leave_resolv_conf),
		lab_test(test_to_file),
		lab_test(test_many_names),
		lab_test(test_full_screen),
		lab_test(test_system_calls),
		lab_test(test_system_calls_of_abandoned),
		lab_test(test_system_calls_cannot_be_answered),
		lab_test(test_variables),
		lab_test(test_variables_of_user),
		lab_test(test_left_behind),
		lab_test(test_nothing_to_say),
		lab_test(test_summary),
		lab_test(test_fail_if_blocked),
		lab_test(test_ci),
		lab_test(test_allow),
		lab_test(test_from_pipe),
		lab_test(test_by_name),
		lab_test(test_init),
		lab_test(test_sudo),
	};

	if (argc > 1 && strcmp(argv[1], "call") == 0)
		return call();
	if (argc > 1 && strcmp(argv[1], "say") == 0)
		return be_command(argv + 2);
	return cmocka_run_group_tests_name("notice", tests, NULL, NULL);
}
