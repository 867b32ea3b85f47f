/* SPDX-License-Identifier: BSD-2-Clause */
/* `snifence run` as a person uses it: refusals that come at once, exit codes, messages, the log, the summary. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <json-c/json.h>

#include "../support/hello_maker.h"
#include "../support/lab.h"
#include "cgroup/cgroup_place.h"

static const char policy[] = "version: 1\n"
			     "tls:\n"
			     "  to: [192.0.2.0/24, \"2001:db8::/64\"]\n"
			     "  allow: [allowed.lab.test]\n"
			     "dns: {servers: none}\n";

static const char *const addresses[] = {"192.0.2.1", "2001:db8::1"};

/* ---- this program as the confined command: prints `errno milliseconds` of what it was asked to do ------------- */

static int tell(int error, double started) {
	printf("%d %.3f\n", error, lab_now_ms() - started);
	return 0;
}

/* From the first byte sent until the connection fails, or answers. */
static int say_hello(const char *address, const char *name) {
	static struct bytes stream;
	int fd = lab_dial(address, 443);
	double started;
	char byte;

	if (fd < 0)
		return tell(-fd, lab_now_ms());
	hello_make(&stream, &(struct hello){.name = *name ? name : NULL});
	started = lab_now_ms();
	if (lab_send(fd, stream.data, stream.length) || recv(fd, &byte, 1, 0) < 0)
		return tell(errno, started);
	return tell(0, started);
}

/* A client of PostgreSQL: asks, waits for the answer (here: the same again), and begins with TLS. */
static int ask_for_tls(const char *question, const char *name) {
	static const char questions[][9] = {"\0\0\0\x08\x04\xd2\x16\x2f", "\0\0\0\x08\x04\xd2\x16\x30"};
	static struct bytes stream;
	int fd = lab_dial("192.0.2.1", 5432);
	double started = lab_now_ms();
	char answer[8], byte;

	if (fd < 0)
		return tell(-fd, started);
	if (lab_send(fd, questions[*question == 'g'], 8) || recv(fd, answer, 8, MSG_WAITALL) < 8)
		return tell(errno, started);
	hello_make(&stream, &(struct hello){.name = name});
	if (lab_send(fd, stream.data, stream.length) || recv(fd, &byte, 1, 0) < 0)
		return tell(errno, started);
	return tell(0, started);
}

static int dial(const char *address) {
	double started = lab_now_ms();
	int fd = lab_dial(address, 443);

	return tell(fd < 0 ? -fd : 0, started);
}

