/* SPDX-License-Identifier: BSD-2-Clause */
/* Names that are bound under resident policies ──► what `status` says of them, and what passes. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <json-c/json.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../support/hello_maker.h"
#include "../support/name_server.h"
#include "../support/put_file.h"
#include "../support/resident.h"
#include "dns.h"

#define SERVER "203.0.113.1"

static int leave(void **state) {
	name_servers_end();
	return resident_end(state);
}

#define names_test(function) cmocka_unit_test_teardown(function, leave)

/* Every name is at 192.0.2.1, for two minutes. */
static void answer_all(const struct name_query *query, struct bytes *answer) {
	dns_begin_answer(answer, query->message);
	if (query->type == SNIF_DNS_A)
		dns_add_address(answer, query->name, 120, "192.0.2.1");
}

/* Every name is at more addresses than are shown. */
static void answer_many(const struct name_query *query, struct bytes *answer) {
	char address[16];

	dns_begin_answer(answer, query->message);
	for (int i = 1; i <= SNIF_DNS_ADDRESSES; i++) {
		snprintf(address, sizeof(address), "192.0.2.%d", i);
		dns_add_address(answer, query->name, 120, address);
	}
}

/* Asks for a name's A records. 0: there is an answer; 1: there is none. */
static int look_up_at(const char *server, const char *name) {
	struct timeval limit = {.tv_sec = 2};
	struct sockaddr_storage where;
	socklen_t size = lab_address(server, SNIF_DNS_PORT, &where);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	static struct bytes question;
	char answer[2048];

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	dns_make_question(&question, 7, name, SNIF_DNS_A);
	return connect(fd, (struct sockaddr *)&where, size) || send(fd, question.data, question.length, 0) < 0 ||
	       recv(fd, answer, sizeof(answer), 0) <= 0;
}

static int look_up(void *name) {
	return look_up_at(SERVER, name);
}

static void expect_answer(const char *name) {
	assert_int_equal(resident_inside(resident_cgroup(), look_up, (void *)name), 0);
}

/* Returns the policy's file. */
static const char *begin(name_answer answer, const char *policy) {
	const char *file;

	resident_begin();
	lab_server(LAB_TLS, "192.0.2.1", 443);
	name_server(SERVER, answer);
	file = lab_write("names.yaml", policy);
	resident_says(0, "attach", file, "--cgroup", resident_cgroup()->path);
	return file;
}

static struct json_object *member(struct json_object *object, const char *key) {
	struct json_object *found = NULL;

	if (!json_object_object_get_ex(object, key, &found))
		fail_msg("there is no %s", key);
	return found;
}

/* Of the only policy. */
static struct json_object *policy_of(struct json_object *status) {
	return json_object_array_get_idx(member(status, "policies"), 0);
}

static void test_status(void **state) {
	struct json_object *status, *binding;
	struct lab_program *text;
	const char *file;
	int64_t left;

	(void)state;
	file = begin(answer_all,
		     "version: 1\ntls: {allow: [\"*.lab.test\"]}\ndns: {servers: [" SERVER "], bind: require}\n");
	status = resident_status();
	assert_int_equal(json_object_get_int(member(policy_of(status), "bound")), 0);
	json_object_put(status);
	assert_false(resident_reaches("kept.lab.test"));
	assert_false(resident_reaches("allowed.lab.test")); /* which is in /etc/hosts */

	expect_answer("kept.lab.test");
	assert_true(resident_reaches("kept.lab.test"));
	status = resident_status();
	assert_int_equal(json_object_get_int(member(policy_of(status), "bound")), 1);
	binding = json_object_array_get_idx(member(policy_of(status), "bindings"), 0);
	assert_string_equal(json_object_get_string(member(binding, "address")), "192.0.2.1");
	assert_string_equal(json_object_get_string(member(member(binding, "rule"), "text")), "*.lab.test");
	assert_int_equal(json_object_get_int(member(member(binding, "rule"), "line")), 2);
	/* the least time is an hour, and ten minutes more */
	left = json_object_get_int64(member(binding, "seconds_left"));
	assert_true(left > 4100 && left <= 4200);
	json_object_put(status);
	text = resident_says(0, "status");
	assert_non_null(strstr(text->out, "names found at addresses: 1\n      192.0.2.1  *.lab.test  1:09:5"));

	/* a reload that numbers the rules anew: what was found was found by the old ones */
	lab_write("names.yaml", "version: 1\ntls: {allow: [first.test, \"*.lab.test\"]}\n"
				"dns: {servers: [" SERVER "], bind: require}\n");
	resident_says(0, "reload", file);
	text = resident_says(0, "status");
	assert_non_null(strstr(text->out, "192.0.2.1  *.lab.test  1:"));
}

