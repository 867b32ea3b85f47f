/* SPDX-License-Identifier: BSD-2-Clause */
/* Lookups ──► which names may be asked for, and which addresses count for a server name. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/lab.h"
#include "../support/lookup.h"
#include "../support/name_server.h"
#include "dns.h"

#define SERVER LOOKUP_SERVER
#define NAT64 "64:ff9b::c0af:3001" /* of the lab */
#define POLICY                                                                                                         \
	"version: 1\n"                                                                                                 \
	"tls: {allow: [allowed.lab.test, other.lab.test, \"*.wild.lab.test\"]}\n"                                      \
	"direct: {allow: [{host: db.lab.test, proto: tcp, ports: [5432]}]}\n"                                          \
	"dns: {servers: [" SERVER "], bind: require, names: policy, search: [corp.test]}\n"

#define dns_test(function) cmocka_unit_test_teardown(function, leave)

enum { NUMBER = LOOKUP_NUMBER, HERE = 0, SIGNATURE = 46 };

static int leave(void **state) {
	name_servers_end();
	return lab_leave(state);
}

/* ---- what servers answer --------------------------------------------------------------------------------------- */

/* allowed.lab.test is at 192.0.2.1 and 2001:db8::1; every other name at 198.51.100.1. */
static void answer_honestly(const struct name_query *query, struct bytes *answer) {
	bool allowed = strcmp(query->name, "allowed.lab.test") == 0;

	dns_begin_answer(answer, query->message);
	if (query->type == SNIF_DNS_A)
		dns_add_address(answer, query->name, 60, allowed ? "192.0.2.1" : "198.51.100.1");
	else if (query->type == SNIF_DNS_AAAA && allowed)
		dns_add_address(answer, query->name, 60, "2001:db8::1");
}

/* Eight addresses behind five aliases, the last of them where the test looks. */
static void answer_like_a_cdn(const struct name_query *query, struct bytes *answer) {
	static const char *const chain[] = {"a.cdn.test", "b.cdn.test", "c.cdn.test", "d.cdn.test", "e.cdn.test"};
	const char *owner = query->name;
	char address[16];

	dns_begin_answer(answer, query->message);
	for (size_t i = 0; i < 5; i++) {
		dns_add_alias(answer, owner, 60, chain[i]);
		owner = chain[i];
	}
	for (int i = 8; i > 0; i--) {
		snprintf(address, sizeof(address), "192.0.2.%d", i);
		dns_add_address(answer, owner, 60, address);
	}
}

/* The same with signatures, as resolvers get it that check them: some 3,000 bytes. */
static void answer_with_signatures(const struct name_query *query, struct bytes *answer) {
	static const uint8_t signature[340];

	dns_begin_answer(answer, query->message);
	for (int i = 0; i < 8; i++)
		dns_add_record(answer, query->name, SIGNATURE, 60, signature, sizeof(signature));
	dns_add_address(answer, query->name, 60, "192.0.2.1");
}

/* The address comes with other names' records, and with an alias that leads on from another name. */
static void answer_beside_the_question(const struct name_query *query, struct bytes *answer) {
	dns_begin_answer(answer, query->message);
	dns_add_address(answer, "allowed.lab.test", 60, "192.0.2.1");
	dns_add_alias(answer, "elsewhere.test", 60, query->name);
	dns_add_address(answer, "elsewhere.test", 60, "192.0.2.1");
	dns_add_address(answer, query->name, 60, "198.51.100.1");
}

static void answer_with_another_number(const struct name_query *query, struct bytes *answer) {
	answer_honestly(query, answer);
	answer->data[0] ^= 1;
}

static void answer_another_question(const struct name_query *query, struct bytes *answer) {
	static struct bytes question;

	dns_make_question(&question, (uint16_t)(query->message->data[0] << 8 | query->message->data[1]),
			  "forbidden.lab.test", SNIF_DNS_A);
	dns_begin_answer(answer, &question);
	dns_add_address(answer, "allowed.lab.test", 60, "192.0.2.1");
	dns_add_address(answer, "forbidden.lab.test", 60, "192.0.2.1");
}

static void answer_another_type(const struct name_query *query, struct bytes *answer) {
	static struct bytes question;

	dns_make_question(&question, (uint16_t)(query->message->data[0] << 8 | query->message->data[1]), query->name,
			  SNIF_DNS_AAAA);
	dns_begin_answer(answer, &question);
	dns_add_address(answer, query->name, 60, "2001:db8::1");
}

static void answer_with_a_mapped_address(const struct name_query *query, struct bytes *answer) {
	dns_begin_answer(answer, query->message);
	dns_add_address(answer, query->name, 60, "::ffff:192.0.2.1");
}

static void answer_with_an_error(const struct name_query *query, struct bytes *answer) {
	answer_honestly(query, answer);
	answer->data[3] |= 3; /* no such name */
}

/* A pointer that leads to itself, then the address. */
static void answer_in_a_loop(const struct name_query *query, struct bytes *answer) {
	dns_begin_answer(answer, query->message);
	bytes_number(answer, 2, 0xc000 | (uint32_t)answer->length);
	bytes_fill(answer, 0, 10);
	answer->data[7] = 1;
	dns_add_address(answer, query->name, 60, "192.0.2.1");
}

static void answer_for_a_second(const struct name_query *query, struct bytes *answer) {
	dns_begin_answer(answer, query->message);
	dns_add_address(answer, query->name, 1, "192.0.2.1");
}

/* Two names at one address, for a minute and for no time. */
static void answer_for_different_times(const struct name_query *query, struct bytes *answer) {
	dns_begin_answer(answer, query->message);
	dns_add_address(answer, query->name, strcmp(query->name, "allowed.lab.test") == 0 ? 60 : 0, "192.0.2.1");
}

/* A service with addresses as hints, and one that only leads to another name. */
static void answer_with_hints(const struct name_query *query, struct bytes *answer) {
	static const uint8_t service[] = {0, 1, 0, 0, 1, 0, 3, 2, 'h', '2', 0, 4, 0, 4, 192, 0, 2, 1};
	static const uint8_t alias[] = {0, 0, 1, 'x', 0, 0, 4, 0, 4, 198, 51, 100, 1};

	dns_begin_answer(answer, query->message);
	dns_add_record(answer, query->name, SNIF_DNS_HTTPS, 60, service, sizeof(service));
	dns_add_record(answer, query->name, SNIF_DNS_HTTPS, 60, alias, sizeof(alias));
}

static int dial_database(void *address) {
	int fd = lab_dial(address, 5432);

	return fd < 0 ? fd : 0;
}