/* One datagram, by sendto() or over a connected socket. */
static int send_datagram(const char *address, bool connected) {
	struct sockaddr_storage where;
	socklen_t length = lab_address(address, 443, &where);
	int fd = socket(where.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	double started = lab_now_ms();

	if (connected && connect(fd, (struct sockaddr *)&where, length))
		return 1;
	if (sendto(fd, "x", 1, 0, connected ? NULL : (struct sockaddr *)&where, connected ? 0 : length) < 0)
		return tell(errno, started);
	return tell(0, started);
}

static int be_command(int argc, char **argv) {
	if (argc == 4 && strcmp(argv[1], "hello") == 0)
		return say_hello(argv[2], argv[3]);
	if (argc == 4 && strcmp(argv[1], "postgres") == 0)
		return ask_for_tls(argv[2], argv[3]);
	if (argc == 3 && strcmp(argv[1], "dial") == 0)
		return dial(argv[2]);
	if (argc == 3 && strcmp(argv[1], "udp") == 0)
		return send_datagram(argv[2], false);
	if (argc == 3 && strcmp(argv[1], "udp-connected") == 0)
		return send_datagram(argv[2], true);
	return 1;
}

struct told {
	int error;
	double ms;
};

static struct lab_program *run_self(struct told *told, const char *what, const char *address, const char *name) {
	struct lab_program *run = lab_snifence(policy, NULL, (const char *[]){lab_self(), what, address, name, NULL});

	if (run->status || sscanf(run->out, "%d %lf", &told->error, &told->ms) != 2)
		fail_msg("%s %s: status %d, %s%s", what, address, run->status, run->out, run->err);
	return run;
}

/* ---- refusals that come at once ---------------------------------------------------------------------------------- */

static void fails_fast(const char *name, enum snif_reason reason) {
	struct told told;

	lab_enter();
	for (size_t i = 0; i < 2; i++) {
		struct lab_server *server = lab_server(LAB_TLS, addresses[i], 443);

		lab_log_one(run_self(&told, "hello", addresses[i], name), reason);
		assert_int_equal(told.error, ECONNABORTED);
		if (told.ms >= 100 * lab_slowness())
			fail_msg("it took %.3f ms to fail", told.ms);
		assert_int_equal(lab_wait(server, 0, LAB_CLOSED).received, 0);
	}
}

static void test_forbidden_name(void **state) {
	(void)state;
	fails_fast("forbidden.lab.test", SNIF_REASON_NAME_NOT_ALLOWED);
}

static void test_no_name(void **state) {
	(void)state;
	fails_fast("", SNIF_REASON_SNI_MISSING);
}

/* connect() itself says EPERM, and nobody is spoken to. */
static void test_address(void **state) {
	static const char *const elsewhere[] = {"198.51.100.1", "2001:db8:ffff::1", "::ffff:198.51.100.1"};
	struct lab_server *server;
	struct told told;

	(void)state;
	lab_enter();
	server = lab_server(LAB_SINK, "198.51.100.1", 443);
	for (size_t i = 0; i < 3; i++) {
		lab_log_one(run_self(&told, "dial", elsewhere[i], NULL), SNIF_REASON_ADDRESS_NOT_ALLOWED);
		assert_int_equal(told.error, EPERM);
		assert_true(told.ms < 100 * lab_slowness());
	}
	assert_int_equal(lab_count(server), 0);
}

/* Every name but those on a list; what sends no name is refused as before. */
static void test_any(void **state) {
	static const char deny_list[] = "version: 1\n"
					"tls: {allow: [any, allowed.lab.test], deny: [forbidden.lab.test, .bad.test]}\n"
					"dns: {servers: none}\n";
	static const struct {
		const char *name;
		enum snif_reason reason;
	} cases[] = {{"whatever.lab.test", SNIF_REASON_NAME_ALLOWED}, {"single", SNIF_REASON_NAME_ALLOWED},
		     {"allowed.lab.test", SNIF_REASON_NAME_ALLOWED},  {"forbidden.lab.test", SNIF_REASON_NAME_DENIED},
		     {"a.b.bad.test", SNIF_REASON_NAME_DENIED},	      {"", SNIF_REASON_SNI_MISSING}};

	(void)state;
	lab_enter();
	lab_server(LAB_TLS, addresses[0], 443);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		lab_log_one(lab_snifence(deny_list, (const char *[]){"--log-allowed", NULL},
					 (const char *[]){lab_self(), "hello", addresses[0], cases[i].name, NULL}),
			    cases[i].reason);
}

/* Behind PostgreSQL's question the name decides as ever; no other question may come first. */
static void test_postgres(void **state) {
	static const char database[] = "version: 1\n"
				       "tls: {allow: [{host: allowed.lab.test, ports: [5432], starts: postgres}]}\n"
				       "dns: {servers: none}\n";
	static const struct {
		const char *question, *name;
		enum snif_reason reason;
		size_t received; /* at least, or nothing but this */
	} cases[] = {{"tls", "allowed.lab.test", SNIF_REASON_NAME_ALLOWED, 100},
		     {"tls", "forbidden.lab.test", SNIF_REASON_NAME_NOT_ALLOWED, 8},
		     {"gss", "allowed.lab.test", SNIF_REASON_NOT_TLS, 0}};
	struct lab_server *server;

	(void)state;
	lab_enter();
	server = lab_server(LAB_ECHO, "192.0.2.1", 5432);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t received;

		lab_log_one(
			lab_snifence(database, (const char *[]){"--log-allowed", NULL},
				     (const char *[]){lab_self(), "postgres", cases[i].question, cases[i].name, NULL}),
			cases[i].reason);
		received = lab_wait(server, i, LAB_CLOSED).received;
		if (cases[i].received > 8 ? received < cases[i].received : received != cases[i].received)
			fail_msg("%s: the server has received %zu bytes", cases[i].name, received);
	}
}

/* QUIC, which clients then give up for TCP. */
static void test_datagrams(void **state) {
	struct told told;

	(void)state;
	lab_enter();
	for (size_t i = 0; i < 2; i++) {
		struct lab_server *server = lab_server(LAB_UDP, addresses[i], 443);

		lab_log_one(run_self(&told, "udp", addresses[i], NULL), SNIF_REASON_PORT_NOT_ALLOWED);
		assert_int_equal(told.error, EPERM);
		lab_log_one(run_self(&told, "udp-connected", addresses[i], NULL), SNIF_REASON_PORT_NOT_ALLOWED);
		assert_int_equal(told.error, EPERM);
		assert_int_equal(lab_seen(server, 0).received, 0);
	}
}

