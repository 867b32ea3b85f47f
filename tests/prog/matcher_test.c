/* SPDX-License-Identifier: BSD-2-Clause */
/* One table of names and destinations ──► asked in the kernel, by connections, and of judge.h in userspace. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "../support/hello_maker.h"
#include "../support/lab.h"
#include "compile/tables.h"

#define LABEL63 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"
#define NAME253 LABEL63 "." LABEL63 "." LABEL63 ".abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstu.below.test"
#define DEEP LABEL63 "." LABEL63 "." LABEL63 ".deep.test"

/* More rules on a name's way than the matcher remembers: each step up is allowed or denied in turn. */
#define STAIRS "stairs.test"
#define UP4(name) "e.e.e.e." name
#define UP8(name) UP4(UP4(name))
#define BELOW(name) "    - \"*." name "\"\n"

/* clang-format off: it would put several rules on a line */
static const char policy[] =
	"version: 1\n"
	"sets:\n"
	"  near: [192.0.2.0/24, \"2001:db8::1\"]\n"
	"  far: [198.51.100.0/24]\n"
	"tls:\n"
	"  ports: [443]\n"
	"  to: [near, far, 203.0.113.0/28]\n"
	"  allow:\n"
	"    - exact.test\n"
	"    - \"*.below.test\"\n"
	"    - .both.test\n"
	"    - {host: far.test, to: [far]}\n"
	"    - {host: port.test, ports: [8443]}\n"
	"    - {host: \"*.wide.test\", to: [near, far], ports: [443, 8443]}\n"
	"    - {host: bound.wide.test, to: [far]}\n"
	"    - again.denied.below.test\n"
	"    - bücher.example\n"
	"    - .a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z.deep.test\n" BELOW(DEEP) BELOW("e." STAIRS)
		BELOW("e.e.e." STAIRS) BELOW("e." UP4(STAIRS)) BELOW("e.e.e." UP4(STAIRS)) BELOW("e." UP8(
			STAIRS)) "  deny:\n"
				 "    - .denied.below.test\n" BELOW("a.both.test") BELOW(STAIRS) BELOW(
					 "e.e." STAIRS) BELOW(UP4(STAIRS)) BELOW("e.e." UP4(STAIRS)) BELOW(UP8(STAIRS))
					 BELOW("e.e." UP8(
						 STAIRS)) "direct:\n"
							  "  allow:\n"
							  "    - {to: 192.0.2.2, proto: tcp, ports: [443]}\n"
							  "    - {to: 203.0.113.0/24, proto: tcp, ports: [8000-8999]}\n"
							  "  deny:\n"
							  "    - {to: 203.0.113.1, proto: tcp, ports: [8443]}\n"
							  "dns: {servers: none}\n";
/* clang-format on */