static void begin(const char *policy, name_answer answer) {
	static const char *const addresses[] = {"192.0.2.1", "198.51.100.1", "2001:db8::1"};

	lab_enter();
	for (size_t i = 0; i < 3; i++)
		lab_server(LAB_TLS, addresses[i], 443);
	name_server(SERVER, answer);
	lab_confine(policy);
}

static void expect_lookup(void) {
	lab_expect(SNIF_ALLOW, SNIF_REASON_DNS_ALLOWED);
}

static struct lookup *asking(const char *name, uint16_t type) {
	struct lookup *lookup = lab_shared(sizeof(*lookup));

	dns_make_question(&lookup->question, NUMBER, name, type);
	return lookup;
}

static void assert_asked(unsigned count) {
	assert_int_equal(name_servers_asked()->count, count);
}

/* ---- bindings -------------------------------------------------------------------------------------------------- */

static void test_name_needs_a_lookup(void **state) {
	static const char *const addresses[] = {"192.0.2.1", "2001:db8::1"};
	struct lookup *lookup;

	(void)state;
	begin(POLICY, answer_honestly);
	for (size_t i = 0; i < 2; i++) {
		lookup = lab_shared(sizeof(*lookup));
		lookup->name = "allowed.lab.test";
		lookup->type = i == 0 ? SNIF_DNS_A : SNIF_DNS_AAAA;
		assert_int_equal(greet_at("allowed.lab.test", addresses[i]), -EPERM);
		assert_int_equal(lab_expect(SNIF_DENY, SNIF_REASON_NAME_NOT_BOUND)->hook, SNIF_HOOK_CONNECT);
		assert_int_equal(lab_inside(look_up, lookup), 0);
		expect_lookup();
		assert_int_equal(greet_at("allowed.lab.test", addresses[i]), 0);
		lab_expect(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED);
	}
	lab_expect_no_more();
}

/* Two allowed names: each counts only where it was found. */
static void test_name_of_another_address(void **state) {
	const struct snif_event *event;

	(void)state;
	begin(POLICY, answer_honestly);
	assert_int_equal(look_up_name("allowed.lab.test"), 0);
	assert_int_equal(look_up_name("other.lab.test"), 0);
	assert_int_equal(lab_inside(look_up, asking("allowed.lab.test", SNIF_DNS_AAAA)), 0);
	expect_lookup();
	expect_lookup();
	expect_lookup();
	assert_int_equal(greet_in_vain("other.lab.test", "2001:db8::1"), 1);
	lab_expect(SNIF_DENY, SNIF_REASON_NAME_NOT_BOUND);
	assert_int_equal(greet_in_vain("allowed.lab.test", "198.51.100.1"), 1);
	event = lab_expect(SNIF_DENY, SNIF_REASON_NAME_NOT_BOUND);
	assert_int_equal(event->hook, SNIF_HOOK_EGRESS);
	assert_true(event->flags & SNIF_EVENT_UNBOUND);
	assert_int_equal(greet_at("other.lab.test", "198.51.100.1"), 0);
	lab_expect(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED);
}

static void test_aliases(void **state) {
	(void)state;
	begin(POLICY, answer_like_a_cdn);
	assert_int_equal(look_up_name("allowed.lab.test"), 0);
	expect_lookup();
	assert_int_equal(greet_at("allowed.lab.test", "192.0.2.1"), 0);
	lab_expect(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED);
	/* the names on the way were not asked for */
	assert_int_equal(greet_in_vain("a.wild.lab.test", "192.0.2.1"), 1);
	lab_expect(SNIF_DENY, SNIF_REASON_NAME_NOT_BOUND);
}

static void test_hints_of_services(void **state) {
	struct lookup *lookup;

	(void)state;
	begin(POLICY, answer_with_hints);
	lookup = lab_shared(sizeof(*lookup));
	lookup->name = "allowed.lab.test";
	lookup->type = SNIF_DNS_HTTPS;
	assert_int_equal(lab_inside(look_up, lookup), 0);
	expect_lookup();
	assert_int_equal(greet_at("allowed.lab.test", "192.0.2.1"), 0);
	lab_expect(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED);
	assert_int_equal(greet_at("allowed.lab.test", "198.51.100.1"), -EPERM);
	lab_expect(SNIF_DENY, SNIF_REASON_NAME_NOT_BOUND);
}

struct lasting {
	int turn, fd;
};

/* Opens a connection, and uses it once more when it is told to. */
static int keep_open(void *argument) {
	struct lasting *lasting = argument;
	struct hello hello = {.name = "allowed.lab.test"};
	static struct bytes stream;
	int fd = lab_dial("192.0.2.1", 443);
	static char rest[1 << 12];
	char byte;

	hello_make(&stream, &hello);
	if (fd < 0 || lab_send(fd, stream.data, stream.length) || lab_receive(fd, &byte, 1) != 1)
		return 1;
	while (recv(fd, rest, sizeof(rest), MSG_DONTWAIT) > 0)
		;
	lab_turn(&lasting->turn, 1);
	if (!lab_await_turn(&lasting->turn, 2))
		return 2;
	return lab_send_segments(fd, "more", 4, 2) ? 3 : 0;
}

static void test_time_to_live(void **state) {
	struct lasting *lasting;
	pid_t pid;

	(void)state;
	begin("version: 1\ntls: {allow: [allowed.lab.test]}\n"
	      "dns: {servers: [" SERVER "], bind: require, min_ttl: 0s, grace: 1s}\n",
	      answer_for_a_second);
	lasting = lab_shared(sizeof(*lasting));
	assert_int_equal(look_up_name("allowed.lab.test"), 0);
	pid = lab_start_inside(keep_open, lasting);
	assert_true(lab_await_turn(&lasting->turn, 1));
	expect_lookup();
	lab_expect(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED);
	lab_sleep_ms(1300);
	assert_int_equal(greet_at("allowed.lab.test", "192.0.2.1"), 0);
	lab_expect(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED);
	lab_sleep_ms(1000);
	assert_int_equal(greet_at("allowed.lab.test", "192.0.2.1"), -EPERM);
	lab_expect(SNIF_DENY, SNIF_REASON_NAME_NOT_BOUND);
	/* neither its end nor a reload touches what is open */
	lab_reload("version: 1\ntls: {allow: [allowed.lab.test, another.lab.test]}\n"
		   "dns: {servers: [" SERVER "], bind: require, min_ttl: 0s, grace: 1s}\n");
	lab_turn(&lasting->turn, 2);
	assert_int_equal(lab_finish_inside(pid), 0);
	lab_expect_no_more();
}