/* ---- exit codes -------------------------------------------------------------------------------------------------- */

static void test_exit_status(void **state) {
	static const struct {
		const char *script;
		int status;
	} cases[] = {{"exit 0", 0},	     {"exit 7", 7},	     {"exit 255", 255},
		     {"kill -TERM $$", 143}, {"kill -KILL $$", 137}, {"kill -ABRT $$", 134}};

	(void)state;
	lab_enter();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(
			lab_snifence(policy, NULL, (const char *[]){"sh", "-c", cases[i].script, NULL})->status,
			cases[i].status);
}

static void test_command_cannot_run(void **state) {
	(void)state;
	lab_enter();
	assert_int_equal(lab_snifence(policy, NULL, (const char *[]){"no-such-command.test", NULL})->status, 127);
	assert_int_equal(lab_snifence(policy, NULL, (const char *[]){"/nowhere/at/all", NULL})->status, 127);
	assert_int_equal(lab_snifence(policy, NULL, (const char *[]){"/etc/hosts", NULL})->status, 126);
}

/* The kernel says the same of it as of a command that is not there. */
static void test_interpreter_is_missing(void **state) {
	char *script, expected[512], path[4096], *before;
	struct lab_program *run;

	(void)state;
	lab_enter();
	script = strdup(lab_write("script-without", "#!/no/such/interpreter\n"));
	assert_int_equal(chmod(script, 0755), 0);
	snprintf(expected, sizeof(expected),
		 "snifence: cannot execute %s: it is there, but its interpreter is not: that of its #! line, or the "
		 "loader of a program\n",
		 script);
	run = lab_snifence(policy, NULL, (const char *[]){script, NULL});
	assert_string_equal(run->err, expected);
	assert_int_equal(run->status, 126);
	before = strdup(getenv("PATH"));
	snprintf(path, sizeof(path), "%s:%s", lab_folder(), before);
	setenv("PATH", path, 1);
	assert_int_equal(lab_snifence(policy, NULL, (const char *[]){"script-without", NULL})->status, 126);
	assert_int_equal(lab_snifence(policy, NULL, (const char *[]){"script-within", NULL})->status, 127);
	run = lab_snifence(policy, NULL, (const char *[]){"", NULL});
	assert_string_equal(run->err, "snifence: : command not found\n");
	assert_int_equal(run->status, 127);
	setenv("PATH", before, 1);
	free(before);
	free(script);
}

/* Whether a cgroup of this name has been made in the folder that `fd` watches. */
static bool was_made(int fd, const char *name) {
	char buffer[8192] __attribute__((aligned(8)));
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	bool made = false;
	ssize_t length;

	while (poll(&ready, 1, 0) == 1 && (length = read(fd, buffer, sizeof(buffer))) > 0)
		for (char *at = buffer; at < buffer + length;
		     at += sizeof(struct inotify_event) + ((struct inotify_event *)at)->len)
			made |= strcmp(((struct inotify_event *)at)->name, name) == 0;
	return made;
}