/* What is right at 192.0.2.1 port 443; elsewhere kernel and userspace are held against each other. */
static const struct {
	const char *name;
	enum snif_reason reason;
	const char *rule; /* its text; NULL: none */
} names[] = {
	{"exact.test", SNIF_REASON_NAME_ALLOWED, "exact.test"},
	{"EXACT.Test", SNIF_REASON_NAME_ALLOWED, "exact.test"},
	{"exact.test.", SNIF_REASON_TRAILING_DOT, NULL},
	{"www.exact.test", SNIF_REASON_NAME_NOT_ALLOWED, NULL},
	{"inexact.test", SNIF_REASON_NAME_NOT_ALLOWED, NULL},
	{"exact.test.example", SNIF_REASON_NAME_NOT_ALLOWED, NULL},
	{"xact.test", SNIF_REASON_NAME_NOT_ALLOWED, NULL},
	{"test", SNIF_REASON_NAME_NOT_ALLOWED, NULL},
	{"below.test", SNIF_REASON_NAME_NOT_ALLOWED, NULL},
	{"a.below.test", SNIF_REASON_NAME_ALLOWED, "*.below.test"},
	{"b.a.below.test", SNIF_REASON_NAME_ALLOWED, "*.below.test"},
	{"_a-b.below.test", SNIF_REASON_NAME_ALLOWED, "*.below.test"},
	{"notbelow.test", SNIF_REASON_NAME_NOT_ALLOWED, NULL},
	{"1.2.3.4.5.6.7.8.9.a.b.c.d.e.f.below.test", SNIF_REASON_NAME_ALLOWED, "*.below.test"},
	{NAME253, SNIF_REASON_NAME_ALLOWED, "*.below.test"},
	{"a" NAME253, SNIF_REASON_NAME_TOO_LONG, NULL},
	{LABEL63 "a.below.test", SNIF_REASON_NAME_TOO_LONG, NULL},
	{"denied.below.test", SNIF_REASON_NAME_DENIED, "deny .denied.below.test"},
	{"a.denied.below.test", SNIF_REASON_NAME_DENIED, "deny .denied.below.test"},
	{"again.denied.below.test", SNIF_REASON_NAME_ALLOWED, "again.denied.below.test"},
	{"both.test", SNIF_REASON_NAME_ALLOWED, ".both.test"},
	{"a.both.test", SNIF_REASON_NAME_ALLOWED, ".both.test"},
	{"b.a.both.test", SNIF_REASON_NAME_DENIED, "deny *.a.both.test"},
	{"far.test", SNIF_REASON_NAME_ELSEWHERE, "far.test to far"},
	{"port.test", SNIF_REASON_NAME_ELSEWHERE, "port.test ports 8443"},
	{"a.wide.test", SNIF_REASON_NAME_ALLOWED, "*.wide.test to near,far ports 443,8443"},
	{"bound.wide.test", SNIF_REASON_NAME_ELSEWHERE, "bound.wide.test to far"},
	{"xn--bcher-kva.example", SNIF_REASON_NAME_ALLOWED, "xn--bcher-kva.example"},
	{"0.a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z.deep.test", SNIF_REASON_NAME_ALLOWED,
	 ".a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z.deep.test"},
	{"b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z.deep.test", SNIF_REASON_NAME_NOT_ALLOWED, NULL},
	{"a." DEEP, SNIF_REASON_NAME_ALLOWED, "*." DEEP},
	{DEEP, SNIF_REASON_NAME_NOT_ALLOWED, NULL},
	{"x." STAIRS, SNIF_REASON_NAME_DENIED, "deny *." STAIRS},
	{"x.e.e.e." STAIRS, SNIF_REASON_NAME_ALLOWED, "*.e.e.e." STAIRS},
	{"x.e.e.e." UP4(STAIRS), SNIF_REASON_NAME_ALLOWED, "*.e.e.e." UP4(STAIRS)},
	{"x." UP8(STAIRS), SNIF_REASON_NAME_DENIED, "deny *." UP8(STAIRS)},
	{"x.e." UP8(STAIRS), SNIF_REASON_NAME_ALLOWED, "*.e." UP8(STAIRS)},
	{"x.e.e." UP8(STAIRS), SNIF_REASON_NAME_DENIED, "deny *.e.e." UP8(STAIRS)},
	{"x." UP8(UP8(STAIRS)), SNIF_REASON_NAME_DENIED, "deny *.e.e." UP8(STAIRS)},
	{"x.f.f.f.f.f.f.f.f.f.e." STAIRS, SNIF_REASON_NAME_ALLOWED, "*.e." STAIRS},
	{"x.f.f.f.f.f.f.f.f." STAIRS, SNIF_REASON_NAME_DENIED, "deny *." STAIRS},
	{".exact.test", SNIF_REASON_NAME_INVALID, NULL},
	{"exact..test", SNIF_REASON_NAME_INVALID, NULL},
	{"exact.test..", SNIF_REASON_NAME_INVALID, NULL},
	{".", SNIF_REASON_NAME_INVALID, NULL},
	{"*.below.test", SNIF_REASON_NAME_INVALID, NULL},
	{"a b.below.test", SNIF_REASON_NAME_INVALID, NULL},
	{"\303\274.below.test", SNIF_REASON_NAME_INVALID, NULL},
	{"192.0.2.1", SNIF_REASON_NAME_IS_ADDRESS, NULL},
	{"2001:db8::1", SNIF_REASON_NAME_IS_ADDRESS, NULL},
};

enum { NAMES = sizeof(names) / sizeof(names[0]) };

static const struct {
	const char *address;
	uint16_t port;
	bool inspected; /* a server has to be there for the hello to be sent */
} places[] = {
	{"192.0.2.1", 443, true},	   {"192.0.2.1", 8443, true},	 {"198.51.100.1", 443, true},
	{"198.51.100.1", 8443, true},	   {"2001:db8::1", 443, true},	 {"2001:db8::1", 8443, true},
	{"203.0.113.1", 443, true},	   {"192.0.2.2", 443, false},	 {"192.0.2.2", 8443, true},
	{"192.0.2.1", 80, false},	   {"203.0.113.1", 8442, false}, {"203.0.113.1", 8443, false},
	{"2001:db8::2", 443, false},	   {"127.0.0.1", 443, false},	 {"::ffff:192.0.2.1", 443, true},
	{"64:ff9b::c000:201", 443, false}, {"0.0.0.0", 443, false},	 {"::", 443, false},
};

enum { PLACES = sizeof(places) / sizeof(places[0]) };

/* Inside: every name to every place. Each try makes one event. */
static int ask_kernel(void *argument) {
	static struct bytes stream;

	(void)argument;
	for (size_t place = 0; place < PLACES; place++)
		for (size_t i = 0; i < NAMES; i++) {
			int fd = lab_dial(places[place].address, places[place].port);

			if (fd < 0 && places[place].inspected)
				return 1 + (int)place;
			if (fd < 0)
				continue;
			hello_make(&stream, &(struct hello){.name = names[i].name});
			lab_send(fd, stream.data, stream.length);
			lab_reset(fd);
		}
	return 0;
}