/* What a name was given for counts as long, whatever another one is given the same address for. */
static void test_other_time_to_live(void **state) {
	(void)state;
	begin("version: 1\ntls: {allow: [allowed.lab.test, other.lab.test]}\n"
	      "direct: {allow: [{host: allowed.lab.test, ports: [5432]}, {host: other.lab.test, ports: [5432]}]}\n"
	      "dns: {servers: [" SERVER "], bind: require, min_ttl: 0s, grace: 1s}\n",
	      answer_for_different_times);
	lab_server(LAB_SINK, "192.0.2.1", 5432);
	assert_int_equal(look_up_name("allowed.lab.test"), 0);
	assert_int_equal(look_up_name("other.lab.test"), 0);
	expect_lookup();
	expect_lookup();
	lab_sleep_ms(1300);
	assert_int_equal(greet_at("allowed.lab.test", "192.0.2.1"), 0);
	lab_expect(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED);
	assert_int_equal(lab_inside(dial_database, "192.0.2.1"), 0);
	lab_expect(SNIF_ALLOW, SNIF_REASON_ADDRESS_BOUND);
	assert_int_equal(greet_in_vain("other.lab.test", "192.0.2.1"), 1);
	lab_expect(SNIF_DENY, SNIF_REASON_NAME_NOT_BOUND);
}

/* The same of what userspace binds: by /etc/hosts, or what it looks up itself. */
static void test_bound_from_outside(void **state) {
	static const __u8 address[16] = {[10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 1};
	const struct snif_name_rule rule = {0};
	struct filter_binder binder;

	(void)state;
	begin(POLICY, answer_honestly);
	assert_int_equal(filter_binder_open(&binder, lab_filter(), 1), 0);
	assert_int_equal(filter_bind(&binder, "allowed.lab.test", 16, address, &rule, UINT64_MAX), 0);
	assert_int_equal(filter_bind(&binder, "other.lab.test", 14, address, &rule, 1), 0);
	filter_binder_close(&binder);
	assert_int_equal(greet_at("allowed.lab.test", "192.0.2.1"), 0);
	lab_expect(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED);
	assert_int_equal(greet_in_vain("other.lab.test", "192.0.2.1"), 1);
	lab_expect(SNIF_DENY, SNIF_REASON_NAME_NOT_BOUND);
}

static void answer_behind_nat64(const struct name_query *query, struct bytes *answer) {
	dns_begin_answer(answer, query->message);
	dns_add_address(answer, query->name, 60, NAT64);
}

/* Where a network has IPv6 alone, and a resolver writes addresses of IPv4 in it. */
static void test_nat64(void **state) {
	(void)state;
	begin(POLICY, answer_behind_nat64);
	lab_server(LAB_TLS, NAT64, 443);
	assert_int_equal(greet_at("allowed.lab.test", NAT64), -EPERM);
	lab_expect(SNIF_DENY, SNIF_REASON_NAME_NOT_BOUND);
	assert_int_equal(lab_inside(look_up, asking("allowed.lab.test", SNIF_DNS_AAAA)), 0);
	expect_lookup();
	assert_int_equal(greet_at("allowed.lab.test", NAT64), 0);
	lab_expect(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED);
}

/* As clients write names that make forging answers harder. */
static void test_mixed_case(void **state) {
	(void)state;
	begin(POLICY, answer_honestly);
	assert_int_equal(look_up_name("aLLowEd.LaB.tESt"), 0);
	expect_lookup();
	assert_int_equal(greet_at("allowed.lab.test", "192.0.2.1"), 0);
	lab_expect(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED);
}

static void test_reload_keeps_bindings(void **state) {
	(void)state;
	begin(POLICY, answer_honestly);
	assert_int_equal(look_up_name("allowed.lab.test"), 0);
	expect_lookup();
	lab_reload("version: 1\ntls: {allow: [allowed.lab.test]}\ndns: {servers: [" SERVER "], bind: require}\n");
	assert_int_equal(greet_at("allowed.lab.test", "192.0.2.1"), 0);
	lab_expect(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED);
}

static void test_observe(void **state) {
	(void)state;
	begin("version: 1\ntls: {allow: [allowed.lab.test]}\ndns: {servers: [" SERVER "], bind: observe}\n",
	      answer_honestly);
	assert_int_equal(greet_at("allowed.lab.test", "192.0.2.1"), 0);
	assert_true(lab_expect(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED)->flags & SNIF_EVENT_UNBOUND);
	assert_int_equal(look_up_name("allowed.lab.test"), 0);
	expect_lookup();
	assert_int_equal(greet_at("allowed.lab.test", "192.0.2.1"), 0);
	assert_false(lab_expect(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED)->flags & SNIF_EVENT_UNBOUND);
}

/* Audit lets through what enforcement would refuse, and tells it. */
static void test_audit(void **state) {
	struct lookup *lookup;

	(void)state;
	begin("version: 1\nmode: audit\ntls: {allow: [allowed.lab.test]}\n"
	      "dns: {servers: [" SERVER "], bind: require, names: policy}\n",
	      answer_honestly);
	assert_int_equal(greet_at("allowed.lab.test", "192.0.2.1"), 0);
	lab_expect(SNIF_DENY, SNIF_REASON_NAME_NOT_BOUND);
	lookup = lab_shared(sizeof(*lookup));
	lookup->name = "forbidden.lab.test";
	assert_int_equal(lab_inside(look_up, lookup), 0);
	expect_lookup();
	lab_expect(SNIF_DENY, SNIF_REASON_DNS_NAME);
	assert_asked(1);
}

enum { AT_ONCE = 200 };

/* Asks for so many names from one socket before it reads an answer, as resolvers in programs do; then greets under each. */
static int ask_at_once(void *argument) {
	static struct bytes question;
	struct lookup lookup = {0};
	int fd = lookup_socket(&lookup), refused = 0;
	char name[64];

	(void)argument;
	for (int i = 0; i < AT_ONCE; i++) {
		snprintf(name, sizeof(name), "n%d.wild.lab.test", i);
		dns_make_question(&question, (uint16_t)(i * 16), name, SNIF_DNS_A);
		if (lab_send(fd, question.data, question.length))
			return -errno;
	}
	for (int i = 0; i < AT_ONCE; i++)
		if (recv(fd, name, sizeof(name), 0) <= 0)
			return -errno;
	for (int i = 0; i < AT_ONCE; i++) {
		snprintf(name, sizeof(name), "n%d.wild.lab.test", i);
		refused += greet(&(struct greeting){name, "198.51.100.1", 0}) != 0;
	}
	return refused;
}

static void test_many_at_once(void **state) {
	(void)state;
	begin(POLICY, answer_honestly);
	assert_int_equal(lab_inside(ask_at_once, NULL), 0);
}

/* ---- forged answers -------------------------------------------------------------------------------------------- */

static void expect_unbound(name_answer answer, int outcome) {
	begin(POLICY, answer);
	assert_int_equal(look_up_name("allowed.lab.test"), outcome);
	expect_lookup();
	assert_int_equal(greet_at("allowed.lab.test", "192.0.2.1"), -EPERM);
	lab_expect(SNIF_DENY, SNIF_REASON_NAME_NOT_BOUND);
}

static void test_other_number(void **state) {
	(void)state;
	expect_unbound(answer_with_another_number, HERE);
}

static void test_other_question(void **state) {
	(void)state;
	expect_unbound(answer_another_question, HERE);
}

static void test_other_type(void **state) {
	(void)state;
	expect_unbound(answer_another_type, HERE);
	assert_int_equal(greet_at("allowed.lab.test", "2001:db8::1"), -EPERM);
	lab_expect(SNIF_DENY, SNIF_REASON_NAME_NOT_BOUND);
}

/* An address of IPv4 in an AAAA record is none that a server gave. */
static void test_mapped_address(void **state) {
	(void)state;
	begin(POLICY, answer_with_a_mapped_address);
	assert_int_equal(lab_inside(look_up, asking("allowed.lab.test", SNIF_DNS_AAAA)), 0);
	expect_lookup();
	assert_int_equal(greet_at("allowed.lab.test", "192.0.2.1"), -EPERM);
	lab_expect(SNIF_DENY, SNIF_REASON_NAME_NOT_BOUND);
}

static void test_error(void **state) {
	(void)state;
	expect_unbound(answer_with_an_error, HERE);
}

static void test_loop(void **state) {
	(void)state;
	expect_unbound(answer_in_a_loop, HERE);
}

static void test_unrelated_records(void **state) {
	(void)state;
	begin(POLICY, answer_beside_the_question);
	assert_int_equal(look_up_name("other.lab.test"), 0);
	expect_lookup();
	assert_int_equal(greet_at("other.lab.test", "192.0.2.1"), -EPERM);
	lab_expect(SNIF_DENY, SNIF_REASON_NAME_NOT_BOUND);
	assert_int_equal(greet_at("other.lab.test", "198.51.100.1"), 0);
	lab_expect(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED);
}

/* ---- what may be asked ----------------------------------------------------------------------------------------- */

#define LONGEST_LABEL "mzxw6ytboi3dgmrtgq2tmnzygiydcmrtgq2tmnzygiydcmrtgq2tmnzygiydcmr" /* 63 bytes */

static void test_names_of_the_policy(void **state) {
	static const char *const refused[] = {
		"forbidden.lab.test",
		"data-that-leaves.allowed.lab.test",
		LONGEST_LABEL ".allowed.lab.test",
		"lab.test",
		"wild.lab.test",
		"data.evil.test.corp.test",
		"corp.test",
		"test",
		"", /* the root */
	};
	static const char *const allowed[] = {
		"allowed.lab.test", "a.b.wild.lab.test",	  "db.lab.test",
		"ALLOWED.lab.TEST", "allowed.lab.test.corp.test", "a.wild.lab.test.corp.test"};
	struct lookup *lookup;

	(void)state;
	begin(POLICY, answer_honestly);
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		assert_int_equal(look_up_name(allowed[i]), 0);
		expect_lookup();
	}
	assert_asked(6);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		lookup = asking(refused[i], SNIF_DNS_A);
		assert_int_equal(lab_inside(look_up, lookup), -EPERM);
		expect_lookup();
		lab_expect(SNIF_DENY, *refused[i] ? SNIF_REASON_DNS_NAME : SNIF_REASON_DNS_QUESTION);
	}
	assert_asked(6);
	lab_expect_no_more();
}