static int watch_cgroups(void) {
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	struct cgroup_place place;
	char path[64];

	assert_int_equal(cgroup_place_own(&place), 0);
	assert_int_equal(cgroup_place_rise(&place), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", place.fd);
	assert_true(inotify_add_watch(fd, path, IN_CREATE) >= 0);
	close(place.fd);
	free(place.path);
	return fd;
}

/* Whether snifence, run with this policy, makes a cgroup. */
static bool makes_cgroup(const char *text, struct lab_program **out) {
	struct lab_program *program;
	int watch = watch_cgroups();
	char name[32];
	bool made;

	program = lab_start_snifence(text, NULL, (const char *[]){"echo", "started", NULL});
	snprintf(name, sizeof(name), "snifence-%d", program->pid);
	*out = lab_finish(program, 10000 * lab_slowness());
	made = was_made(watch, name);
	close(watch);
	return made;
}

static void test_five_errors(void **state) {
	static const char wrong[] = "version: 2\n"
				    "mode: maybe\n"
				    "tls:\n"
				    "  ports: [443, 70000]\n"
				    "  allow:\n"
				    "    - a.*.test\n"
				    "direct:\n"
				    "  allow: [{to: 192.0.2.256}]\n";
	static const char *const places[] = {"1:10", "2:7", "4:16", "6:7", "8:16"};
	struct lab_program *run;
	size_t errors = 0;

	(void)state;
	lab_enter();
	assert_false(makes_cgroup(wrong, &run));
	assert_int_equal(run->status, 2);
	assert_string_equal(run->out, "");
	for (const char *at = run->err; (at = strstr(at, ": error: ")); at++)
		errors++;
	assert_int_equal(errors, 5);
	for (size_t i = 0; i < 5; i++) {
		char expected[64];

		snprintf(expected, sizeof(expected), "/policy.yaml:%s: error: ", places[i]);
		if (!strstr(run->err, expected))
			fail_msg("nothing at %s: %s", places[i], run->err);
	}
	/* the watch does see those that are made */
	assert_true(makes_cgroup(policy, &run));
	assert_int_equal(run->status, 0);
}

static void test_usage(void **state) {
	(void)state;
	lab_enter();
	assert_int_equal(lab_run((const char *[]){"build/snifence", "run", NULL})->status, 2);
	assert_int_equal(lab_run((const char *[]){"build/snifence", "run", "policy.yaml", "true", NULL})->status, 2);
	assert_int_equal(lab_run((const char *[]){"build/snifence", "run", "--nonsense", NULL})->status, 2);
}

/* Whatever it prints, and cannot. */
static void test_full_output(void **state) {
	static const char *const words[][2] = {
		{"version", "cannot write to standard output"},
		{"help", "cannot write to standard output"},
		{"--help", "cannot write to standard output"},
		{"run --help", "cannot write to standard output"},
		{"check -h", "cannot write to standard output"},
		{"check $0", "cannot write to standard output"},
		{"check --json $0", "check: cannot print"},
		{"check --host allowed.lab.test $0", "cannot write to standard output"},
		{"check --host allowed.lab.test --json $0", "check: cannot print"},
	};
	const char *file;

	(void)state;
	lab_enter();
	file = lab_write("policy.yaml", policy);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		char command[128], expected[128];
		struct lab_program *run;

		snprintf(command, sizeof(command), "build/snifence %s >/dev/full", words[i][0]);
		snprintf(expected, sizeof(expected), "snifence: %s: No space left on device\n", words[i][1]);
		run = lab_run((const char *[]){"sh", "-c", command, file, NULL});
		assert_string_equal(run->err, expected);
		assert_int_equal(run->status, 125);
	}
}

static void test_not_root(void **state) {
	static const char message[] =
		"snifence: run needs root, to load BPF programs and make a cgroup: try 'sudo snifence run ...'\n";
	const char *file, *copy;
	struct lab_program *run;

	(void)state;
	lab_enter();
	file = lab_write("policy.yaml", policy);
	/* where everybody can execute it */
	copy = lab_write("snifence", "");
	assert_int_equal(lab_run((const char *[]){"cp", "build/snifence", copy, NULL})->status, 0);
	assert_int_equal(chmod(copy, 0755), 0);
	run = lab_run((const char *[]){"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", copy, "run", file,
				       "--", "true", NULL});
	assert_int_equal(run->status, 125);
	assert_string_equal(run->err, message);
}

/* ---- what it says ------------------------------------------------------------------------------------------------ */

static struct lab_program *dial_elsewhere(const char *const options[]) {
	return lab_snifence(policy, options, (const char *[]){lab_self(), "dial", "198.51.100.1", NULL});
}

static void test_summary(void **state) {
	struct lab_program *run;

	(void)state;
	lab_enter();
	run = dial_elsewhere(NULL);
	assert_non_null(strstr(run->err, "snifence: 0 allowed, 1 refused\n"));
	assert_non_null(strstr(run->err, "198.51.100.1:443"));
	assert_non_null(strstr(run->err, "address_not_allowed"));
	run = dial_elsewhere((const char *[]){"--quiet", NULL});
	assert_string_equal(run->err, "");
	lab_log_one(run, SNIF_REASON_ADDRESS_NOT_ALLOWED);
}

/* The last --log counts: lines of JSON on stderr, and with --quiet nothing else. */
static void test_log_to_stderr(void **state) {
	struct lab_program *run;
	char *rest, *line;
	size_t lines = 0;

	(void)state;
	lab_enter();
	run = dial_elsewhere((const char *[]){"--quiet", "--log", "-", NULL});
	for (rest = run->err; (line = strsep(&rest, "\n")) && *line; lines++) {
		struct json_object *object = json_tokener_parse(line);

		assert_true(json_object_is_type(object, json_type_object));
		json_object_put(object);
	}
	assert_int_equal(lines, 2); /* the event and the statistics */
}