/* Looks two names up, and holds a connection to each: one where names are checked, one by a rule for the name alone. */
static int hold_found(void *argument) {
	static struct bytes hello;
	int *turn = argument, inspected, named;
	char byte;

	if (look_up_at(SERVER, "kept.lab.test") || look_up_at(SERVER, "plain.lab.test"))
		return 1;
	inspected = lab_dial("192.0.2.1", 443);
	named = lab_dial("192.0.2.1", 8443);
	hello_make(&hello, &(struct hello){.name = "kept.lab.test"});
	if (inspected < 0 || named < 0 || lab_send(inspected, hello.data, hello.length) ||
	    lab_receive(inspected, &byte, 1) != 1)
		return 2;
	lab_turn(turn, 1);
	return !lab_await_turn(turn, 2);
}

#define FOUND_POLICY(direct)                                                                                           \
	"version: 1\ntls: {allow: [kept.lab.test]}\ndirect: {allow: [" direct "]}\n"                                   \
	"dns: {servers: [" SERVER "], bind: require}\n"
#define PLAIN "{host: plain.lab.test, ports: [8443]}"

static bool would_cut(const char *file, const char *what) {
	return strstr(resident_says(0, "reload", "--dry-run", file)->out, what) != NULL;
}

/* What a reload would cut of connections that go on for what was looked up. */
static void test_dry_run(void **state) {
	const char *file;
	pid_t pid;
	int *turn;

	(void)state;
	file = begin(answer_all, FOUND_POLICY(PLAIN));
	lab_server(LAB_SINK, "192.0.2.1", 8443);
	turn = lab_shared(sizeof(*turn));
	pid = resident_start(resident_cgroup(), hold_found, turn);
	assert_true(lab_await_turn(turn, 1));
	lab_write("names.yaml", FOUND_POLICY(PLAIN ", {to: 198.51.100.1}"));
	assert_false(would_cut(file, "would cut"));
	lab_write("names.yaml", FOUND_POLICY(""));
	assert_true(would_cut(file, "would cut a connection of process"));
	assert_true(would_cut(file, "to 192.0.2.1 port 8443\n"));
	assert_false(would_cut(file, "port 443"));
	lab_turn(turn, 2);
	assert_int_equal(resident_finish(pid), 0);
}

static int dial_plain(void *port) {
	int fd = lab_dial("192.0.2.1", *(uint16_t *)port);

	return fd < 0 ? -fd : 0;
}

static int dial(uint16_t port) {
	uint16_t *shared = lab_shared(sizeof(*shared));

	*shared = port;
	return resident_inside(resident_cgroup(), dial_plain, shared);
}

/* Looks a name up, and holds a connection that goes on. */
static int hold_plain(void *argument) {
	int *turn = argument, fd;

	if (look_up_at(SERVER, "plain.lab.test") || look_up_at(SERVER, "host.below.test"))
		return 1;
	fd = lab_dial("192.0.2.1", 8443);
	lab_turn(turn, 1);
	if (fd < 0 || !lab_await_turn(turn, 2) || send(fd, "x", 1, MSG_NOSIGNAL) != 1)
		return 2;
	lab_turn(turn, 3);
	return !lab_await_turn(turn, 4);
}

