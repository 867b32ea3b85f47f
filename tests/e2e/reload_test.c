/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy replaced by another ──► its open connections are judged again. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../support/hello_maker.h"
#include "../support/lab.h"

static const char before[] = "version: 1\n"
			     "tls:\n"
			     "  to: [192.0.2.0/24, \"2001:db8::/64\"]\n"
			     "  allow: [kept.lab.test, dropped.lab.test]\n"
			     "direct: {allow: [{to: 198.51.100.1, proto: tcp, ports: [443, 444]}]}\n"
			     "dns: {servers: none}\n";

static const char after[] = "version: 1\n"
			    "tls:\n"
			    "  to: [192.0.2.0/24, \"2001:db8::/64\", 198.51.100.1]\n"
			    "  allow: [kept.lab.test, new.lab.test]\n"
			    "direct: {allow: [{to: 198.51.100.1, proto: tcp, ports: [444]}]}\n"
			    "dns: {servers: none}\n";

/* One connection over a reload, at an echo server. */
struct flow {
	const char *address;
	uint16_t port;
	const char *name;
	bool halved;	  /* the reload comes in the middle of the next handshake message's header */
	size_t echoed[2]; /* out: bytes that came back, before and after */
};

struct session {
	int turn; /* 1: the child has done its part before the reload; 2: go on */
	int error;
	size_t count;
	struct flow flows[8];
};

/* One record of application data: what follows a hello where the server accepts early data. */
static const uint8_t record[] = {23, 3, 3, 0, 4, 'd', 'a', 't', 'a'};

/* A client key exchange without content: with TLS 1.2, what follows a hello that was answered. */
static const uint8_t exchange[] = {22, 3, 3, 0, 4, 16, 0, 0, 0};
enum { EXCHANGE_BEFORE = 7 };

static size_t echo(int fd, const void *bytes, size_t length) {
	static uint8_t back[1 << 16];

	if (lab_send(fd, bytes, length) || !lab_readable(fd, 300))
		return 0;
	return lab_receive(fd, back, length);
}

/* Inside. */
static int open_and_go_on(void *argument) {
	static struct bytes hello;
	struct session *session = argument;
	int fds[8];

	for (size_t i = 0; i < session->count; i++) {
		struct flow *flow = &session->flows[i];

		fds[i] = lab_dial(flow->address, flow->port);
		if (fds[i] < 0)
			return fds[i];
		hello_make(&hello, &(struct hello){.name = flow->name});
		flow->echoed[0] = echo(fds[i], hello.data, hello.length);
		if (flow->halved)
			flow->echoed[0] += echo(fds[i], exchange, EXCHANGE_BEFORE);
	}
	lab_turn(&session->turn, 1);
	if (!lab_await_turn(&session->turn, 2))
		return -ETIMEDOUT;
	for (size_t i = 0; i < session->count; i++) {
		struct flow *flow = &session->flows[i];

		flow->echoed[1] = flow->halved
					  ? echo(fds[i], exchange + EXCHANGE_BEFORE, sizeof(exchange) - EXCHANGE_BEFORE)
					  : echo(fds[i], record, sizeof(record));
		lab_reset(fds[i]);
	}
	return 0;
}

static struct session *start_session(const struct flow *flows, size_t count) {
	struct session *session = lab_shared(sizeof(*session));

	session->count = count;
	memcpy(session->flows, flows, count * sizeof(*flows));
	return session;
}

static void reload_between(struct session *session, const char *policy) {
	pid_t child = lab_start_inside(open_and_go_on, session);

	assert_true(lab_await_turn(&session->turn, 1));
	lab_reload(policy);
	lab_turn(&session->turn, 2);
	assert_int_equal(lab_finish_inside(child), 0);
}

