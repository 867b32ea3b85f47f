/* SPDX-License-Identifier: BSD-2-Clause */
/* summary.c: the summary of a run, word for word. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/policy_told.h"
#include "address.h"
#include "analysis/remedy.h"
#include "run/summary_print.h"

#define ALLOW "To allow what of it is wanted, write into the policy:\n"

static struct summary *summary;
static struct policy *policy;

static struct snif_event event_of(enum snif_verdict verdict, enum snif_reason reason) {
	return (struct snif_event){
		.verdict = verdict, .reason = reason, .hook = SNIF_HOOK_EGRESS, .protocol = IPPROTO_TCP};
}

static struct snif_event name_event(enum snif_verdict verdict, enum snif_reason reason, const char *name) {
	struct snif_event event = event_of(verdict, reason);
	__u32 ipv4 = htonl(0xc0000201);

	snif_map_ipv4(event.destination, &ipv4);
	event.destination_port = 443;

	event.flags = SNIF_EVENT_HELLO;
	event.name_length = (__u16)strlen(name);
	memcpy(event.name, name, event.name_length);
	return event;
}

static struct snif_event address_event(__u8 protocol, __u32 ipv4, __u16 port) {
	struct snif_event event = event_of(SNIF_DENY, SNIF_REASON_ADDRESS_NOT_ALLOWED);

	ipv4 = htonl(ipv4);
	snif_map_ipv4(event.destination, &ipv4);
	event.destination_port = port;
	event.protocol = protocol;
	return event;
}

static void add(struct snif_event event, int times) {
	while (times-- > 0)
		assert_int_equal(summary_add(summary, &event, false), 0);
}

/* What the summary prints. To be freed. */
static char *printed(uint64_t lost) {
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	summary_print(summary, policy, lost, out);
	fclose(out);
	return text;
}

static void expect(uint64_t lost, const char *wanted) {
	char *text = printed(lost);

	assert_string_equal(text, wanted);
	free(text);
}

static void test_nothing(void **state) {
	(void)state;
	expect(0, "");
}

/* Refused before allowed, the most frequent first, then by reason and text. */
static void test_order(void **state) {
	(void)state;
	add(name_event(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED, "once.test"), 1);
	add(name_event(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED, "allowed.test"), 9);
	add(address_event(IPPROTO_TCP, 0xc0000209, 22), 1);
	add(name_event(SNIF_DENY, SNIF_REASON_NAME_NOT_ALLOWED, "b.test"), 2);
	add(name_event(SNIF_DENY, SNIF_REASON_NAME_NOT_ALLOWED, "a.test"), 2);
	add(name_event(SNIF_DENY, SNIF_REASON_NAME_ELSEWHERE, "allowed.test"), 3);
	expect(0, "snifence: 10 allowed, 8 refused\n"
		  "  refused      allowed.test at 192.0.2.1:443/TCP             name_elsewhere          3\n"
		  "  refused      a.test                                        name_not_allowed        2\n"
		  "  refused      b.test                                        name_not_allowed        2\n"
		  "  refused      192.0.2.9:22/TCP                              address_not_allowed     1\n"
		  "  allowed      allowed.test                                  name_allowed            9\n"
		  "  allowed      once.test                                     name_allowed            1\n"
		  "  name_elsewhere: Bring the list up to date, or leave `to` out of the rule; if neither, it was an "
		  "attempt.\n" ALLOW "  tls:\n    allow:\n      - a.test\n      - b.test\n"
		  "  direct:\n    allow:\n      - {to: 192.0.2.9, proto: tcp, ports: [22]} # not inspected\n");
}