/* The ways in which a question carries data beside its name. */
static bool add_data(struct bytes *question, int way) {
	static const uint8_t subnet[] = {0, 8, 0, 8, 0, 1, 32, 0, 192, 0, 2, 1}, long_cookie[4 + 41] = {0, 10, 0, 41},
			     identity[] = {0, 3, 0, 2, 'o', 'f'},
			     private_use[] = {0xfd, 0xe9, 0, 4, 'd', 'a', 't', 'a'},
			     padding[] = {0, 12, 0, 6, 0, 0, 'd', 'a', 't', 'a'}, timeout[] = {0, 11, 0, 2, 'd', 'a'};
	size_t end = question->length;

	switch (way) {
	case 0: /* something behind it */
		bytes_add(question, "data", 4);
		return true;
	case 1: /* two questions */
		question->data[5] = 2;
		dns_add_name(question, "x.test");
		bytes_number(question, 4, 0x00010001);
		return true;
	case 2: /* the client's subnet, which resolvers send on */
		dns_add_options(question, subnet, sizeof(subnet));
		return true;
	case 3: /* an option of no known kind, and those that are longer than they can be */
		dns_add_options(question, private_use, sizeof(private_use));
		return true;
	case 4:
		dns_add_options(question, long_cookie, sizeof(long_cookie));
		return true;
	case 5:
		dns_add_options(question, identity, sizeof(identity));
		return true;
	case 6: /* the version of the options, and flags that have no meaning */
		dns_add_options(question, NULL, 0);
		question->data[end + 6] = 'v';
		return true;
	case 7:
		dns_add_options(question, NULL, 0);
		question->data[end + 8] = 'f';
		return true;
	case 8: /* records of other kinds: in the place of the options, of answers, of servers */
	case 9:
	case 10:
		question->data[way == 8 ? 11 : way == 9 ? 7 : 9] = 1;
		dns_add_name(question, "data.test");
		bytes_fill(question, 0, 10);
		return true;
	case 11: /* two records of options */
		dns_add_options(question, NULL, 0);
		dns_add_options(question, NULL, 0);
		return true;
	case 12: /* an update */
		question->data[2] |= 5 << 3;
		return true;
	case 13: /* a response */
		question->data[2] |= 0x80;
		return true;
	case 14: /* a dot in a label: "allowed.lab" is one, and the server reads it so */
		question->data[SNIF_DNS_HEADER] = 11;
		question->data[SNIF_DNS_HEADER + 8] = '.';
		return true;
	case 15: /* another class */
		question->data[end - 1] = 3;
		return true;
	case 16: /* padding that is none, and a time that is the server's to say: dnsmasq sends both on */
		dns_add_options(question, padding, sizeof(padding));
		return true;
	case 17:
		dns_add_options(question, timeout, sizeof(timeout));
		return true;
	default:
		return false;
	}
}

