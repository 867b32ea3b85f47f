/* SPDX-License-Identifier: BSD-2-Clause */
/* monitor ──► events, connections that fail at once, metrics, policies that follow their files. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "../support/hello_maker.h"
#include "../support/lab_parts.h"
#include "../support/resident.h"

#define METRICS "127.0.0.1:9774"

enum { SLOW_CLIENTS = 40 };

static const char *log_file, *metrics_file, *policy;
static struct lab_program *monitor;

static void launch_monitor(void) {
	monitor = lab_start((const char *const[]){"build/snifence", "monitor", "--output", log_file, "--metrics",
						  METRICS, "--metrics-file", metrics_file, NULL});
}

static void await_monitor(void) {
	if (!lab_await_file(metrics_file, LAB_PATIENCE_MS))
		fail_msg("the monitor is not ready: %s", lab_read(monitor->output[1]));
}

static void start_monitor(void) {
	launch_monitor();
	await_monitor();
}

static void end_monitor(int signal) {
	kill(monitor->pid, signal);
	lab_finish(monitor, LAB_PATIENCE_MS);
	assert_int_equal(monitor->status, signal == SIGKILL ? 128 + SIGKILL : 0);
}

static void begin(const char *text) {
	resident_begin();
	lab_server(LAB_TLS, "192.0.2.1", 443);
	policy = lab_write("followed.yaml", text);
	log_file = lab_write("events.json", "");
	metrics_file = lab_write("metrics.prom", "");
	unlink(metrics_file);
	resident_says(0, "attach", policy, "--cgroup", resident_cgroup()->path);
	start_monitor();
}

/* A ClientHello, whose connection the filter refuses. Returns the error it fails with, or 0. */
static int be_refused(void *name) {
	static struct bytes hello;
	int fd = lab_dial("192.0.2.1", 443), error = 0;
	socklen_t size = sizeof(error);

	if (fd < 0)
		return -fd & 0x7f;
	hello_make(&hello, &(struct hello){.name = name});
	lab_send(fd, hello.data, hello.length);
	lab_readable(fd, LAB_PATIENCE_MS);
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	lab_reset(fd);
	return error & 0x7f;
}

static int say(const char *name) {
	return resident_inside(resident_cgroup(), be_refused, (void *)name);
}

/* Waits until the log has such a piece; returns its line. */
static char *await_line(const char *piece) {
	for (double end_ms = lab_now_ms() + LAB_PATIENCE_MS; lab_now_ms() < end_ms; lab_sleep_ms(20)) {
		char *text = lab_read(log_file), *at = strstr(text, piece);

		if (!at)
			continue;
		while (at > text && at[-1] != '\n')
			at--;
		at[strcspn(at, "\n")] = '\0';
		return at;
	}
	fail_msg("the log never had %s: %s%s", piece, lab_read(log_file), lab_read(monitor->output[1]));
	return NULL;
}

static void test_events(void **state) {
	char *line;
	double began;

	(void)state;
	begin(RESIDENT_ALLOW("kept.lab.test"));
	began = lab_now_ms();
	assert_int_equal(say("other.lab.test"), ECONNABORTED);
	assert_true(lab_now_ms() - began < 1000 * lab_slowness());
	line = await_line("other.lab.test");
	assert_non_null(strstr(line, "\"reason\":\"name_not_allowed\""));
	assert_non_null(strstr(line, "\"policy\":\"followed\""));
	assert_non_null(strstr(line, resident_cgroup()->path));
	assert_int_equal(say("kept.lab.test"), 0);
	end_monitor(SIGTERM);
}