static void test_audit(void **state) {
	struct snif_event event = name_event(SNIF_DENY, SNIF_REASON_NAME_NOT_ALLOWED, "forbidden.test");

	(void)state;
	event.mode = SNIF_AUDIT;
	add(event, 2);
	expect(0, "snifence: 0 allowed, 2 would be refused\n"
		  "  would refuse forbidden.test                                name_not_allowed        2\n" ALLOW
		  "  tls:\n    allow:\n      - forbidden.test\n");
	event.mode = SNIF_ENFORCE;
	add(event, 1);
	expect(0, "snifence: 0 allowed, 1 refused, 2 would be refused\n"
		  "  would refuse forbidden.test                                name_not_allowed        2\n"
		  "  refused      forbidden.test                                name_not_allowed        1\n" ALLOW
		  "  tls:\n    allow:\n      - forbidden.test\n");
}

static void test_hints(void **state) {
	(void)state;
	add(name_event(SNIF_DENY, SNIF_REASON_HELLO_TOO_LONG, "a.test"), 3);
	add(name_event(SNIF_DENY, SNIF_REASON_HELLO_TOO_LONG, "b.test"), 1);
	add(name_event(SNIF_DENY, SNIF_REASON_TRAILING_DOT, "b.test."), 1);
	expect(0, "snifence: 0 allowed, 5 refused\n"
		  "  refused      a.test                                        hello_too_long          3\n"
		  "  refused      b.test                                        hello_too_long          1\n"
		  "  refused      b.test.                                       trailing_dot            1\n"
		  "  hello_too_long: `tls.max_hello` can be up to 64 KiB.\n"
		  "  trailing_dot: Take the dot off; or `tls.unusual: [trailing_dot]` lets it pass.\n");
}

/* A name that may not be looked up gets the rule that TLS to it would need, and the note that it may be for something else;
 * data in a name does not, nor the name of an address, nor what is asked about a host besides. */
static void test_lookups(void **state) {
	struct snif_event event = name_event(SNIF_DENY, SNIF_REASON_DNS_NAME, "a.test");

	(void)state;
	event.destination_port = 53;
	event.protocol = IPPROTO_UDP;
	add(event, 2);
	event = name_event(SNIF_DENY, SNIF_REASON_DNS_NAME, "\x01.evil.test");
	add(event, 1);
	add(name_event(SNIF_DENY, SNIF_REASON_DNS_NAME, "1.2.0.192.in-addr.arpa"), 1);
	add(name_event(SNIF_DENY, SNIF_REASON_DNS_NAME, "_http._tcp.a.test"), 1);
	expect(0, "snifence: 0 allowed, 5 refused\n"
		  "  refused      a.test                                        dns_name                2\n"
		  "  refused      1.2.0.192.in-addr.arpa                        dns_name                1\n"
		  "  refused      \\x01.evil.test                                dns_name                1\n"
		  "  refused      _http._tcp.a.test                             dns_name                1\n" ALLOW
		  "  tls:\n    allow:\n      - a.test # " REMEDY_LOOKUP "\n");
}

/* Of what is known of the purpose of a lookup, more is told. */
static void test_lookup_and_connection(void **state) {
	(void)state;
	add(name_event(SNIF_DENY, SNIF_REASON_DNS_NAME, "a.test"), 3);
	add(name_event(SNIF_DENY, SNIF_REASON_NAME_NOT_ALLOWED, "a.test"), 1);
	expect(0, "snifence: 0 allowed, 4 refused\n"
		  "  refused      a.test                                        dns_name                3\n"
		  "  refused      a.test                                        name_not_allowed        1\n" ALLOW
		  "  tls:\n    allow:\n      - a.test\n");
}

/* Audit mode lets lookups go on, so that a connection after one would have been seen. */
static void test_lookups_in_audit(void **state) {
	struct snif_event events[] = {name_event(SNIF_DENY, SNIF_REASON_DNS_NAME, "a.test"),
				      name_event(SNIF_DENY, SNIF_REASON_DNS_NAME, "b.test"),
				      name_event(SNIF_DENY, SNIF_REASON_NAME_NOT_ALLOWED, "a.test"),
				      address_event(IPPROTO_UDP, 0xc0000209, 53)};

	(void)state;
	for (int i = 0; i < 4; i++) {
		events[i].mode = SNIF_AUDIT;
		add(events[i], 4 - i);
	}
	expect(0, "snifence: 0 allowed, 10 would be refused\n"
		  "  would refuse a.test                                        dns_name                4\n"
		  "  would refuse b.test                                        dns_name                3\n"
		  "  would refuse a.test                                        name_not_allowed        2\n"
		  "  would refuse 192.0.2.9:53/UDP                              address_not_allowed     1\n" ALLOW
		  "  tls:\n    allow:\n      - a.test\n"
		  "  dns:\n    servers:\n      - 192.0.2.9\n    allow:\n      - b.test\n");
}