static void test_questions_that_carry_data(void **state) {
	static const uint8_t options[] = {0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 12, 0, 3, 0, 0, 0, 0, 3, 0, 0};
	static const uint16_t types[] = {16 /* TXT */, 10 /* NULL */, 255 /* ANY */, 15 /* MX */, 12 /* PTR */};
	struct lookup *lookup;

	(void)state;
	begin(POLICY, answer_honestly);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		lookup = asking("allowed.lab.test", types[i]);
		assert_int_equal(lab_inside(look_up, lookup), -EPERM);
		expect_lookup();
		assert_int_equal(lab_expect(SNIF_DENY, SNIF_REASON_DNS_TYPE)->object.dns.type, types[i]);
	}
	for (int way = 0; add_data(&(lookup = asking("allowed.lab.test", SNIF_DNS_A))->question, way); way++) {
		assert_int_equal(lab_inside(look_up, lookup), -EPERM);
		expect_lookup();
		lab_expect(SNIF_DENY, SNIF_REASON_DNS_QUESTION);
	}
	assert_asked(0);
	/* what they keep to themselves */
	lookup = asking("allowed.lab.test", SNIF_DNS_A);
	dns_add_options(&lookup->question, options, sizeof(options));
	assert_int_equal(lab_inside(look_up, lookup), 0);
	assert_asked(1);
}

/* A server that is none of the policy's. */
static void test_another_server(void **state) {
	struct lookup *lookup;

	(void)state;
	begin(POLICY, answer_honestly);
	name_server("192.0.2.2", answer_honestly);
	for (int tcp = 0; tcp < 2; tcp++) {
		lookup = asking("allowed.lab.test", SNIF_DNS_A);
		lookup->server = "192.0.2.2";
		lookup->tcp = tcp;
		assert_int_equal(lab_inside(look_up, lookup), -EPERM);
		lab_expect(SNIF_DENY, SNIF_REASON_PORT_NOT_ALLOWED);
	}
	lab_expect_no_more();
	assert_asked(0);
}

/*
 * A socket that is connected to another place, and asks the server by its address: what it sends without one goes to
 * that place, and what it held back for there before it was connected to the server.
 */
static int ask_between(void *argument) {
	static struct bytes question;
	const bool *held_back = argument;
	struct sockaddr_storage server, other;
	socklen_t size = lab_address("2001:db8::2", SNIF_DNS_PORT, &server);
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	lab_address("2001:db8::2", 5353, &other);
	dns_make_question(&question, NUMBER, "allowed.lab.test", SNIF_DNS_A);
	if (connect(fd, (struct sockaddr *)&other, size) || (*held_back && send(fd, question.data, 1, MSG_MORE) != 1))
		return 1;
	if (*held_back ? connect(fd, (struct sockaddr *)&server, size) != 0
		       : sendto(fd, question.data, question.length, 0, (struct sockaddr *)&server, size) < 0)
		return 2;
	return send(fd, question.data + *held_back, question.length - *held_back, 0) < 0 ? -errno : 0;
}

static void test_question_to_elsewhere(void **state) {
	struct lab_server *elsewhere;
	bool *held_back;

	(void)state;
	begin("version: 1\ntls: {allow: [allowed.lab.test]}\ndns: {servers: [\"2001:db8::2\"], names: policy}\n",
	      answer_honestly);
	name_server("2001:db8::2", answer_honestly);
	elsewhere = lab_server(LAB_UDP, "2001:db8::2", 5353);
	held_back = lab_shared(sizeof(*held_back));
	for (int i = 0; i < 2; i++) {
		*held_back = i;
		assert_int_equal(lab_inside(ask_between, held_back), -EPERM);
		expect_lookup();
		lab_expect(SNIF_DENY, SNIF_REASON_OTHER_DESTINATION);
	}
	assert_int_equal(lab_seen(elsewhere, 0).received, 0);
}

/* A name that a rule denies is refused by that rule, in whose words the refusal may be no news. */
static void test_denied_name(void **state) {
	(void)state;
	begin("version: 1\ntls: {allow: [.lab.test], deny: [denied.lab.test]}\n"
	      "dns: {servers: [" SERVER "], names: policy}\n",
	      answer_honestly);
	assert_int_equal(lab_inside(look_up, asking("denied.lab.test", SNIF_DNS_A)), -EPERM);
	expect_lookup();
	assert_int_not_equal(lab_expect(SNIF_DENY, SNIF_REASON_DNS_NAME)->rule, 0);
	assert_int_equal(lab_inside(look_up, asking("other.test", SNIF_DNS_A)), -EPERM);
	expect_lookup();
	assert_int_equal(lab_expect(SNIF_DENY, SNIF_REASON_DNS_NAME)->rule, 0);
}

/* A rule for the server's address is none that lets unread questions pass. */
static void test_server_is_direct_too(void **state) {
	(void)state;
	begin("version: 1\ntls: {allow: [allowed.lab.test]}\ndirect: {allow: [203.0.113.0/24, " SERVER "]}\n"
	      "dns: {servers: [" SERVER "], names: policy}\n",
	      answer_honestly);
	assert_int_equal(lab_inside(look_up, asking("forbidden.lab.test", SNIF_DNS_A)), -EPERM);
	expect_lookup();
	lab_expect(SNIF_DENY, SNIF_REASON_DNS_NAME);
	assert_asked(0);
}

/*
 * One write that the kernel cuts into datagrams: as a whole it is a good question with a cookie, but the cookie is
 * another question, which would leave by itself.
 */
static int send_in_segments(void *argument) {
	static struct bytes hidden, cookie, whole;
	int fd = lookup_socket(argument), size;

	dns_make_question(&hidden, NUMBER, "data.evil.test", SNIF_DNS_A);
	cookie.length = 0;
	bytes_number(&cookie, 2, SNIF_EDNS_COOKIE);
	bytes_number(&cookie, 2, (uint32_t)hidden.length + 8);
	dns_make_question(&whole, NUMBER, "allowed.lab.test", SNIF_DNS_A);
	size = (int)whole.length + 11 + 4;
	bytes_add(&cookie, hidden.data, hidden.length);
	bytes_fill(&cookie, 0, 8);
	dns_add_options(&whole, cookie.data, cookie.length);
	if (setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)))
		return -errno;
	return send(fd, whole.data, whole.length, 0) < 0 ? -errno : 0;
}

static void test_cut_by_the_kernel(void **state) {
	struct lookup *lookup;

	(void)state;
	begin(POLICY, answer_honestly);
	lookup = lab_shared(sizeof(*lookup));
	assert_int_equal(lab_inside(send_in_segments, lookup), -EPERM);
	expect_lookup();
	lab_expect(SNIF_DENY, SNIF_REASON_DNS_QUESTION);
	lab_sleep_ms(100);
	assert_asked(0);
}