/* The address as the hooks see it: v4-mapped, and loopback for "this host". */
static void judged_address(const char *address, uint8_t out[16]) {
	static const uint8_t any[16];
	struct sockaddr_storage where;

	lab_address(address, 0, &where);
	if (where.ss_family == AF_INET)
		snif_map_ipv4(out, &((struct sockaddr_in *)&where)->sin_addr);
	else
		memcpy(out, &((struct sockaddr_in6 *)&where)->sin6_addr, 16);
	if (memcmp(out, any, 16) == 0)
		out[15] = 1;
	if (snif_is_ipv4(out) && memcmp(out + 12, any, 4) == 0)
		memcpy(out + 12, "\x7f\0\0\1", 4);
}

static struct snif_judgement ask_userspace(const char *sent, const char *address, uint16_t port) {
	const struct compiled *tables = lab_compiled();
	__u8 name[SNIF_NAME_BUFFER] = {0}, judged[16];
	__u16 length = (__u16)strlen(sent);
	struct snif_judgement judgement;
	enum snif_reason reason;
	struct snif_dest dest;

	judged_address(address, judged);
	judgement = snif_judge_address(tables, judged, IPPROTO_TCP, port, &dest);
	if (judgement.verdict != SNIF_UNDECIDED)
		return judgement;
	memcpy(name, sent, length);
	reason = snif_name_sent(name, &length, tables->settings.options.hello.trailing_dot);
	if (reason != SNIF_REASON_NONE)
		return (struct snif_judgement){SNIF_DENY, reason, 0};
	return snif_judge_name(tables, &tables->settings, name, length, &dest);
}

static void compare(size_t place, size_t i) {
	struct snif_judgement userspace = ask_userspace(names[i].name, places[place].address, places[place].port);
	const struct snif_event *event = lab_event(LAB_PATIENCE_MS);

	if (!event)
		fail_msg("no event for %s at %s port %u", names[i].name, places[place].address, places[place].port);
	if (event->verdict != userspace.verdict || event->reason != userspace.reason || event->rule != userspace.rule)
		fail_msg("%s at %s port %u: the kernel says %s by rule %u, userspace %s by rule %u", names[i].name,
			 places[place].address, places[place].port, reason_code(event->reason), event->rule,
			 reason_code(userspace.reason), userspace.rule);
	if (place > 0)
		return;
	if (event->reason != names[i].reason)
		fail_msg("%s: %s, but %s was expected", names[i].name, reason_code(event->reason),
			 reason_code(names[i].reason));
	if (names[i].rule)
		assert_string_equal(lab_policy()->rules[event->rule].text, names[i].rule);
	else
		assert_int_equal(event->rule, 0);
}

static void test_same_answers(void **state) {
	(void)state;
	lab_enter();
	for (size_t place = 0; place < PLACES; place++)
		if (places[place].inspected && strncmp(places[place].address, "::ffff:", 7))
			lab_server(LAB_SINK, places[place].address, places[place].port);
	lab_confine(policy);
	assert_int_equal(lab_inside(ask_kernel, NULL), 0);
	for (size_t place = 0; place < PLACES; place++)
		for (size_t i = 0; i < NAMES; i++)
			compare(place, i);
	lab_expect_no_more();
}

/* The rule that a place is decided by, where no name is asked for. */
static void test_places(void **state) {
	static const struct {
		const char *address;
		uint16_t port;
		enum snif_reason reason;
		const char *rule;
	} expected[] = {
		{"192.0.2.2", 443, SNIF_REASON_ADDRESS_ALLOWED, "allow 192.0.2.2 tcp 443"},
		{"192.0.2.1", 80, SNIF_REASON_PORT_NOT_ALLOWED, NULL},
		{"203.0.113.1", 8442, SNIF_REASON_ADDRESS_ALLOWED, "allow 203.0.113.0/24 tcp 8000-8999"},
		{"203.0.113.1", 8443, SNIF_REASON_ADDRESS_DENIED, "deny 203.0.113.1 tcp 8443"},
		{"2001:db8::2", 443, SNIF_REASON_ADDRESS_NOT_ALLOWED, NULL},
		{"0.0.0.0", 443, SNIF_REASON_ADDRESS_NOT_ALLOWED, NULL},
	};

	(void)state;
	lab_enter();
	lab_confine(policy);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		struct snif_judgement judgement = ask_userspace("exact.test", expected[i].address, expected[i].port);

		assert_string_equal(reason_code(judgement.reason), reason_code(expected[i].reason));
		if (expected[i].rule)
			assert_string_equal(lab_policy()->rules[judgement.rule].text, expected[i].rule);
		else
			assert_int_equal(judgement.rule, 0);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		lab_test(test_same_answers),
		lab_test(test_places),
	};
	return cmocka_run_group_tests_name("matcher", tests, NULL, NULL);
}