#define BELOW "{host: \"*.below.test\", ports: [9443]}"

/* Rules that come and go leave others what was found for them, and get nothing of it. */
static void test_found_stays_with_its_rule(void **state) {
	static const char *const kept[] = {
		"{host: other.lab.test, ports: [22]}, " PLAIN ", " BELOW,
		BELOW ", {host: plain.lab.test, ports: [8443, 22]}",
		"{host: a.lab.test, ports: [1]}, {host: plain.lab.test, ports: [8443]}, " BELOW,
	};
	const char *file;
	pid_t pid;
	int *turn;

	(void)state;
	file = begin(answer_all, FOUND_POLICY(PLAIN ", " BELOW));
	lab_server(LAB_SINK, "192.0.2.1", 8443);
	lab_server(LAB_SINK, "192.0.2.1", 9443);
	lab_server(LAB_SINK, "192.0.2.1", 22);
	turn = lab_shared(sizeof(*turn));
	pid = resident_start(resident_cgroup(), hold_plain, turn);
	assert_true(lab_await_turn(turn, 1));
	for (int i = 0; i < 3; i++) {
		char *policy = NULL;

		assert_true(asprintf(&policy, FOUND_POLICY("%s"), kept[i]) > 0);
		lab_write("names.yaml", policy);
		free(policy);
		assert_false(would_cut(file, "would cut"));
		resident_says(0, "reload", file);
		assert_int_equal(dial(8443), 0);
		assert_int_equal(dial(9443), 0);
		assert_int_equal(dial(22), i == 1 ? 0 : EPERM);
	}
	lab_turn(turn, 2);
	assert_true(lab_await_turn(turn, 3));
	lab_write("names.yaml", FOUND_POLICY("{host: other.lab.test, ports: [8443, 9443]}"));
	assert_true(would_cut(file, "to 192.0.2.1 port 8443\n"));
	resident_says(0, "reload", file);
	assert_int_equal(dial(8443), EPERM);
	assert_int_equal(dial(9443), EPERM);
	lab_turn(turn, 4);
	assert_int_equal(resident_finish(pid), 0);
}

/* The same where no name had to be looked up until now. */
static void test_dry_run_unbound(void **state) {
	const char *file;
	pid_t pid;
	int *turn;

	(void)state;
	file = begin(answer_all, "version: 1\ntls: {allow: [kept.lab.test]}\n"
				 "direct: {allow: [{to: 192.0.2.1, ports: [8443]}]}\ndns: {servers: [" SERVER "]}\n");
	lab_server(LAB_SINK, "192.0.2.1", 8443);
	turn = lab_shared(sizeof(*turn));
	pid = resident_start(resident_cgroup(), hold_found, turn);
	assert_true(lab_await_turn(turn, 1));
	assert_false(would_cut(file, "would cut"));
	lab_write("names.yaml", FOUND_POLICY("{to: 192.0.2.1, ports: [8443]}"));
	assert_true(would_cut(file, "to 192.0.2.1 port 443, kept.lab.test\n"));
	lab_turn(turn, 2);
	assert_int_equal(resident_finish(pid), 0);
}

static void test_many(void **state) {
	static const char *const names[] = {"a.lab.test", "b.lab.test", "c.lab.test", "d.lab.test"};
	struct json_object *status;

	(void)state;
	begin(answer_many, "version: 1\ntls: {allow: [\"*.lab.test\"]}\ndns: {servers: [" SERVER "], bind: observe}\n");
	for (size_t i = 0; i < 4; i++)
		expect_answer(names[i]);
	status = resident_status();
	assert_int_equal(json_object_get_int(member(policy_of(status), "bound")), 128);
	assert_int_equal(json_object_array_length(member(policy_of(status), "bindings")), 100);
	json_object_put(status);
	assert_non_null(strstr(resident_says(0, "status")->out, "\n      and 28 more\n"));
}