/* What the caller has open under a name in /dev is no link of somebody else's. */
static void test_log_to_open_file(void **state) {
	static const char *const names[] = {"/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"};

	(void)state;
	lab_enter();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct lab_program *run = dial_elsewhere((const char *[]){"--quiet", "--log", names[i], NULL});

		assert_string_equal(run->err, "");
		assert_non_null(strstr(run->out, "\"reason\":\"address_not_allowed\""));
		assert_non_null(strstr(run->out, "\"event_type\":\"stats\""));
	}
}

static void test_log_refused(void **state) {
	const char *fifo = lab_write("fifo", ""), *link = lab_write("link", "");
	const char *other = lab_write("other.yaml", "version: 1\n");
	char fifo_told[256], link_told[256], other_told[256];
	const char *const cases[][2] = {
		{fifo, fifo_told},
		{link, link_told},
		{other, other_told},
		{"/dev/fd/99", "snifence: cannot open the log /dev/fd/99: there is no such open file\n"},
		{"/dev/fd/0", "snifence: cannot open the log /dev/fd/0: it is not open for writing\n"},
	};

	(void)state;
	lab_enter();
	unlink(fifo);
	unlink(link);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(symlink("/dev/null", link), 0);
	snprintf(fifo_told, sizeof(fifo_told),
		 "snifence: cannot open the log %s: it is a pipe that nobody reads from, whose reader has to "
		 "be started first, or a socket\n",
		 fifo);
	snprintf(link_told, sizeof(link_told),
		 "snifence: cannot open the log %s: it is a symbolic link; name the file itself\n", link);
	snprintf(other_told, sizeof(other_told),
		 "snifence: cannot open the log %s: it holds something else than events; name another file\n", other);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lab_program *run = lab_snifence(policy, (const char *[]){"--log", cases[i][0], NULL},
						       (const char *[]){"true", NULL});

		assert_int_equal(run->status, 125);
		assert_string_equal(run->err, cases[i][1]);
	}
}

static void log_as(const char *uid, const char *gid, const char *log) {
	struct lab_program *run;

	if (uid) {
		setenv("SUDO_UID", uid, 1);
		setenv("SUDO_GID", gid, 1);
	}
	run = lab_snifence(policy, (const char *[]){"--user", "root", "--log", log, NULL},
			   (const char *[]){"true", NULL});
	unsetenv("SUDO_UID");
	unsetenv("SUDO_GID");
	assert_string_equal(run->err, "");
	assert_int_equal(run->status, 0);
}

static void expect_owner(const char *file, gid_t group, mode_t mode) {
	struct stat status;

	assert_int_equal(stat(file, &status), 0);
	assert_int_equal(status.st_uid, 0);
	assert_int_equal(status.st_gid, group);
	assert_int_equal(status.st_mode, S_IFREG | mode);
}

/* Who called sudo can read a new log, but neither he nor the command can change it. Other files stay as they are. */
static void test_log_of_caller(void **state) {
	const char *log;

	(void)state;
	lab_enter();
	log = lab_write("log", "");
	unlink(log);
	log_as(NULL, NULL, log);
	expect_owner(log, 0, 0600);
	log_as("65533", "65534", log);
	expect_owner(log, 0, 0600);
	unlink(log);
	log_as("65533", "65534", log);
	expect_owner(log, 65534, 0640);
}

/* Without --log-allowed only what was refused. */
static void test_log_blocked_only(void **state) {
	struct lab_program *run;
	struct told told;

	(void)state;
	lab_enter();
	lab_server(LAB_TLS, addresses[0], 443);
	run = run_self(&told, "hello", addresses[0], "allowed.lab.test");
	assert_int_equal(told.error, 0);
	assert_int_equal(json_object_array_length(lab_log(run)), 0);
	assert_non_null(strstr(run->err, "snifence: 1 allowed, 0 refused\n"));
}

int main(int argc, char **argv) {
	const struct CMUnitTest tests[] = {
		lab_test(test_forbidden_name),
		lab_test(test_no_name),
		lab_test(test_address),
		lab_test(test_any),
		lab_test(test_postgres),
		lab_test(test_datagrams),
		lab_test(test_exit_status),
		lab_test(test_command_cannot_run),
		lab_test(test_interpreter_is_missing),
		lab_test(test_five_errors),
		lab_test(test_usage),
		lab_test(test_full_output),
		lab_test(test_not_root),
		lab_test(test_summary),
		lab_test(test_log_to_stderr),
		lab_test(test_log_blocked_only),
		lab_test(test_log_to_open_file),
		lab_test(test_log_refused),
		lab_test(test_log_of_caller),
	};

	if (argc > 1)
		return be_command(argc, argv);
	return cmocka_run_group_tests_name("run", tests, NULL, NULL);
}