/* Where a rule denies it, none of the other kind is proposed. */
static void test_denied_lookup(void **state) {
	struct snif_event event = name_event(SNIF_DENY, SNIF_REASON_DNS_NAME, "a.test");

	(void)state;
	event.rule = 1;
	add(event, 1);
	expect(0, "snifence: 0 allowed, 1 refused\n"
		  "  refused      a.test                                        dns_name                1\n");
}

static void test_lost(void **state) {
	(void)state;
	expect(1, "snifence: 0 allowed, 0 refused\n"
		  "  1 event was lost (the ring buffer was full); counters are complete\n");
	expect(12, "snifence: 0 allowed, 0 refused\n"
		   "  12 events were lost (the ring buffer was full); counters are complete\n");
}

/* The same address with another port or protocol is another line; so is a socket that never had a destination. */
static void test_destinations(void **state) {
	struct snif_event event = event_of(SNIF_DENY, SNIF_REASON_SOCKET_TYPE);

	(void)state;
	add(address_event(IPPROTO_UDP, 0xc0000209, 443), 4);
	add(address_event(IPPROTO_TCP, 0xc0000209, 80), 3);
	event.protocol = IPPROTO_ICMP;
	add(event, 2);
	event = address_event(IPPROTO_TCP, 0, 443);
	memcpy(event.destination, (__u8[16]){0x20, 0x01, 0x0d, 0xb8, [15] = 1}, 16);
	add(event, 1);
	event = event_of(SNIF_DENY, SNIF_REASON_DEVICE);
	event.hook = SNIF_HOOK_DEVICE;
	event.object.major = 10;
	event.object.minor = 200;
	add(event, 5);
	expect(0, "snifence: 0 allowed, 15 refused\n"
		  "  refused      device 10:200                                 device                  5\n"
		  "  refused      192.0.2.9:443/UDP                             address_not_allowed     4\n"
		  "  refused      192.0.2.9:80/TCP                              address_not_allowed     3\n"
		  "  refused      a socket of protocol ICMP                     socket_type             2\n"
		  "  refused      [2001:db8::1]:443/TCP                         address_not_allowed     1\n"
		  "  device: Run it outside; it has no rule.\n"
		  "  socket_type: There is no rule that allows these: use TCP or UDP.\n" ALLOW
		  "  direct:\n    allow:\n      - {to: 192.0.2.9, proto: tcp, ports: [80]} # not inspected\n");
}

static void test_hostile_names(void **state) {
	struct snif_event event = name_event(SNIF_DENY, SNIF_REASON_NAME_INVALID, "\x1b[2J\n\\\xff");

	(void)state;
	add(event, 1);
	expect(0, "snifence: 0 allowed, 1 refused\n"
		  "  refused      \\x1b[2J\\x0a\\x5c\\xff                           name_invalid            1\n"
		  "  name_invalid: No usual program sends that: look at the one that did.\n");
}

/* A length that is wrong, a verdict and a reason that do not exist. */
static void test_corrupt(void **state) {
	struct snif_event event = {.name_length = 65535, .verdict = 77, .mode = 99, .reason = 255};
	char wanted[512];

	(void)state;
	memset(event.name, 'a', sizeof(event.name));
	add(event, 1);
	event.verdict = SNIF_UNDECIDED;
	add(event, 1);
	snprintf(wanted, sizeof(wanted),
		 "snifence: 0 allowed, 2 refused\n  refused      %.*s  unknown                 2\n", 256,
		 (char *)event.name);
	expect(0, wanted);
}