/* ---- who looks names up: the documentation's table ---------------------------------------------------------------- */

/* Somebody beside it does, at the policy's server. */
static void test_resolver_beside_it(void **state) {
	(void)state;
	begin(answer_all, "version: 1\ntls: {allow: [kept.lab.test]}\ndns: {servers: [" SERVER "], bind: require}\n");
	assert_int_equal(look_up_at(SERVER, "kept.lab.test"), 0);
	assert_false(resident_reaches("kept.lab.test"));
}

/* ---- dns.resolve ------------------------------------------------------------------------------------------------- */

#define EXACT                                                                                                          \
	"version: 1\ntls: {allow: [kept.lab.test, .both.test, \"*.below.test\"]}\n"                                    \
	"dns: {servers: [" SERVER "], bind: require, resolve: exact}\n"

static struct lab_program *monitor;

static void start_monitor(void) {
	monitor = lab_start((const char *const[]){"build/snifence", "monitor", "--output", "/dev/null", NULL});
}

static void start_monitor_that_follows_nothing(void) {
	monitor = lab_start(
		(const char *const[]){"build/snifence", "monitor", "--output", "/dev/null", "--no-follow", NULL});
}

static void end_monitor(void) {
	kill(monitor->pid, SIGTERM);
	lab_finish(monitor, LAB_PATIENCE_MS);
	assert_int_equal(monitor->status, 0);
}

static int bound(void) {
	struct json_object *status = resident_status();
	int count = json_object_get_int(member(policy_of(status), "bound"));

	json_object_put(status);
	return count;
}

static void await_bound(int count) {
	double end = lab_now_ms() + 20000 * lab_slowness();

	while (bound() < count && lab_now_ms() < end)
		lab_sleep_ms(100);
	assert_int_equal(bound(), count);
}

static bool was_asked(const char *name) {
	const struct name_log *asked = name_servers_asked();

	for (unsigned i = 0; i < asked->count && i < 256; i++)
		if (strcmp(asked->names[i], name) == 0)
			return true;
	return false;
}

/* Who is attached need not have looked a name up itself: a resolver beside it may do so. */
static void test_exact(void **state) {
	const char *file;

	(void)state;
	file = begin(answer_all, EXACT);
	start_monitor();
	await_bound(2);
	assert_true(resident_reaches("kept.lab.test"));
	assert_true(resident_reaches("both.test"));
	assert_false(resident_reaches("www.below.test"));
	assert_false(was_asked("below.test"));

	/* a name that comes with a reload */
	lab_write("names.yaml", "version: 1\ntls: {allow: [kept.lab.test, new.lab.test]}\n"
				"dns: {servers: [" SERVER "], bind: require, resolve: exact}\n");
	resident_says(0, "reload", file);
	await_bound(3);
	assert_true(resident_reaches("new.lab.test"));
	end_monitor();
	/* and nobody is needed for what is bound */
	assert_true(resident_reaches("new.lab.test"));
}

/* Every name is where no server is. */
static void answer_elsewhere(const struct name_query *query, struct bytes *answer) {
	dns_begin_answer(answer, query->message);
	if (query->type == SNIF_DNS_A)
		dns_add_address(answer, query->name, 120, "192.0.2.9");
}

/* What /etc/hosts says (that of the lab: 192.0.2.1), or anybody else, counts for nothing beside what the servers do. */
static void test_exact_and_hosts(void **state) {
	(void)state;
	begin(answer_elsewhere, "version: 1\ntls: {allow: [allowed.lab.test]}\n"
				"dns: {servers: [" SERVER "], bind: require, resolve: exact}\n");
	start_monitor();
	await_bound(1);
	assert_false(resident_reaches("allowed.lab.test"));
	end_monitor();
}

#define PEER "203.0.113.102" /* of lab_peer() */