static void test_names(void **state) {
	static const char *const addresses[] = {"192.0.2.1", "2001:db8::1"};
	uint64_t dropped;

	(void)state;
	lab_enter();
	lab_confine(before);
	for (size_t i = 0; i < 2; i++) {
		struct flow flows[] = {{.address = addresses[i], .port = 443, .name = "kept.lab.test"},
				       {.address = addresses[i], .port = 443, .name = "dropped.lab.test"}};
		struct session *session = start_session(flows, 2);
		struct lab_server *server = lab_server(LAB_ECHO, addresses[i], 443);
		const struct snif_event *event;

		if (i > 0)
			lab_reload(before);
		reload_between(session, after);
		lab_expect(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED);
		dropped = lab_expect(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED)->flow;
		event = lab_expect(SNIF_DENY, SNIF_REASON_REVOKED);
		assert_true(event->flow == dropped);
		assert_int_equal(event->name_length, strlen("dropped.lab.test"));
		assert_memory_equal(event->name, "dropped.lab.test", event->name_length);
		lab_expect_no_more();
		assert_true(session->flows[0].echoed[0] > 0 && session->flows[1].echoed[0] > 0);
		assert_int_equal(session->flows[0].echoed[1], sizeof(record));
		assert_int_equal(session->flows[1].echoed[1], 0);
		assert_int_equal(lab_seen(server, 1).received, session->flows[1].echoed[0]);
	}
}

/* A refusal stays, also where the new policy would allow; who connects anew gets through. */
static void test_refusal_stays(void **state) {
	struct flow flow = {.address = "192.0.2.1", .port = 443, .name = "new.lab.test"};
	struct session *session;
	struct lab_server *server;

	(void)state;
	lab_enter();
	server = lab_server(LAB_ECHO, "192.0.2.1", 443);
	lab_confine(before);
	session = start_session(&flow, 1);
	reload_between(session, after);
	lab_expect(SNIF_DENY, SNIF_REASON_NAME_NOT_ALLOWED);
	lab_expect_no_more();
	assert_int_equal(lab_wait(server, 0, LAB_CLOSED).received, 0);
	session = start_session(&flow, 1);
	reload_between(session, after);
	lab_expect(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED);
	lab_expect_no_more();
	assert_int_equal(session->flows[0].echoed[1], sizeof(record));
}

/* What was let through unread cannot be inspected from the middle on: refused. What is still direct goes on. */
static void test_direct_becomes_inspected(void **state) {
	static const struct flow flows[] = {{.address = "198.51.100.1", .port = 443, .name = "kept.lab.test"},
					    {.address = "198.51.100.1", .port = 444, .name = "kept.lab.test"}};
	struct session *session;

	(void)state;
	lab_enter();
	lab_server(LAB_ECHO, "198.51.100.1", 443);
	lab_server(LAB_ECHO, "198.51.100.1", 444);
	lab_confine(before);
	session = start_session(flows, 2);
	reload_between(session, after);
	lab_expect(SNIF_ALLOW, SNIF_REASON_ADDRESS_ALLOWED);
	lab_expect(SNIF_ALLOW, SNIF_REASON_ADDRESS_ALLOWED);
	lab_expect(SNIF_DENY, SNIF_REASON_REVOKED);
	lab_expect_no_more();
	assert_int_equal(session->flows[0].echoed[1], 0);
	assert_int_equal(session->flows[1].echoed[1], sizeof(record));
}

static void test_in_the_middle_of_a_message(void **state) {
	struct flow flows[] = {{.address = "192.0.2.1", .port = 443, .name = "kept.lab.test", .halved = true},
			       {.address = "192.0.2.1", .port = 443, .name = "dropped.lab.test", .halved = true}};
	struct session *session;

	(void)state;
	lab_enter();
	lab_server(LAB_ECHO, "192.0.2.1", 443);
	lab_confine(before);
	session = start_session(flows, 2);
	reload_between(session, after);
	lab_expect(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED);
	lab_expect(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED);
	lab_expect(SNIF_DENY, SNIF_REASON_REVOKED);
	lab_expect_no_more();
	assert_int_equal(session->flows[0].echoed[1], sizeof(exchange) - EXCHANGE_BEFORE);
	assert_int_equal(session->flows[1].echoed[1], 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		lab_test(test_names),
		lab_test(test_in_the_middle_of_a_message),
		lab_test(test_refusal_stays),
		lab_test(test_direct_becomes_inspected),
	};
	return cmocka_run_group_tests_name("reload", tests, NULL, NULL);
}