/* The last byte is out of band, and the server leaves it out of what it reads. */
static int send_urgently(void *argument) {
	static struct bytes question, framed;
	int fd = lookup_socket(argument);

	dns_make_question(&question, NUMBER, "allowed.lab.test", SNIF_DNS_A);
	dns_frame(&framed, &question);
	if (fd < 0 || send(fd, framed.data, framed.length, MSG_OOB) != (ssize_t)framed.length)
		return -errno;
	return lab_receive(fd, framed.data, 2) == 2;
}

static void test_urgent_data(void **state) {
	struct lookup *lookup;

	(void)state;
	begin(POLICY, answer_honestly);
	lookup = lab_shared(sizeof(*lookup));
	lookup->tcp = true;
	assert_int_equal(lab_inside(send_urgently, lookup), 0);
	expect_lookup();
	lab_expect(SNIF_DENY, SNIF_REASON_DNS_QUESTION);
	assert_asked(0);
}

static void test_https_denied(void **state) {
	struct lookup *lookup;

	(void)state;
	begin("version: 1\ntls: {allow: [allowed.lab.test]}\ndns: {servers: [" SERVER "], https: deny}\n",
	      answer_honestly);
	lookup = asking("allowed.lab.test", SNIF_DNS_HTTPS);
	assert_int_equal(lab_inside(look_up, lookup), -EPERM);
	expect_lookup();
	lab_expect(SNIF_DENY, SNIF_REASON_DNS_TYPE);
	assert_int_equal(lab_inside(look_up, asking("anything.test", 16)), 0);
	assert_asked(1);
}

/* ---- over TCP -------------------------------------------------------------------------------------------------- */

/* The name is found over TCP, and bound. */
static void expect_found_over_tcp(void) {
	struct lookup *lookup = asking("allowed.lab.test", SNIF_DNS_A);

	lookup->tcp = true;
	assert_int_equal(lab_inside(look_up, lookup), 0);
	expect_lookup();
	assert_int_equal(greet_at("allowed.lab.test", "192.0.2.1"), 0);
	lab_expect(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED);
}

static void test_over_tcp(void **state) {
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		lab_enter();
		lab_server(LAB_TLS, "192.0.2.1", 443);
		name_server_in_pieces(SERVER, i < 2 ? answer_like_a_cdn : answer_with_signatures, i % 2 * 7);
		lab_confine(POLICY);
		expect_found_over_tcp();
		leave(NULL);
	}
}

/* What has come behind a gap is held off, and read when it comes again. */
static void test_lost_over_tcp(void **state) {
	(void)state;
	lab_enter();
	lab_server(LAB_TLS, "192.0.2.1", 443);
	name_server_that_loses(SERVER, answer_like_a_cdn, 40);
	lab_confine(POLICY);
	expect_found_over_tcp();
}

struct conversation {
	const char *server;
	int count;
	bool at_once;
};

static const char *conversation_name(int number) {
	static char name[64];

	snprintf(name, sizeof(name), "n%d.wild.lab.test", number);
	return name;
}

/* Asks for so many names over one connection, all at once or each behind the last answer. Returns how many answers came. */
static int converse(void *argument) {
	static struct bytes question, framed, answer;
	const struct conversation *conversation = argument;
	int fd = lab_dial(conversation->server, SNIF_DNS_PORT), answered = 0;
	uint8_t length[2];

	for (int asked = 0; answered < conversation->count;) {
		if (asked < conversation->count) {
			dns_make_question(&question, NUMBER, conversation_name(asked++), SNIF_DNS_A);
			dns_frame(&framed, &question);
			if (lab_send(fd, framed.data, framed.length))
				break;
		}
		if (conversation->at_once && asked < conversation->count)
			continue;
		if (lab_receive(fd, length, 2) != 2)
			break;
		answer.length = (size_t)(length[0] << 8 | length[1]);
		if (lab_receive(fd, answer.data, answer.length) != answer.length)
			break;
		answered++;
	}
	lab_reset(fd);
	return answered;
}

static void expect_conversation(struct conversation conversation) {
	assert_int_equal(lab_inside(converse, &conversation), conversation.count);
	expect_lookup();
	for (int i = 1; i < conversation.count; i++)
		assert_int_equal(greet_at(conversation_name(i), "198.51.100.1"), 0);
}

/* As a server's answers are that wait for the acknowledgement of the first one. */
static void test_many_answers_in_a_segment(void **state) {
	(void)state;
	lab_enter();
	lab_server(LAB_TLS, "198.51.100.1", 443);
	name_server_that_gathers(SERVER, answer_honestly, 40);
	lab_confine(POLICY);
	expect_conversation((struct conversation){SERVER, 40, true});
}

/* Another name, which the owners of 30 records lead to by a pointer. */
static void answer_at_great_cost(const struct name_query *query, struct bytes *answer) {
	size_t other;

	dns_begin_answer(answer, query->message);
	other = answer->length;
	dns_add_record(answer, LONGEST_LABEL "." LONGEST_LABEL "." LONGEST_LABEL, 16, 60, "", 0);
	for (int i = 0; i < 30; i++, answer->data[7]++) {
		bytes_number(answer, 2, 0xc000 | (uint32_t)other);
		bytes_fill(answer, 0, 10);
	}
	dns_add_address(answer, query->name, 60, "198.51.100.1");
}

/* No packet takes longer than it may: what is behind that in a connection counts no more. */
static void test_costly_answers_in_a_segment(void **state) {
	struct conversation conversation = {SERVER, 40, true};

	(void)state;
	lab_enter();
	lab_server(LAB_TLS, "198.51.100.1", 443);
	name_server_that_gathers(SERVER, answer_at_great_cost, 40);
	lab_confine(POLICY);
	assert_int_equal(lab_inside(converse, &conversation), 40);
	expect_lookup();
	assert_int_equal(greet_at(conversation_name(15), "198.51.100.1"), 0);
	lab_expect(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED);
	assert_int_equal(greet_in_vain(conversation_name(39), "198.51.100.1"), 1);
	lab_expect(SNIF_DENY, SNIF_REASON_NAME_NOT_BOUND);
}

/* What a network has sent twice, and late, is not the beginning of another connection. */
static void test_late_syn(void **state) {
	(void)state;
	lab_enter();
	lab_server(LAB_TLS, "198.51.100.1", 443);
	name_server_that_repeats("2001:db8::2", answer_honestly);
	lab_confine("version: 1\ntls: {allow: [\"*.wild.lab.test\"]}\n"
		    "dns: {servers: [\"2001:db8::2\"], bind: require}\n");
	expect_conversation((struct conversation){"2001:db8::2", 2, false});
}