static void answer_peer(const struct name_query *query, struct bytes *answer) {
	dns_begin_answer(answer, query->message);
	if (query->type == SNIF_DNS_A)
		dns_add_address(answer, query->name, 120, PEER);
}

/* Whether PEER, asked for by the name, answers; `there`: from its namespace, which is entered. */
static int greet_peer(void *there) {
	static struct bytes hello;
	int fd;
	char byte;

	if (there && setns(*(int *)there, CLONE_NEWNET))
		return -errno;
	fd = lab_dial(PEER, 443);
	if (fd < 0)
		return 2;
	hello_make(&hello, &(struct hello){.name = "kept.lab.test"});
	return lab_send(fd, hello.data, hello.length) || !lab_readable(fd, LAB_PATIENCE_MS) ||
	       recv(fd, &byte, 1, 0) != 1;
}

static int look_up_and_greet_peer(void *there) {
	return setns(*(int *)there, CLONE_NEWNET) || look_up_at(PEER, "kept.lab.test") || greet_peer(NULL);
}

/* What a container has found counts there, and what `monitor` finds counts beside it. */
static void test_exact_and_another_namespace(void **state) {
	int here = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), there;

	(void)state;
	resident_begin();
	there = lab_peer();
	lab_server_at(there, LAB_TLS, PEER, 443);
	assert_int_equal(setns(there, CLONE_NEWNET), 0);
	name_server(PEER, answer_peer);
	assert_int_equal(setns(here, CLONE_NEWNET), 0);
	close(here);
	resident_says(0, "attach",
		      lab_write("names.yaml", "version: 1\ntls: {allow: [kept.lab.test]}\n"
					      "dns: {servers: [" PEER "], bind: require, resolve: exact}\n"),
		      "--cgroup", resident_cgroup()->path);
	start_monitor();
	await_bound(1);
	assert_int_equal(resident_inside(resident_cgroup(), greet_peer, NULL), 0);
	assert_int_equal(resident_inside(resident_cgroup(), greet_peer, &there), 2);
	assert_int_equal(resident_inside(resident_cgroup(), look_up_and_greet_peer, &there), 0);
	end_monitor();
}

/* What is in force has other names than its file by now: none is looked up, until the reload. */
static void test_exact_of_a_changed_file(void **state) {
	const char *file;

	(void)state;
	file = begin(answer_all, EXACT);
	lab_write("names.yaml", "version: 1\ntls: {allow: [new.lab.test]}\n"
				"dns: {servers: [" SERVER "], bind: require, resolve: exact}\n");
	start_monitor_that_follows_nothing();
	for (double end = lab_now_ms() + 20000 * lab_slowness();
	     !strstr(lab_read(monitor->output[1]), "has changed since it was put in force") && lab_now_ms() < end;)
		lab_sleep_ms(50);
	assert_int_equal(name_servers_asked()->count, 0);
	resident_says(0, "reload", file);
	await_bound(1);
	resident_says(0, "detach", "--cgroup", resident_cgroup()->path);
	lab_sleep_ms(700); /* it looks again, and forgets the policy */
	end_monitor();
	assert_non_null(strstr(monitor->err, "has changed since it was put in force"));
}

/* For a moment while a policy is put in force, the ledger has it not at all, or has the one before. */
static void test_exact_before_it_is_noted(void **state) {
	const char *file = begin(answer_all, EXACT), *noted;
	glob_t found;
	char *before, away[96];

	(void)state;
	assert_int_equal(glob("/run/snifence/*/policy-1", 0, NULL, &found), 0);
	noted = found.gl_pathv[0];
	snprintf(away, sizeof(away), "%s.away", noted);
	assert_int_equal(rename(noted, away), 0);
	start_monitor_that_follows_nothing();
	lab_sleep_ms(700); /* it has looked */
	assert_int_equal(name_servers_asked()->count, 0);
	assert_int_equal(rename(away, noted), 0);
	await_bound(2);
	end_monitor();

	before = strdup(lab_read(noted));
	lab_write("names.yaml", "version: 1\ntls: {allow: [new.lab.test]}\n"
				"dns: {servers: [" SERVER "], bind: require, resolve: exact}\n");
	resident_says(0, "reload", file);
	put_file(noted, before);
	start_monitor_that_follows_nothing();
	await_bound(3);
	end_monitor();
	globfree(&found);
	free(before);
}