static void add_numbered(enum snif_verdict verdict, enum snif_reason reason, int count) {
	char name[16];

	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "n%05d.test", i);
		add(name_event(verdict, reason, name), 1);
	}
}

/* Prints the summary and returns how many lines it has; `last` is the last one. */
static int count_lines(char last[128]) {
	FILE *out = tmpfile();
	char line[512];
	int count = 0;

	assert_non_null(out);
	summary_print(summary, policy, 0, out);
	rewind(out);
	for (; fgets(line, sizeof(line), out); count++)
		snprintf(last, 128, "%.127s", line);
	fclose(out);
	return count;
}

static void test_many_lines(void **state) {
	char last[128];

	(void)state;
	add_numbered(SNIF_DENY, SNIF_REASON_NAME_DENIED, 20);
	assert_int_equal(count_lines(last), 1 + 20);
	add_numbered(SNIF_DENY, SNIF_REASON_NAME_DENIED, 23);
	assert_int_equal(count_lines(last), 1 + 20 + 1);
	assert_string_equal(last, "  ... and 3 more\n");
	add_numbered(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED, 22);
	assert_int_equal(count_lines(last), 1 + 20 + 1 + 20 + 1);
	assert_string_equal(last, "  ... and 2 more\n");
}

/* A program that tries a million names must not take memory for all of them. */
static void test_too_many_lines(void **state) {
	static const char begin_of_it[] =
		"snifence: 0 allowed, 20008 refused\n"
		"  refused      n00000.test                                   name_denied             5\n"
		"  refused      n00001.test                                   name_denied             2\n";
	char last[128], *text;

	(void)state;
	add_numbered(SNIF_DENY, SNIF_REASON_NAME_DENIED, 10000);
	count_lines(last);
	assert_string_equal(last, "  ... and 9980 more\n");
	add_numbered(SNIF_DENY, SNIF_REASON_NAME_DENIED, 10005);
	count_lines(last);
	assert_string_equal(last, "  other events, beyond 10000 different lines: 5\n");
	/* what has a line is still counted there */
	add(name_event(SNIF_DENY, SNIF_REASON_NAME_DENIED, "n00000.test"), 3);
	count_lines(last);
	assert_string_equal(last, "  other events, beyond 10000 different lines: 5\n");
	text = printed(0);
	assert_memory_equal(text, begin_of_it, sizeof(begin_of_it) - 1);
	free(text);
}

static int begin(void **state) {
	(void)state;
	summary = summary_new();
	policy = policy_without_errors("version: 1\ndns: {servers: none}\n");
	return summary ? 0 : -1;
}

static int end(void **state) {
	(void)state;
	summary_free(summary);
	policy_free(policy);
	return 0;
}

static void test_free_nothing(void **state) {
	(void)state;
	summary_free(NULL);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nothing, begin, end),
		cmocka_unit_test_setup_teardown(test_order, begin, end),
		cmocka_unit_test_setup_teardown(test_audit, begin, end),
		cmocka_unit_test_setup_teardown(test_hints, begin, end),
		cmocka_unit_test_setup_teardown(test_lookups, begin, end),
		cmocka_unit_test_setup_teardown(test_lookup_and_connection, begin, end),
		cmocka_unit_test_setup_teardown(test_lookups_in_audit, begin, end),
		cmocka_unit_test_setup_teardown(test_denied_lookup, begin, end),
		cmocka_unit_test_setup_teardown(test_lost, begin, end),
		cmocka_unit_test_setup_teardown(test_destinations, begin, end),
		cmocka_unit_test_setup_teardown(test_hostile_names, begin, end),
		cmocka_unit_test_setup_teardown(test_corrupt, begin, end),
		cmocka_unit_test_setup_teardown(test_many_lines, begin, end),
		cmocka_unit_test_setup_teardown(test_too_many_lines, begin, end),
		cmocka_unit_test(test_free_nothing),
	};

	return cmocka_run_group_tests_name("summary", tests, NULL, NULL);
}