/* The first name has more addresses than are read. */
static void answer_at_length(const struct name_query *query, struct bytes *answer) {
	dns_begin_answer(answer, query->message);
	for (int i = strcmp(query->name, conversation_name(0)) == 0 ? 250 : 1; i > 0; i--)
		dns_add_address(answer, query->name, 60, "198.51.100.1");
}

/* A connection goes on behind an answer that is too long to count. */
static void test_long_answer_over_tcp(void **state) {
	(void)state;
	begin(POLICY, answer_at_length);
	expect_conversation((struct conversation){SERVER, 2, false});
}

static void test_refused_over_tcp(void **state) {
	struct lookup *lookup;

	(void)state;
	begin(POLICY, answer_honestly);
	lookup = asking("forbidden.lab.test", SNIF_DNS_A);
	lookup->tcp = true;
	assert_int_not_equal(lab_inside(look_up, lookup), 0);
	expect_lookup();
	lab_expect(SNIF_DENY, SNIF_REASON_DNS_NAME);
	/* cut up, no segment is a question */
	lookup = asking("allowed.lab.test", SNIF_DNS_A);
	lookup->tcp = true;
	lookup->piece = 1;
	assert_int_not_equal(lab_inside(look_up, lookup), 0);
	expect_lookup();
	lab_expect(SNIF_DENY, SNIF_REASON_DNS_QUESTION);
	assert_asked(0);
}

struct several {
	int count, forbidden;
};

/* Sends several questions in one segment. Returns whether all of them are answered. */
static int send_several(void *argument) {
	static struct bytes question, framed, all;
	const struct several *several = argument;
	struct lookup lookup = {.tcp = true};
	int fd = lookup_socket(&lookup);
	int answered = 0;
	uint8_t length[2];

	all.length = 0;
	for (int i = 0; i < several->count; i++) {
		dns_make_question(&question, NUMBER,
				  i == several->forbidden ? "forbidden.lab.test" : "allowed.lab.test", SNIF_DNS_A);
		dns_frame(&framed, &question);
		bytes_add(&all, framed.data, framed.length);
	}
	if (fd < 0 || lab_send(fd, all.data, all.length))
		return -errno;
	while (answered < several->count && lab_receive(fd, length, 2) == 2 &&
	       lab_receive(fd, framed.data, (size_t)(length[0] << 8 | length[1])) > 0)
		answered++;
	return answered == several->count;
}

/* Each is judged, and there are not more than that. */
static void test_several_in_a_segment(void **state) {
	static const struct several good = {SNIF_DNS_OF_SEGMENT - 1, -1},
				    hidden = {SNIF_DNS_OF_SEGMENT - 1, SNIF_DNS_OF_SEGMENT - 2},
				    many = {SNIF_DNS_OF_SEGMENT, -1};

	(void)state;
	begin(POLICY, answer_honestly);
	assert_int_equal(lab_inside(send_several, (void *)&good), 1);
	expect_lookup();
	assert_int_equal(lab_inside(send_several, (void *)&hidden), 0);
	expect_lookup();
	lab_expect(SNIF_DENY, SNIF_REASON_DNS_NAME);
	assert_int_equal(lab_inside(send_several, (void *)&many), 0);
	expect_lookup();
	lab_expect(SNIF_DENY, SNIF_REASON_DNS_QUESTION);
	assert_asked(SNIF_DNS_OF_SEGMENT - 1);
}

/* The name of an address may be asked for where some name was found at it; what is like that carries data. */
static void test_reverse_lookups(void **state) {
	static const char *const found[] = {
		"1.2.0.192.in-addr.arpa",
		"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
	};
	static const char *const others[] = {"1.100.51.198.in-addr.arpa", "01.2.0.192.in-addr.arpa",
					     "x.1.2.0.192.in-addr.arpa", "2.0.192.in-addr.arpa"};

	(void)state;
	begin(POLICY, answer_honestly);
	assert_int_equal(lab_inside(look_up, asking(found[0], SNIF_DNS_PTR)), -EPERM);
	expect_lookup();
	lab_expect(SNIF_DENY, SNIF_REASON_DNS_NAME);
	assert_int_equal(look_up_name("allowed.lab.test"), 0);
	assert_int_equal(lab_inside(look_up, asking("allowed.lab.test", SNIF_DNS_AAAA)), 0);
	expect_lookup();
	expect_lookup();
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(lab_inside(look_up, asking(found[i], SNIF_DNS_PTR)), 0);
		expect_lookup();
	}
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(lab_inside(look_up, asking(others[i], SNIF_DNS_PTR)), -EPERM);
		expect_lookup();
		lab_expect(SNIF_DENY, SNIF_REASON_DNS_NAME);
	}
	/* its other records are not asked for */
	assert_int_equal(lab_inside(look_up, asking(found[0], SNIF_DNS_A)), -EPERM);
	expect_lookup();
	lab_expect(SNIF_DENY, SNIF_REASON_DNS_NAME);
	assert_asked(4);
}

/* ---- rules by name --------------------------------------------------------------------------------------------- */

static void test_direct_by_name(void **state) {
	(void)state;
	begin(POLICY, answer_honestly);
	lab_server(LAB_SINK, "198.51.100.1", 5432);
	assert_int_equal(lab_inside(dial_database, "198.51.100.1"), -EPERM);
	lab_expect(SNIF_DENY, SNIF_REASON_PORT_NOT_ALLOWED);
	/* another name at the same address opens nothing */
	assert_int_equal(look_up_name("other.lab.test"), 0);
	expect_lookup();
	assert_int_equal(lab_inside(dial_database, "198.51.100.1"), -EPERM);
	lab_expect(SNIF_DENY, SNIF_REASON_PORT_NOT_ALLOWED);
	assert_int_equal(look_up_name("db.lab.test"), 0);
	expect_lookup();
	assert_int_equal(lab_inside(dial_database, "198.51.100.1"), 0);
	assert_int_not_equal(lab_expect(SNIF_ALLOW, SNIF_REASON_ADDRESS_BOUND)->rule, 0);
	assert_int_equal(lab_inside(dial_database, "192.0.2.1"), -EPERM);
	lab_expect(SNIF_DENY, SNIF_REASON_PORT_NOT_ALLOWED);
	/* and none of its other ports */
	assert_int_equal(greet_in_vain("db.lab.test", "198.51.100.1"), 1);
	lab_expect(SNIF_DENY, SNIF_REASON_NAME_NOT_ALLOWED);
}