/* The name server says nothing at first: it is asked again. */
static void answer_later(const struct name_query *query, struct bytes *answer) {
	if (name_servers_asked()->count > 4)
		answer_all(query, answer);
}

static void test_exact_without_an_answer(void **state) {
	(void)state;
	begin(answer_later, "version: 1\ntls: {allow: [kept.lab.test]}\n"
			    "dns: {servers: [" SERVER "], bind: require, resolve: exact}\n");
	start_monitor();
	await_bound(1);
	assert_true(resident_reaches("kept.lab.test"));
	end_monitor();
	assert_non_null(strstr(monitor->err, "cannot look up kept.lab.test: "));
	assert_null(strstr(strstr(monitor->err, "cannot look up") + 1, "cannot look up"));
}

/* ---- a resolver under the same policy ---------------------------------------------------------------------------- */

#define LOCAL "127.0.0.53"

static int look_up_locally(void *name) {
	return look_up_at(LOCAL, name);
}

static int be_resolver(void *nothing) {
	(void)nothing;
	execlp("dnsmasq", "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
	       "--user=root", "--pid-file=", "--bind-interfaces", "--listen-address=" LOCAL, "--server=" SERVER, NULL);
	return 1;
}

static struct cgroup below(const char *name) {
	struct cgroup cgroup = {.parent_fd = resident_cgroup()->fd};
	struct stat status;