static void put_policy(const char *text) {
	char temporary[300];
	FILE *file;

	snprintf(temporary, sizeof(temporary), "%s.new", policy);
	file = fopen(temporary, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(rename(temporary, policy), 0);
}

static bool becomes(const char *name, int wanted) {
	for (double end_ms = lab_now_ms() + LAB_PATIENCE_MS; lab_now_ms() < end_ms; lab_sleep_ms(50))
		if (say(name) == wanted)
			return true;
	return false;
}

/* The rule that an event names is that of the file as it was then, whatever stands in that line now. */
static void test_follows(void **state) {
	(void)state;
	begin("version: 1\ntls:\n  to: [192.0.2.0/24]\n  allow: [kept.lab.test]\n  deny: [first.lab.test]\n"
	      "dns: {servers: none}\n");
	assert_int_equal(say("first.lab.test"), ECONNABORTED);
	put_policy("version: 1\n\n\ntls:\n  to: [192.0.2.0/24]\n  allow: [other.lab.test]\n  deny: [second.lab.test]\n"
		   "dns: {servers: none}\n");
	assert_true(becomes("other.lab.test", 0));
	assert_int_equal(say("kept.lab.test"), ECONNABORTED);
	assert_int_equal(say("second.lab.test"), ECONNABORTED);
	assert_non_null(strstr(await_line("first.lab.test"), "followed.yaml:5\""));
	assert_non_null(strstr(await_line("second.lab.test"), "followed.yaml:7\""));
	/* what does not parse changes nothing */
	put_policy("version: 1\ntls: [\n");
	lab_sleep_ms(800);
	assert_int_equal(say("other.lab.test"), 0);
	end_monitor(SIGTERM);
}

static void put_file(const char *path, const char *text) {
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

/* Names in a file elsewhere, behind a link whose target is written, not replaced; and a set. */
static void test_follows_named_files(void **state) {
	char folder[300], names[400], set[400], link[400];

	(void)state;
	snprintf(folder, sizeof(folder), "%s/elsewhere", lab_folder());
	assert_int_equal(mkdir(folder, 0755), 0);
	snprintf(names, sizeof(names), "%s/names.txt", folder);
	snprintf(set, sizeof(set), "%s/set.txt", folder);
	snprintf(link, sizeof(link), "%s/names.txt", lab_folder());
	put_file(names, "kept.lab.test\n");
	put_file(set, "192.0.2.0/24\n");
	assert_int_equal(symlink(names, link), 0);
	begin("version: 1\nsets: {servers: {file: elsewhere/set.txt}}\n"
	      "tls: {to: [servers], allow: [{file: names.txt}]}\ndns: {servers: none}\n");
	assert_int_equal(say("kept.lab.test"), 0);
	assert_int_equal(say("other.lab.test"), ECONNABORTED);
	put_file(names, "other.lab.test\n");
	assert_true(becomes("other.lab.test", 0));
	assert_int_equal(say("kept.lab.test"), ECONNABORTED);
	put_file(set, "198.51.100.0/24\n");
	assert_true(becomes("other.lab.test", EPERM));
	end_monitor(SIGTERM);
}

/* Other policies of the instance are reloaded, and other cgroups detached: by both generations grow. */
static void test_rules_of_then(void **state) {
	struct cgroup beside = {.fd = -1};
	const char *other;

	(void)state;
	begin("version: 1\ntls:\n  to: [192.0.2.0/24]\n  allow: [kept.lab.test]\n  deny: [first.lab.test]\n"
	      "dns: {servers: none}\n");
	assert_int_equal(cgroup_create(&beside), 0);
	other = lab_write("other.yaml", RESIDENT_ALLOW("other.lab.test"));
	resident_says(0, "attach", other, "--cgroup", beside.path);
	kill(monitor->pid, SIGSTOP);
	say("first.lab.test");
	for (int i = 0; i < 5; i++)
		resident_says(0, "reload", other);
	put_policy("version: 1\n\n\ntls:\n  to: [192.0.2.0/24]\n  allow: [other.lab.test]\n  deny: [second.lab.test]\n"
		   "dns: {servers: none}\n");
	resident_says(0, "reload", policy);
	resident_says(0, "detach", "--cgroup", beside.path);
	resident_says(0, "attach", policy, "--cgroup", beside.path);
	resident_says(0, "detach", "--cgroup", beside.path);
	kill(monitor->pid, SIGCONT);
	assert_non_null(strstr(await_line("first.lab.test"), "followed.yaml:5\""));
	assert_int_equal(say("second.lab.test"), ECONNABORTED);
	assert_non_null(strstr(await_line("second.lab.test"), "followed.yaml:7\""));
	end_monitor(SIGTERM);
	cgroup_remove(&beside);
}

static void await_said(const char *piece) {
	for (double end_ms = lab_now_ms() + LAB_PATIENCE_MS * lab_slowness(); lab_now_ms() < end_ms; lab_sleep_ms(20))
		if (strstr(lab_read(monitor->output[1]), piece))
			return;
	fail_msg("monitor never said %s: %s", piece, lab_read(monitor->output[1]));
}

/* The rules are the same, and each has another number. */
static void test_follows_the_order(void **state) {
	(void)state;
	begin("version: 1\ntls:\n  to: [192.0.2.0/24]\n  allow: [kept.lab.test]\n  deny:\n"
	      "  - first.lab.test\n  - second.lab.test\ndns: {servers: none}\n");
	assert_int_equal(say("second.lab.test"), ECONNABORTED);
	assert_non_null(strstr(await_line("second.lab.test"), "followed.yaml:7\""));
	put_policy("version: 1\ntls:\n  to: [192.0.2.0/24]\n  allow: [kept.lab.test]\n  deny:\n"
		   "  - second.lab.test\n  - first.lab.test\ndns: {servers: none}\n");
	await_said("reloaded ");
	assert_int_equal(say("first.lab.test"), ECONNABORTED);
	assert_non_null(strstr(await_line("first.lab.test"), "followed.yaml:7\""));
	end_monitor(SIGTERM);
}

/* In a folder in which something changes all the time. */
static void test_follows_in_a_busy_folder(void **state) {
	(void)state;
	begin(RESIDENT_ALLOW("kept.lab.test"));
	lab_start((const char *const[]){"sh", "-c", "while :; do : >\"$0\"; sleep 0.02; done", lab_write("busy", ""),
					NULL});
	put_policy(RESIDENT_ALLOW("other.lab.test"));
	assert_true(becomes("other.lab.test", 0));
	end_monitor(SIGTERM);
}

/* What somebody else can lay on the way to a file of root's leads to no other one: not to begin with, nor later. */
static void test_led_elsewhere(void **state) {
	char folder[300], link[400], file[400], metrics[400], out[420];

	(void)state;
	begin(RESIDENT_ALLOW("kept.lab.test"));
	end_monitor(SIGTERM);
	snprintf(folder, sizeof(folder), "%s/root", lab_folder());
	assert_int_equal(mkdir(folder, 0755), 0);
	snprintf(file, sizeof(file), "%s/precious", folder);
	put_file(file, "precious\n");
	snprintf(metrics, sizeof(metrics), "%s/m.prom", folder);

	/* the folder's name */
	snprintf(link, sizeof(link), "%s/link", lab_folder());
	assert_int_equal(symlink(folder, link), 0);
	assert_int_equal(lchown(link, 65534, 65534), 0);
	snprintf(out, sizeof(out), "%s/events", link);
	resident_says(125, "monitor", "--output", out);
	snprintf(out, sizeof(out), "%s/m.prom", link);
	log_file = lab_write("led.json", "");
	monitor = lab_start(
		(const char *const[]){"build/snifence", "monitor", "--output", log_file, "--metrics-file", out, NULL});
	await_said("m.prom: a folder on the way is a symbolic link that is not root's");
	assert_int_equal(access(metrics, F_OK), -1);

	/* the file's name, once it was opened */
	assert_int_equal(unlink(log_file), 0);
	assert_int_equal(symlink(file, log_file), 0);
	kill(monitor->pid, SIGHUP);
	await_said("is written on\n");
	say("other.lab.test");
	end_monitor(SIGTERM);
	assert_string_equal(lab_read(file), "precious\n");

	/* or another name of it */
	resident_says(125, "monitor", "--output", file);
	assert_string_equal(lab_read(file), "precious\n");
}

static uint64_t sequence_of(const char *line) {
	const char *at = strstr(line, "\"sequence\":");

	assert_non_null(at);
	return strtoull(at + strlen("\"sequence\":"), NULL, 10);
}

/* A file that is rotated is left, and lines are numbered on in the next: the two are one run. */
static void test_rotated(void **state) {
	char old[256], run[64];
	uint64_t sequence;
	char *line;

	(void)state;
	begin(RESIDENT_ALLOW("kept.lab.test"));
	say("other.lab.test");
	line = await_line("other.lab.test");
	sequence = sequence_of(line);
	snprintf(run, sizeof(run), "%.*s", (int)strlen("\"run_id\":\"0123456789abcdef\""), strstr(line, "\"run_id\""));
	snprintf(old, sizeof(old), "%s.1", log_file);
	assert_int_equal(rename(log_file, old), 0);
	kill(monitor->pid, SIGHUP);
	assert_true(lab_await_file(log_file, LAB_PATIENCE_MS));
	say("next.lab.test");
	line = await_line("next.lab.test");
	assert_true(sequence_of(line) > sequence);
	assert_non_null(strstr(line, run));
	assert_null(strstr(lab_read(old), "next.lab.test"));
	end_monitor(SIGTERM);
}

/* What has changed while there was no monitor is in force once there is one. */
static void test_changed_meanwhile(void **state) {
	char folder[256], file[280];

	(void)state;
	resident_begin();
	lab_server(LAB_TLS, "192.0.2.1", 443);
	/* nothing else is written there, which would have monitor look */
	snprintf(folder, sizeof(folder), "%s/policies", lab_folder());
	assert_int_equal(mkdir(folder, 0755), 0);
	snprintf(file, sizeof(file), "%s/followed.yaml", folder);
	put_file(file, RESIDENT_ALLOW("kept.lab.test"));
	resident_says(0, "attach", file, "--cgroup", resident_cgroup()->path);
	put_file(file, RESIDENT_ALLOW("other.lab.test"));
	monitor = lab_start((const char *const[]){"build/snifence", "monitor", NULL});
	await_said("reloaded ");
	assert_int_equal(say("other.lab.test"), 0);
	assert_int_equal(say("kept.lab.test"), ECONNABORTED);
	end_monitor(SIGTERM);
}

/* Who only asks whether there is a monitor has its lock for a moment, and keeps none from starting. */
static void test_asked_meanwhile(void **state) {
	int fd;

	(void)state;
	begin(RESIDENT_ALLOW("kept.lab.test"));
	end_monitor(SIGTERM);
	unlink(metrics_file);
	fd = open("/run/snifence/monitor", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_SH | LOCK_NB), 0);
	launch_monitor();
	lab_sleep_ms(300);
	close(fd);
	await_monitor();
	end_monitor(SIGTERM);
}

static unsigned times_said(const char *piece) {
	unsigned count = 0;

	for (const char *at = lab_read(monitor->output[1]); (at = strstr(at, piece)); at++)
		count++;
	return count;
}

/* It looks twice a second, and what is wrong may stay so for days. The verification says it, too. */
static void test_error_is_told_once(void **state) {
	glob_t found;

	(void)state;
	begin(RESIDENT_ALLOW("kept.lab.test"));
	assert_int_equal(glob("/run/snifence/*/policy-1", 0, NULL, &found), 0);
	assert_int_equal(truncate(found.gl_pathv[0], 20), 0);
	globfree(&found);
	await_said("is damaged");
	lab_sleep_ms(2000);
	assert_in_range(times_said("is damaged"), 1, 2);
	end_monitor(SIGTERM);
}

static uint64_t count_blocked(void) {
	struct lab_program *curl = lab_run((const char *const[]){"curl", "-sS", "http://" METRICS "/metrics", NULL});
	const char *at = strstr(curl->out, "reason=\"name_not_allowed\"} ");

	return at ? strtoull(strchr(at, ' ') + 1, NULL, 10) : 0;
}

/* Nothing that counts is the monitor's own. */
static void test_killed(void **state) {
	(void)state;
	begin(RESIDENT_ALLOW("kept.lab.test"));
	lab_needs("curl");
	for (int i = 0; i < 5; i++)
		assert_int_equal(say("other.lab.test"), ECONNABORTED);
	assert_int_equal(count_blocked(), 5);
	end_monitor(SIGKILL);
	assert_int_not_equal(say("other.lab.test"), ECONNABORTED);
	unlink(metrics_file);
	start_monitor();
	await_line("\"sequence\":1");
	assert_int_equal(count_blocked(), 6);
	assert_int_equal(say("other.lab.test"), ECONNABORTED);
	assert_int_equal(count_blocked(), 7);
	end_monitor(SIGTERM);
}

/* ---- killed amid many ------------------------------------------------------------------------------------------ */

enum { MANY = 10000, LIVES = 12, DEATH_MS = 40 };

static pid_t turner;

/* Closes whatever connects. */
static void start_turning_away(const char *address) {
	int listener = lab_listener(-1, SOCK_STREAM, address, 443);

	assert_int_equal(fcntl(listener, F_SETFL, 0), 0);
	turner = fork();
	assert_true(turner >= 0);
	if (turner == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			close(accept(listener, NULL, NULL));
	}
	close(listener);
}

static void end_turning_away(void) {
	kill(turner, SIGKILL);
	resident_finish(turner);
	turner = 0;
}

/* The clean-up of a test that has begun it: also of one that has failed. */
static int end_with_turner(void **state) {
	if (turner > 0)
		end_turning_away();
	return resident_end(state);
}

#define turner_test(function) cmocka_unit_test_teardown(function, end_with_turner)

/* So many connections one after the other, each of which is refused for its name. Returns 0 when all were opened. */
static int be_refused_often(void *done) {
	static struct bytes hello;

	hello_make(&hello, &(struct hello){.name = "other.lab.test"});
	for (int i = 0; i < MANY; i++) {
		int fd = lab_dial("192.0.2.2", 443);

		if (fd < 0)
			return 1;
		send(fd, hello.data, hello.length, MSG_NOSIGNAL);
		lab_reset(fd);
	}
	lab_turn(done, 1);
	return 0;
}

/* Of the one policy: what was refused for its name, and the events that found no room. */
static uint64_t counted(uint64_t *lost) {
	struct json_object *status = resident_status(), *policies, *policy_object, *counters, *number;
	uint64_t refused = 0;

	assert_true(json_object_object_get_ex(status, "policies", &policies));
	policy_object = json_object_array_get_idx(policies, 0);
	assert_true(json_object_object_get_ex(policy_object, "lost", &number));
	*lost = json_object_get_uint64(number);
	assert_true(json_object_object_get_ex(policy_object, "counters", &counters));
	if (json_object_object_get_ex(counters, "name_not_allowed", &number))
		refused = json_object_get_uint64(number);
	json_object_put(status);
	return refused;
}

static uint64_t count_lines(void) {
	uint64_t count = 0;

	for (const char *at = lab_read(log_file); (at = strstr(at, "\"reason\":\"name_not_allowed\"")); at++)
		count++;
	return count;
}

/*
 * Each refusal has its line or is counted as lost, whenever the reader was killed. One that is killed behind a line,
 * before it has told the kernel that it has it, leaves it to be written once more.
 */
static void test_killed_amid_many(void **state) {
	int *done;
	uint64_t lost, lines = 0;
	pid_t client;

	(void)state;
	begin(RESIDENT_ALLOW("kept.lab.test"));
	done = lab_shared(sizeof(*done));
	start_turning_away("192.0.2.2");
	client = resident_start(resident_cgroup(), be_refused_often, done);
	for (int i = 0; i < LIVES && !__atomic_load_n(done, __ATOMIC_ACQUIRE); i++) {
		/* while it reads what has come since the last one was killed */
		end_monitor(SIGKILL);
		lab_sleep_ms(DEATH_MS * lab_slowness());
		unlink(metrics_file);
		start_monitor();
	}
	assert_int_equal(resident_finish(client), 0);
	end_turning_away();
	assert_int_equal(counted(&lost), MANY);
	for (double end = lab_now_ms() + LAB_PATIENCE_MS; lines + lost < MANY && lab_now_ms() < end; lab_sleep_ms(100))
		lines = count_lines();
	print_message("%ju lines, %ju lost\n", (uintmax_t)lines, (uintmax_t)lost);
	assert_in_range(lines + lost, MANY, MANY + LIVES);
	assert_int_equal(count_blocked(), MANY);
	end_monitor(SIGTERM);
}

/* ---- what no event tells of ------------------------------------------------------------------------------------ */

enum { HELD = 40 };

/* Fills the ring, which nobody reads, then holds connections whose refusals find no room in it. Returns how many of them
 * were not ended. */
static int be_refused_unheard(void *turn) {
	static struct bytes hello;
	int fds[HELD], left = HELD, error, done = 0;
	socklen_t size = sizeof(error);

	if (be_refused_often(&done))
		return 100;
	hello_make(&hello, &(struct hello){.name = "other.lab.test"});
	for (int i = 0; i < HELD; i++) {
		fds[i] = lab_dial("192.0.2.1", 443);
		lab_send(fds[i], hello.data, hello.length);
	}
	lab_turn(turn, 1);
	for (double end = lab_now_ms() + 2 * LAB_PATIENCE_MS * lab_slowness(); left > 0 && lab_now_ms() < end;) {
		lab_sleep_ms(50);
		for (int i = 0; i < HELD; i++)
			if (getsockopt(fds[i], SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == ECONNABORTED)
				left--;
	}
	for (int i = 0; i < HELD; i++)
		lab_reset(fds[i]);
	return left;
}

static void test_lost(void **state) {
	int *turn;
	uint64_t lost;
	pid_t client;

	(void)state;
	begin(RESIDENT_ALLOW("kept.lab.test"));
	end_monitor(SIGKILL);
	unlink(metrics_file);
	start_turning_away("192.0.2.2");
	turn = lab_shared(sizeof(*turn));
	client = resident_start(resident_cgroup(), be_refused_unheard, turn);
	for (int i = 0; i < 10 && !lab_await_turn(turn, 1); i++)
		;
	counted(&lost);
	assert_true(lost >= HELD);
	start_monitor();
	assert_int_equal(resident_finish(client), 0);
	end_turning_away();
	end_monitor(SIGTERM);
}

/* Waits until a metric has such a value. */
static void await_metric(const char *line) {
	double end = lab_now_ms() + 5 * LAB_PATIENCE_MS * lab_slowness();
	struct lab_program *curl;

	do {
		curl = lab_run((const char *const[]){"curl", "-sS", "http://" METRICS "/metrics", NULL});
		if (strstr(curl->out, line))
			return;
		lab_sleep_ms(300);
	} while (lab_now_ms() < end);
	fail_msg("the metrics never had %s: %s%s", line, curl->out, lab_read(monitor->output[1]));
}

/* What looks names up, what follows files and the verification read the policy, each again and again. */
static void test_broken_policy_is_told_once(void **state) {
	(void)state;
	begin(RESIDENT_ALLOW("kept.lab.test"));
	lab_needs("curl");
	end_monitor(SIGTERM);
	put_policy("version: 1\ntls: [\n");
	unlink(metrics_file);
	start_monitor();
	await_metric("snifence_verify_findings{kind=\"file_unreadable\"} 1\n");
	lab_write("beside.txt", "");
	lab_sleep_ms(2000);
	assert_int_equal(times_said(": error: "), 1);
	end_monitor(SIGTERM);
}

/* What `verify` finds is a metric: at the start, and with the next reload. */
static void test_verify(void **state) {
	int program;

	(void)state;
	begin(RESIDENT_ALLOW("kept.lab.test"));
	lab_needs("curl");
	await_metric("snifence_verify_findings{kind=\"program_missing\"} 0\n");
	program = resident_pin("snif_connect6");
	assert_int_equal(bpf_prog_detach2(program, resident_cgroup()->fd, BPF_CGROUP_INET6_CONNECT), 0);
	close(program);
	put_policy(RESIDENT_ALLOW("other.lab.test"));
	await_metric("snifence_verify_findings{kind=\"program_missing\"} 1\n");
	await_metric("snifence_verify_findings{kind=\"file_differs\"} 0\n");
	assert_int_equal(say("other.lab.test"), 0);
	end_monitor(SIGTERM);
}

static void expect_scraped(const char *patience) {
	struct lab_program *curl = lab_run(
		(const char *const[]){"curl", "-sS", "--max-time", patience, "http://" METRICS "/metrics", NULL});

	if (curl->status != 0 || !strstr(curl->out, "snifence_attachments{state=\"live\"} 1\n"))
		fail_msg("no metrics: %s%s", curl->out, curl->err);
}

/* Clients that never come to the end of their request, more than are served at a time, keep nobody out. */
static void test_metrics_beside_slow_clients(void **state) {
	static const char part[] = "GET /metrics HTTP/1.1\r\nHost: ";
	struct sockaddr_storage where;
	socklen_t length = lab_address("127.0.0.1", 9774, &where);
	int slow[SLOW_CLIENTS];

	(void)state;
	begin(RESIDENT_ALLOW("kept.lab.test"));
	lab_needs("curl");
	for (int i = 0; i < SLOW_CLIENTS; i++) {
		slow[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(slow[i], (struct sockaddr *)&where, length), 0);
		assert_int_equal(send(slow[i], part, sizeof(part) - 1, MSG_NOSIGNAL), sizeof(part) - 1);
	}
	/* less than idle ones are waited for */
	expect_scraped("5");
	for (int i = 0; i < SLOW_CLIENTS; i++)
		close(slow[i]);
	end_monitor(SIGTERM);
}

static void test_metrics(void **state) {
	char command[400];

	(void)state;
	begin(RESIDENT_ALLOW("kept.lab.test"));
	lab_needs("promtool");
	say("other.lab.test");
	say("kept.lab.test");
	await_metric("snifence_verify_findings{kind=\"entry_differs\"} 0\n");
	snprintf(command, sizeof(command), "curl -sS http://" METRICS "/metrics | promtool check metrics");
	assert_int_equal(lab_run((const char *const[]){"bash", "-c", command, NULL})->status, 0);
	end_monitor(SIGTERM);
}

/* ---- Prometheus ------------------------------------------------------------------------------------------------ */

#define PROMETHEUS "127.0.0.1:9775"

static void start_prometheus(void) {
	const char *configuration =
		lab_write("prometheus.yml", "global: {scrape_interval: 200ms, scrape_timeout: 200ms}\n"
					    "scrape_configs:\n- job_name: snifence\n"
					    "  static_configs: [{targets: ['" METRICS "']}]\n");
	char file[300], storage[300];

	snprintf(file, sizeof(file), "--config.file=%s", configuration);
	snprintf(storage, sizeof(storage), "--storage.tsdb.path=%s/prometheus", lab_folder());
	lab_start((const char *const[]){"prometheus", file, storage, "--web.listen-address=" PROMETHEUS,
					"--log.level=warn", NULL});
}

/* Waits until Prometheus has such an answer to a question. */
static void await_answer(const char *question, const char *answer) {
	struct lab_program *curl;
	char query[200];
	const char *said = "";

	snprintf(query, sizeof(query), "query=%s", question);
	for (double end = lab_now_ms() + 4 * LAB_PATIENCE_MS * lab_slowness(); lab_now_ms() < end; lab_sleep_ms(400)) {
		curl = lab_run((const char *const[]){"curl", "-sS", "--data-urlencode", query,
						     "http://" PROMETHEUS "/api/v1/query", NULL});
		if (strstr(curl->out, answer))
			return;
		said = curl->status ? curl->err : curl->out;
	}
	fail_msg("Prometheus never had %s for %s: %s", answer, question, said);
}

#define BLOCKED "snifence_decisions_total{policy=\"followed\",action=\"blocked\",reason=\"name_not_allowed\"}"

static void test_prometheus(void **state) {
	(void)state;
	begin(RESIDENT_ALLOW("kept.lab.test"));
	lab_needs("prometheus");
	lab_needs("curl");
	start_prometheus();
	say("other.lab.test");
	await_answer(BLOCKED, ",\"1\"]");
	await_answer("snifence_attachments{state=\"live\"}", ",\"1\"]");
	/* its own labels are the scraper's: none of ours has to give way */
	await_answer("snifence_policy_generation", "\"instance\":\"" METRICS "\"");
	await_answer("count({exported_instance!=\"\"}) or vector(0)", ",\"0\"]");
	end_monitor(SIGKILL);
	say("other.lab.test");
	unlink(metrics_file);
	start_monitor();
	await_answer(BLOCKED, ",\"2\"]");
	await_answer("resets(snifence_decisions_total{reason=\"name_not_allowed\"}[1m])", ",\"0\"]");
	end_monitor(SIGTERM);
}

int main(void) {
	const struct CMUnitTest tests[] = {resident_test(test_events),
					   resident_test(test_follows),
					   resident_test(test_follows_named_files),
					   resident_test(test_rules_of_then),
					   resident_test(test_follows_the_order),
					   resident_test(test_follows_in_a_busy_folder),
					   resident_test(test_rotated),
					   resident_test(test_asked_meanwhile),
					   resident_test(test_changed_meanwhile),
					   resident_test(test_error_is_told_once),
					   resident_test(test_killed),
					   turner_test(test_killed_amid_many),
					   turner_test(test_lost),
					   resident_test(test_verify),
					   resident_test(test_led_elsewhere),
					   resident_test(test_broken_policy_is_told_once),
					   resident_test(test_metrics),
					   resident_test(test_metrics_beside_slow_clients),
					   resident_test(test_prometheus)};

	return cmocka_run_group_tests_name("monitor", tests, NULL, NULL);
}