/* A reload takes the rule away, and gives its place among the ports to another host's. */
static void test_direct_rule_removed(void **state) {
	(void)state;
	begin(POLICY, answer_honestly);
	lab_server(LAB_SINK, "198.51.100.1", 5432);
	assert_int_equal(look_up_name("db.lab.test"), 0);
	expect_lookup();
	lab_reload("version: 1\ntls: {allow: [allowed.lab.test]}\n"
		   "direct: {allow: [{host: another.lab.test, proto: tcp, ports: [5432]}]}\n"
		   "dns: {servers: [" SERVER "], bind: require}\n");
	assert_int_equal(lab_inside(dial_database, "198.51.100.1"), -EPERM);
	lab_expect(SNIF_DENY, SNIF_REASON_PORT_NOT_ALLOWED);
}

static int dial_ssh(void *address) {
	int fd = lab_dial(address, 22);

	return fd < 0 ? fd : 0;
}

static void test_direct_rule_renumbered(void **state) {
	(void)state;
	begin(POLICY, answer_honestly);
	lab_server(LAB_SINK, "198.51.100.1", 22);
	assert_int_equal(look_up_name("db.lab.test"), 0);
	expect_lookup();
	lab_reload(
		"version: 1\ntls: {allow: [allowed.lab.test]}\n"
		"direct: {allow: [{host: another.lab.test, proto: tcp, ports: [22]}, {host: db.lab.test, proto: tcp, ports: [5432]}]}\n"
		"dns: {servers: [" SERVER "], bind: require}\n");
	assert_int_equal(lab_inside(dial_ssh, "198.51.100.1"), -EPERM);
	lab_expect(SNIF_DENY, SNIF_REASON_PORT_NOT_ALLOWED);
}

/* The answer is that of another name, which a search domain has made. */
static void test_direct_of_search_domain(void **state) {
	(void)state;
	begin(POLICY, answer_honestly);
	lab_server(LAB_SINK, "198.51.100.1", 5432);
	assert_int_equal(look_up_name("db.lab.test.corp.test"), 0);
	expect_lookup();
	assert_int_equal(lab_inside(dial_database, "198.51.100.1"), -EPERM);
	lab_expect(SNIF_DENY, SNIF_REASON_PORT_NOT_ALLOWED);
}

/* ---- answers in the log ---------------------------------------------------------------------------------------- */

static const struct snif_event *expect_answer_of(const char *name) {
	const struct snif_event *event = lab_expect(SNIF_UNDECIDED, SNIF_REASON_NONE);

	assert_true(event->flags & SNIF_EVENT_ANSWER);
	assert_int_equal(event->name_length, strlen(name));
	assert_memory_equal(event->name, name, strlen(name));
	assert_int_equal(event->object.dns.id, NUMBER);
	assert_int_equal(event->destination_port, SNIF_DNS_PORT);
	return event;
}

/* Also of names that the policy says nothing of, and in audit mode of those that it would not have looked up. */
static void test_answers_are_told(void **state) {
	static const __u8 first[16] = {[10] = 0xff, 0xff, 192, 0, 2, 1};
	const struct snif_event *event;

	(void)state;
	begin("version: 1\ntls: {allow: [allowed.lab.test]}\n"
	      "dns: {servers: [" SERVER "], bind: require, log: answers, grace: 5s}\n",
	      answer_honestly);
	assert_int_equal(look_up_name("allowed.lab.test"), 0);
	expect_lookup();
	event = expect_answer_of("allowed.lab.test");
	assert_true(event->flags & SNIF_EVENT_BOUND);
	assert_int_equal(event->answer_count, 1);
	assert_memory_equal(event->answers[0].address, first, 16);
	assert_int_equal(event->answers[0].ttl, 60);
	assert_int_equal(snif_dns_counts_for(&event->dns, event->answers[0].ttl), 3605);
	assert_int_equal(look_up_name("stranger.test"), 0);
	expect_lookup();
	assert_false(expect_answer_of("stranger.test")->flags & SNIF_EVENT_BOUND);
	/* what is told of binds nothing by that */
	assert_int_equal(greet_at("stranger.test", "198.51.100.1"), -EPERM);
	lab_expect(SNIF_DENY, SNIF_REASON_NAME_NOT_BOUND);

	lab_reload("version: 1\nmode: audit\ntls: {allow: [allowed.lab.test]}\n"
		   "dns: {servers: [" SERVER "], names: policy, log: answers}\n");
	assert_int_equal(look_up_name("stranger.test"), 0);
	expect_lookup();
	lab_expect(SNIF_DENY, SNIF_REASON_DNS_NAME);
	expect_answer_of("stranger.test");
	lab_expect_no_more();
}

/* An answer that nobody asked for is none of the log's. */
static void test_other_answers_are_not_told(void **state) {
	(void)state;
	begin("version: 1\ndns: {servers: [" SERVER "], log: answers}\n", answer_with_another_number);
	assert_int_equal(look_up_name("allowed.lab.test"), 0);
	expect_lookup();
	lab_expect_no_more();
}

int main(void) {
	const struct CMUnitTest tests[] = {
		dns_test(test_name_needs_a_lookup),
		dns_test(test_name_of_another_address),
		dns_test(test_aliases),
		dns_test(test_hints_of_services),
		dns_test(test_time_to_live),
		dns_test(test_other_time_to_live),
		dns_test(test_bound_from_outside),
		dns_test(test_mixed_case),
		dns_test(test_nat64),
		dns_test(test_reload_keeps_bindings),
		dns_test(test_many_at_once),
		dns_test(test_observe),
		dns_test(test_audit),
		dns_test(test_other_number),
		dns_test(test_other_question),
		dns_test(test_other_type),
		dns_test(test_mapped_address),
		dns_test(test_error),
		dns_test(test_loop),
		dns_test(test_unrelated_records),
		dns_test(test_names_of_the_policy),
		dns_test(test_questions_that_carry_data),
		dns_test(test_another_server),
		dns_test(test_question_to_elsewhere),
		dns_test(test_denied_name),
		dns_test(test_server_is_direct_too),
		dns_test(test_cut_by_the_kernel),
		dns_test(test_urgent_data),
		dns_test(test_https_denied),
		dns_test(test_over_tcp),
		dns_test(test_lost_over_tcp),
		dns_test(test_many_answers_in_a_segment),
		dns_test(test_costly_answers_in_a_segment),
		dns_test(test_late_syn),
		dns_test(test_long_answer_over_tcp),
		dns_test(test_refused_over_tcp),
		dns_test(test_several_in_a_segment),
		dns_test(test_reverse_lookups),
		dns_test(test_direct_by_name),
		dns_test(test_direct_rule_removed),
		dns_test(test_direct_rule_renumbered),
		dns_test(test_direct_of_search_domain),
		dns_test(test_answers_are_told),
		dns_test(test_other_answers_are_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