	assert_int_equal(mkdirat(cgroup.parent_fd, name, 0755), 0);
	cgroup.fd = openat(cgroup.parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(fstat(cgroup.fd, &status), 0);
	cgroup.id = status.st_ino;
	return cgroup;
}

/* What it asks for counts for all under the policy, and what it may not ask for does not leave. */
static void test_resolver_under_the_policy(void **state) {
	struct cgroup program, resolver;
	char paths[2][128];
	double end;

	(void)state;
	lab_needs("dnsmasq");
	resident_begin();
	program = below("program");
	resolver = below("resolver");
	lab_server(LAB_TLS, "192.0.2.1", 443);
	name_server(SERVER, answer_all);
	snprintf(paths[0], sizeof(paths[0]), "%s/program", resident_cgroup()->path);
	snprintf(paths[1], sizeof(paths[1]), "%s/resolver", resident_cgroup()->path);
	resident_says(0, "attach",
		      lab_write("names.yaml", "version: 1\ntls: {allow: [kept.lab.test]}\n"
					      "direct: {allow: [127.0.0.0/8]}\n"
					      "dns: {servers: [" SERVER "], bind: require, names: policy}\n"),
		      "--cgroup", paths[0], "--cgroup", paths[1]);
	resident_start(&resolver, be_resolver, NULL);
	assert_int_equal(resident_inside(&program, resident_greet, "kept.lab.test"), 2);
	for (end = lab_now_ms() + 20000; resident_inside(&program, look_up_locally, "kept.lab.test") != 0;)
		assert_true(lab_now_ms() < end);
	assert_int_equal(resident_inside(&program, resident_greet, "kept.lab.test"), 0);
	/* it says that it could not */
	assert_int_equal(resident_inside(&program, look_up_locally, "data.evil.test"), 0);
	assert_false(was_asked("data.evil.test"));
	close(program.fd);
	close(resolver.fd);
}

/* As resolvers do that keep a socket for each server. */
static int ask_later(void *turn) {
	static char name[] = "allowed.lab.test";
	static struct bytes question;
	struct sockaddr_storage where;
	socklen_t size = lab_address(SERVER, SNIF_DNS_PORT, &where);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char byte;

	if (connect(fd, (struct sockaddr *)&where, size))
		return 2;
	lab_turn(turn, 1);
	dns_make_question(&question, 7, name, SNIF_DNS_A);
	if (!lab_await_turn(turn, 2) || send(fd, question.data, question.length, 0) < 0 ||
	    !lab_readable(fd, LAB_PATIENCE_MS) || recv(fd, &byte, 1, 0) != 1)
		return 3;
	return lab_say_hello(name);
}

/* What it is told counts in its network namespace. */
static void test_kept_socket(void **state) {
	const char *file;
	pid_t pid;
	int *turn;

	(void)state;
	resident_begin();
	lab_server(LAB_TLS, "192.0.2.1", 443);
	name_server(SERVER, answer_all);
	file = lab_write("names.yaml",
			 "version: 1\ntls: {allow: [allowed.lab.test]}\ndns: {servers: [" SERVER "], bind: require}\n");
	turn = lab_shared(sizeof(*turn));
	pid = resident_start(resident_cgroup(), ask_later, turn);
	assert_true(lab_await_turn(turn, 1));
	resident_says(0, "attach", "--existing", "keep", file, "--cgroup", resident_cgroup()->path);
	lab_turn(turn, 2);
	assert_int_equal(resident_finish(pid), 0);
}

/* Asks three times over one connection, each time when it is told to. Returns how often the answer did not come. */
static int ask_in_turns(void *turn) {
	static struct bytes question, framed;
	static uint8_t length[2], answer[512];
	int fd = lab_dial(SERVER, SNIF_DNS_PORT);

	dns_make_question(&question, 7, "allowed.lab.test", SNIF_DNS_A);
	dns_frame(&framed, &question);
	for (int i = 0; i < 3; i++) {
		if (!lab_await_turn(turn, 2 * i + 1) || lab_send(fd, framed.data, framed.length) ||
		    lab_receive(fd, length, 2) != 2 || lab_receive(fd, answer, length[1]) != length[1])
			return 3 - i;
		lab_turn(turn, 2 * i + 2);
	}
	return 0;
}

/* A connection goes on whose answers have come unread for a while, as there was no policy. */
static void test_detached_between(void **state) {
	const char *file, *cgroup;
	pid_t pid;
	int *turn;

	(void)state;
	resident_begin();
	name_server(SERVER, answer_all);
	file = lab_write("names.yaml",
			 "version: 1\ntls: {allow: [allowed.lab.test]}\ndns: {servers: [" SERVER "], bind: require}\n");
	cgroup = resident_cgroup()->path;
	turn = lab_shared(sizeof(*turn));
	resident_says(0, "attach", file, "--cgroup", cgroup);
	pid = resident_start(resident_cgroup(), ask_in_turns, turn);
	lab_turn(turn, 1);
	assert_true(lab_await_turn(turn, 2));
	resident_says(0, "detach", "--cgroup", cgroup);
	lab_turn(turn, 3);
	assert_true(lab_await_turn(turn, 4));
	resident_says(0, "attach", "--existing", "keep", file, "--cgroup", cgroup);
	lab_turn(turn, 5);
	assert_int_equal(resident_finish(pid), 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		names_test(test_status),
		names_test(test_dry_run),
		names_test(test_found_stays_with_its_rule),
		names_test(test_dry_run_unbound),
		names_test(test_many),
		names_test(test_resolver_beside_it),
		names_test(test_kept_socket),
		names_test(test_detached_between),
		names_test(test_exact),
		names_test(test_exact_and_hosts),
		names_test(test_exact_and_another_namespace),
		names_test(test_resolver_under_the_policy),
		names_test(test_exact_of_a_changed_file),
		names_test(test_exact_before_it_is_noted),
		names_test(test_exact_without_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
