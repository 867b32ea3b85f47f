/* SPDX-License-Identifier: BSD-2-Clause */
/* userspace/compile/ ──► tables in which the kernel's code finds what the policy says. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "compile/tables.h"
#include "policy/canonical.h"

#define HEAD "version: 1\ndns: {servers: none}\n" /* what follows begins on line 3 */

static const __u64 key[2] = {1, 2};

struct fixture {
	struct policy *policy;
	struct compiled compiled;
};

static struct fixture load(const char *file, const char *text) {
	struct diagnostics diagnostics = {0};
	struct fixture f = {.policy = policy_parse(file, text, strlen(text), &diagnostics)};

	diagnostics_print(&diagnostics, stderr);
	diagnostics_free(&diagnostics);
	assert_non_null(f.policy);
	assert_int_equal(compile_policy(f.policy, key, &f.compiled), 0);
	return f;
}

static void unload(struct fixture *f) {
	compiled_free(&f->compiled);
	policy_free(f->policy);
}

static void read_address(const char *text, __u8 out[16]) {
	memset(out, 0, 16);
	out[10] = out[11] = 0xff;
	if (inet_pton(AF_INET, text, out + 12) != 1)
		assert_int_equal(inet_pton(AF_INET6, text, out), 1);
}

static struct snif_judgement judge(const struct fixture *f, const char *address, __u8 protocol, __u16 port,
				   struct snif_dest *dest) {
	__u8 bytes[16];

	read_address(address, bytes);
	return snif_judge_address(&f->compiled, bytes, protocol, port, dest);
}

struct expected {
	const char *address;
	__u8 protocol;
	__u16 port;
	enum snif_reason reason; /* NONE: inspected */
	unsigned line;		 /* of the rule; 0: none */
};

static void expect(const char *text, const struct expected *expected, size_t count) {
	struct fixture f = load("compile_test.yaml", text);

	for (size_t i = 0; i < count; i++) {
		const struct expected *e = &expected[i];
		struct snif_dest dest;
		struct snif_judgement judgement = judge(&f, e->address, e->protocol, e->port, &dest);

		assert_int_equal(judgement.reason, e->reason);
		assert_int_equal(f.policy->rules[judgement.rule].line, e->line);
		assert_int_equal(judgement.verdict, e->reason == SNIF_REASON_NONE	       ? SNIF_UNDECIDED
						    : e->reason == SNIF_REASON_ADDRESS_ALLOWED ? SNIF_ALLOW
											       : SNIF_DENY);
	}
	unload(&f);
}

#define EXPECT(text, expected) expect(text, expected, sizeof(expected) / sizeof(*(expected)))
#define TCP IPPROTO_TCP
#define UDP IPPROTO_UDP

static void a_policy_of_one_name_inspects_only_port_443(void **state) {
	static const struct expected expected[] = {
		{"192.0.2.1", TCP, 443, SNIF_REASON_NONE, 0},
		{"2001:db8::1", TCP, 443, SNIF_REASON_NONE, 0},
		{"192.0.2.1", UDP, 443, SNIF_REASON_PORT_NOT_ALLOWED, 0},
		{"192.0.2.1", TCP, 442, SNIF_REASON_PORT_NOT_ALLOWED, 0},
		{"192.0.2.1", TCP, 444, SNIF_REASON_PORT_NOT_ALLOWED, 0},
		{"2001:db8::1", TCP, 0, SNIF_REASON_PORT_NOT_ALLOWED, 0},
		{"2001:db8::1", IPPROTO_SCTP, 443, SNIF_REASON_PORT_NOT_ALLOWED, 0},
	};

	(void)state;
	EXPECT(HEAD "tls: {allow: [a.example]}\n", expected);
	/* to see the names that a policy would need */
	EXPECT(HEAD "mode: audit\n", expected);
	EXPECT(HEAD "mode: audit\ntls: {deny: [a.example]}\n", expected);
}

/* A ClientHello that never ends would be a way out. */
static void where_no_name_is_allowed_nothing_is_inspected(void **state) {
	static const struct expected without_names[] = {
		{"192.0.2.1", TCP, 443, SNIF_REASON_ADDRESS_NOT_ALLOWED, 0},
		{"2001:db8::1", TCP, 443, SNIF_REASON_ADDRESS_NOT_ALLOWED, 0},
	};
	static const struct expected bound[] = {
		{"192.0.2.10", TCP, 443, SNIF_REASON_NONE, 0},
		{"192.0.2.11", TCP, 443, SNIF_REASON_ADDRESS_NOT_ALLOWED, 0},
		{"2001:db8::1", TCP, 443, SNIF_REASON_ADDRESS_NOT_ALLOWED, 0},
	};
	static const struct expected other_port[] = {
		{"192.0.2.10", TCP, 443, SNIF_REASON_PORT_NOT_ALLOWED, 0},
		{"192.0.2.10", TCP, 8443, SNIF_REASON_NONE, 0},
	};

	(void)state;
	EXPECT(HEAD, without_names);
	EXPECT(HEAD "tls: {to: any, ports: [443], deny: [a.example]}\n", without_names);
	EXPECT(HEAD "tls: {allow: [{host: b.test, to: 192.0.2.10}]}\n", bound);
	EXPECT(HEAD "tls: {allow: [{host: b.test, ports: [8443]}]}\n", other_port);
}

static void the_most_specific_prefix_that_has_the_port_decides(void **state) {
	static const struct expected expected[] = {
		{"198.51.100.1", TCP, 22, SNIF_REASON_ADDRESS_ALLOWED, 6},
		{"198.51.100.1", UDP, 22, SNIF_REASON_ADDRESS_ALLOWED, 6},
		{"198.51.100.129", TCP, 22, SNIF_REASON_ADDRESS_ALLOWED, 6},
		{"198.51.100.129", TCP, 443, SNIF_REASON_ADDRESS_DENIED, 9},
		{"198.51.100.129", UDP, 443, SNIF_REASON_ADDRESS_ALLOWED, 6},
		{"198.51.100.193", TCP, 443, SNIF_REASON_ADDRESS_ALLOWED, 7},
		{"198.51.100.193", TCP, 444, SNIF_REASON_ADDRESS_ALLOWED, 6},
		{"192.0.2.1", TCP, 443, SNIF_REASON_ADDRESS_NOT_ALLOWED, 0},
		{"203.0.113.1", TCP, 443, SNIF_REASON_NONE, 0},
		{"203.0.113.1", TCP, 80, SNIF_REASON_PORT_NOT_ALLOWED, 0},
	};

	(void)state;
	EXPECT(HEAD "tls: {to: [203.0.113.0/24], allow: [a.example]}\n"
		    "direct:\n"
		    "  allow:\n"
		    "    - {to: 198.51.100.0/24}\n"
		    "    - {to: 198.51.100.192/26, proto: tcp, ports: [443]}\n"
		    "  deny:\n"
		    "    - {to: 198.51.100.128/25, proto: tcp, ports: [443]}\n",
	       expected);
}

static void deny_goes_before_allow_at_one_prefix(void **state) {
	static const struct expected expected[] = {
		{"192.0.2.1", TCP, 79, SNIF_REASON_ADDRESS_ALLOWED, 5},
		{"192.0.2.1", TCP, 80, SNIF_REASON_ADDRESS_DENIED, 7},
		{"192.0.2.1", TCP, 90, SNIF_REASON_ADDRESS_DENIED, 7},
		{"192.0.2.1", TCP, 91, SNIF_REASON_ADDRESS_ALLOWED, 5},
		{"192.0.2.1", UDP, 80, SNIF_REASON_ADDRESS_ALLOWED, 5},
		{"198.51.100.1", TCP, 80, SNIF_REASON_ADDRESS_DENIED, 7},
	};

	(void)state;
	EXPECT(HEAD "direct:\n"
		    "  allow:\n"
		    "    - 192.0.2.0/24\n"
		    "  deny:\n"
		    "    - {to: [192.0.2.0/24, 198.51.100.0/24], proto: tcp, ports: [80-90]}\n",
	       expected);
}

static void direct_rules_go_before_inspection_at_any_prefix_length(void **state) {
	static const struct expected expected[] = {
		{"192.0.2.1", TCP, 443, SNIF_REASON_ADDRESS_ALLOWED, 6},
		{"192.0.2.1", TCP, 8443, SNIF_REASON_NONE, 0},
		{"198.51.100.1", TCP, 443, SNIF_REASON_ADDRESS_ALLOWED, 6},
		{"198.51.100.1", TCP, 8443, SNIF_REASON_PORT_NOT_ALLOWED, 0},
	};

	(void)state;
	EXPECT(HEAD "tls: {to: [192.0.2.0/24], ports: [443, 8443], allow: [a.example]}\n"
		    "direct:\n"
		    "  allow:\n"
		    "    - {to: 0.0.0.0/0, ports: [443]}\n",
	       expected);
}

static void the_families_are_apart(void **state) {
	static const struct expected only_ipv6[] = {
		{"::", TCP, 22, SNIF_REASON_ADDRESS_ALLOWED, 6},
		{"2001:db8::1", TCP, 22, SNIF_REASON_ADDRESS_ALLOWED, 6},
		{"::fffe:ffff:ffff", TCP, 22, SNIF_REASON_ADDRESS_ALLOWED, 6},
		{"::1:0:0:0", TCP, 22, SNIF_REASON_ADDRESS_ALLOWED, 6},
		{"0.0.0.0", TCP, 22, SNIF_REASON_ADDRESS_NOT_ALLOWED, 0},
		{"192.0.2.1", TCP, 22, SNIF_REASON_ADDRESS_NOT_ALLOWED, 0},
		{"255.255.255.255", TCP, 22, SNIF_REASON_ADDRESS_NOT_ALLOWED, 0},
		{"203.0.113.1", TCP, 443, SNIF_REASON_NONE, 0},
	};
	static const struct expected only_ipv4[] = {
		{"0.0.0.0", TCP, 22, SNIF_REASON_ADDRESS_ALLOWED, 6},
		{"255.255.255.255", TCP, 22, SNIF_REASON_ADDRESS_ALLOWED, 6},
		{"203.0.113.1", TCP, 22, SNIF_REASON_ADDRESS_ALLOWED, 6},
		{"::", TCP, 22, SNIF_REASON_ADDRESS_NOT_ALLOWED, 0},
		{"::fffe:ffff:ffff", TCP, 22, SNIF_REASON_ADDRESS_NOT_ALLOWED, 0},
		{"2001:db8::1", TCP, 22, SNIF_REASON_ADDRESS_NOT_ALLOWED, 0},
	};

	(void)state;
	EXPECT(HEAD "tls: {to: [203.0.113.0/24], allow: [a.example]}\ndirect:\n  allow:\n    - \"::/0\"\n", only_ipv6);
	EXPECT(HEAD "tls: {to: [203.0.113.0/24], allow: [a.example]}\ndirect:\n  allow:\n    - 0.0.0.0/0\n", only_ipv4);
}

static void ports_at_the_ends_count(void **state) {
	static const struct expected expected[] = {
		{"192.0.2.1", TCP, 0, SNIF_REASON_ADDRESS_ALLOWED, 6},
		{"192.0.2.1", UDP, 65535, SNIF_REASON_ADDRESS_ALLOWED, 6},
		{"192.0.2.2", TCP, 0, SNIF_REASON_PORT_NOT_ALLOWED, 0},
		{"192.0.2.2", TCP, 1, SNIF_REASON_ADDRESS_ALLOWED, 7},
		{"192.0.2.2", TCP, 65535, SNIF_REASON_ADDRESS_ALLOWED, 7},
		{"192.0.2.3", TCP, 65534, SNIF_REASON_PORT_NOT_ALLOWED, 0},
		{"192.0.2.3", TCP, 65535, SNIF_REASON_ADDRESS_ALLOWED, 8},
	};

	(void)state;
	EXPECT(HEAD "tls: {to: [203.0.113.0/24], allow: [a.example]}\n"
		    "direct:\n"
		    "  allow:\n"
		    "    - 192.0.2.1\n"
		    "    - {to: 192.0.2.2, ports: [1-65535]}\n"
		    "    - {to: 192.0.2.3, ports: [65535]}\n",
	       expected);
}

static bool has_zone(const struct fixture *f, const char *address, __u16 port, unsigned zone) {
	struct snif_dest dest;

	judge(f, address, TCP, port, &dest);
	return dest.zones[zone / 64] >> zone % 64 & 1;
}

static void zones_add_up_from_wide_to_narrow(void **state) {
	struct fixture f = load("t.yaml", HEAD "tls:\n"
					       "  allow:\n"
					       "    - everywhere.example\n"
					       "    - {host: a.example, to: [192.0.2.0/24]}\n"
					       "    - {host: b.example, to: [192.0.2.128/25], ports: [443, 8443]}\n");

	(void)state;
	assert_int_equal(f.policy->zone_count, 3);
	assert_true(has_zone(&f, "198.51.100.1", 443, 0));
	assert_false(has_zone(&f, "198.51.100.1", 443, 1));
	assert_true(has_zone(&f, "192.0.2.1", 443, 0));
	assert_true(has_zone(&f, "192.0.2.1", 443, 1));
	assert_false(has_zone(&f, "192.0.2.1", 443, 2));
	assert_true(has_zone(&f, "192.0.2.129", 443, 0));
	assert_true(has_zone(&f, "192.0.2.129", 443, 1));
	assert_true(has_zone(&f, "192.0.2.129", 443, 2));
	assert_false(has_zone(&f, "192.0.2.129", 8443, 0));
	assert_false(has_zone(&f, "192.0.2.129", 8443, 1));
	assert_true(has_zone(&f, "192.0.2.129", 8443, 2));
	unload(&f);
}

static void all_256_zones_have_their_bit(void **state) {
	char text[32768] = HEAD "tls:\n  allow:\n    - everywhere.example\n";
	struct fixture f;

	(void)state;
	for (int z = 1; z < SNIF_ZONES; z++)
		sprintf(text + strlen(text), "    - {host: h%d.example, to: [192.0.2.%d]}\n", z, z);
	f = load("t.yaml", text);
	assert_int_equal(f.policy->zone_count, SNIF_ZONES);
	for (unsigned z = 1; z < SNIF_ZONES; z++) {
		char address[32];

		sprintf(address, "192.0.2.%u", z);
		for (unsigned other = 0; other < SNIF_ZONES; other++)
			assert_int_equal(has_zone(&f, address, 443, other), other == 0 || other == z);
	}
	unload(&f);
}

static void tables_are_sorted_and_as_small_as_can_be(void **state) {
	struct fixture f = load(
		"t.yaml", HEAD "tls: {to: [203.0.113.0/24], allow: [a.example]}\n"
			       "direct:\n"
			       "  allow:\n"
			       "    - {to: [192.0.2.0/24, 192.0.2.128/25, 192.0.2.7], proto: tcp, ports: [1-65535]}\n");
	const struct compiled *c = &f.compiled;

	(void)state;
	/* what lies inside says the same: left out */
	assert_int_equal(c->address_count, 2);
	assert_int_equal(c->addresses[0].key.prefix_length, 96 + 24);
	assert_memory_equal(c->addresses[0].key.address, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\0", 16);
	assert_int_equal(c->addresses[0].class, 1);
	assert_int_equal(c->addresses[1].class, 2);
	/* 1 to 65535 are 16 prefixes: 1, 2-3, 4-7, ... 32768-65535; then port 443 of class 2 */
	assert_int_equal(c->port_count, 17);
	for (unsigned i = 0; i < 16; i++) {
		assert_int_equal(c->ports[i].key.prefix_length, 56 - i);
		assert_memory_equal(c->ports[i].key.class_be, "\0\0\0\1", 4);
		assert_int_equal(c->ports[i].key.protocol, TCP);
		assert_int_equal(snif_be16(c->ports[i].key.port_be), 1 << i);
		assert_int_equal(c->ports[i].dest.kind, SNIF_DEST_ALLOW);
		assert_int_equal(c->ports[i].dest.rule, 2);
	}
	assert_memory_equal(&c->ports[16].key, "\x38\0\0\0\0\0\0\2\6\x01\xbb\0", sizeof(struct snif_port_key));
	assert_int_equal(c->ports[16].dest.kind, SNIF_DEST_INSPECT);
	assert_int_equal(c->ports[16].dest.zones[0], 1);
	unload(&f);
}

static void settings_follow_the_policy(void **state) {
	struct fixture f =
		load("t.yaml", HEAD "mode: audit\ninbound: deny\n"
				    "tls: {ech: deny, max_hello: 32 KiB, unusual: [split_records, trailing_dot]}\n");

	(void)state;
	assert_int_equal(f.compiled.settings.options.mode, SNIF_AUDIT);
	assert_int_equal(f.compiled.settings.options.ech_deny, 1);
	assert_int_equal(f.compiled.settings.options.inbound_deny, 1);
	assert_int_equal(f.compiled.settings.options.hello.longest, 32768);
	assert_int_equal(f.compiled.settings.options.hello.stream, 32768 + 10);
	assert_int_equal(f.compiled.settings.options.hello.split_records, 1);
	assert_int_equal(f.compiled.settings.options.hello.trailing_dot, 1);
	assert_memory_equal(f.compiled.settings.hash_key, key, sizeof(key));
	unload(&f);
	f = load("t.yaml", HEAD);
	assert_int_equal(f.compiled.settings.options.mode, SNIF_ENFORCE);
	assert_int_equal(f.compiled.settings.options.ech_deny, 0);
	assert_int_equal(f.compiled.settings.options.inbound_deny, 0);
	assert_int_equal(f.compiled.settings.options.hello.longest, 16384);
	assert_int_equal(f.compiled.settings.options.hello.stream, 16384 + 5);
	assert_int_equal(f.compiled.settings.options.hello.split_records, 0);
	assert_int_equal(f.compiled.settings.options.hello.trailing_dot, 0);
	unload(&f);
}

/* What the table says of a name, read as the kernel does. Valid until the next call. */
static const struct snif_name_rules *rules_of(const struct fixture *f, const char *name) {
	static struct snif_name_rules found;

	snif_find_name(&f->compiled, f->compiled.settings.buckets, snif_name_hash(key, name, strlen(name)), &found);
	return &found;
}

static void expect_rule(const struct snif_name_rule *rule, enum snif_verdict verdict, __u32 id, __u16 zone) {
	assert_int_equal(rule->verdict, verdict);
	assert_int_equal(rule->rule, id);
	assert_int_equal(rule->zone, zone);
}

static void names_share_an_entry_with_a_slot_for_each_form(void **state) {
	/* made by hand: a policy file may not say these things twice */
	static struct host_rule hosts[] = {
		{"exact.test", HOST_EXACT, true, 3, 1},	 {"below.test", HOST_BELOW, true, 4, 2},
		{"both.test", HOST_BOTH, true, 5, 3},	 {"mixed.test", HOST_BOTH, true, 6, 4},
		{"mixed.test", HOST_EXACT, true, 7, 5},	 {"denied.test", HOST_EXACT, true, 8, 6},
		{"denied.test", HOST_BOTH, false, 0, 7}, {"denied.test", HOST_BELOW, true, 9, 8},
	};
	struct policy policy = {.hosts = hosts, .host_count = sizeof(hosts) / sizeof(*hosts), .zone_count = 1};
	struct prefix_list list = {0};
	struct zone zones[10] = {{0}};
	struct fixture f = {.policy = &policy};

	(void)state;
	policy.lists = &list;
	policy.list_count = 1;
	policy.zones = zones;
	policy.zone_count = 10;
	assert_int_equal(compile_policy(&policy, key, &f.compiled), 0);
	assert_int_equal(f.compiled.name_count, 5);
	expect_rule(&rules_of(&f, "other.test")->exact, SNIF_UNDECIDED, 0, 0);
	expect_rule(&rules_of(&f, "other.test")->below, SNIF_UNDECIDED, 0, 0);
	expect_rule(&rules_of(&f, "exact.test")->exact, SNIF_ALLOW, 1, 3);
	expect_rule(&rules_of(&f, "exact.test")->below, SNIF_UNDECIDED, 0, 0);
	expect_rule(&rules_of(&f, "below.test")->exact, SNIF_UNDECIDED, 0, 0);
	expect_rule(&rules_of(&f, "below.test")->below, SNIF_ALLOW, 2, 4);
	expect_rule(&rules_of(&f, "both.test")->exact, SNIF_ALLOW, 3, 5);
	expect_rule(&rules_of(&f, "both.test")->below, SNIF_ALLOW, 3, 5);
	expect_rule(&rules_of(&f, "mixed.test")->exact, SNIF_ALLOW, 5, 7);
	expect_rule(&rules_of(&f, "mixed.test")->below, SNIF_ALLOW, 4, 6);
	expect_rule(&rules_of(&f, "denied.test")->exact, SNIF_DENY, 7, 0);
	expect_rule(&rules_of(&f, "denied.test")->below, SNIF_DENY, 7, 0);
	compiled_free(&f.compiled);
}

/* However the key spreads them: where a table is too small for some, all of it is made again, and larger. */
static void a_hundred_thousand_names_take_a_third_as_many_buckets(void **state) {
	enum { NAMES = 100000, KEYS = 16 };
	struct host_rule *hosts = calloc(NAMES, sizeof(*hosts));
	char(*texts)[16] = calloc(NAMES, sizeof(*texts));
	struct policy policy = {.hosts = hosts, .host_count = NAMES, .zone_count = 1};
	struct prefix_list list = {0};
	struct zone zone = {0};

	(void)state;
	assert_non_null(hosts);
	assert_non_null(texts);
	policy.lists = &list;
	policy.list_count = 1;
	policy.zones = &zone;
	for (int i = 0; i < NAMES; i++) {
		snprintf(texts[i], sizeof(texts[i]), "n%d.test", i);
		hosts[i] = (struct host_rule){texts[i], HOST_EXACT, true, 0, i};
	}
	for (__u64 i = 0; i < KEYS; i++) {
		struct fixture f = {.policy = &policy};

		assert_int_equal(compile_policy(&policy, (__u64[2]){i, ~i}, &f.compiled), 0);
		assert_int_equal(f.compiled.name_count, NAMES);
		assert_in_range(f.compiled.settings.buckets, 1, NAMES / 3 * 9 / 8 + 2);
		compiled_free(&f.compiled);
	}
	free(texts);
	free(hosts);
}

/* printf '2001:db8::/32\n192.0.2.0/24\n' | sha256sum; likewise the others */
#define LIST1_SHA256 "eb1442ed3f311c12ad44c6f83669754fedd82ad3a07a29de635a00a2229020e2"
#define LIST2_SHA256 "4660c9223373fc29482cfaca5d0a87d401161d0949ff08084ac27af5d3d64d83"
#define POLICY_SHA256 "6f7baeef0121072d3f97150f01e8446c288bfd9ea346a74cec9ed31b8e65f5f9"

static char *canonical(const struct policy *policy) {
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(canonical_write(policy, out), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void the_canonical_form_is_as_documented(void **state) {
	static const char expected[] = "snifence policy 1\n"
				       "mode enforce\n"
				       "ech outer\n"
				       "inbound allow\n"
				       "max_hello 16384\n"
				       "unusual\n"
				       "allow *.a.example tcp 443 to " LIST1_SHA256 "\n"
				       "allow b.example tcp 443,8000-8001 to " LIST2_SHA256 "\n"
				       "deny .c.example\n"
				       "direct allow tcp 22 to " LIST2_SHA256 "\n"
				       "direct deny tcp 0-65535 to " LIST2_SHA256 "\n"
				       "direct deny udp 0-65535 to " LIST2_SHA256 "\n"
				       "inspect tcp 443 to " LIST1_SHA256 "\n"
				       "inspect tcp 443,8000-8001 to " LIST2_SHA256 "\n";
	struct fixture f = load("t.yaml", HEAD "tls:\n"
					       "  to: [2001:db8::/32, 192.0.2.0/24]\n"
					       "  allow:\n"
					       "    - {host: b.example, to: [203.0.113.1], ports: [8001, 443, 8000]}\n"
					       "    - \"*.A.example\"\n"
					       "  deny: [.c.example]\n"
					       "direct:\n"
					       "  allow: [{to: 203.0.113.1, proto: tcp, ports: [22]}]\n"
					       "  deny: [203.0.113.1]\n");
	char *text = canonical(f.policy);

	(void)state;
	assert_string_equal(text, expected);
	assert_string_equal(f.compiled.sha256, POLICY_SHA256);
	free(text);
	unload(&f);
}

/* Forms, bytes before and behind the dot and the letters, and names that are alike for longer than a sort key. */
static void the_canonical_form_is_in_the_order_of_its_bytes(void **state) {
	struct fixture f = load("t.yaml", HEAD
				"tls:\n"
				"  allow: [a.example, -a.example, _a.example, .a-b.example, \"*.0.example\",\n"
				"    abcdefghij.example, abcdefghii.example, abcdefgh.example, abcdef.example,\n"
				"    \"*.abcdefghij.example\", \"*.zz.example\", .zz.example, 0.example, ab.example]\n"
				"  deny: [a.b.example, .0a.example, \"*.-.example\", zz.example]\n"
				"direct: {allow: [192.0.2.1]}\n");
	char *text = canonical(f.policy), *line, *rest = text, *last = NULL;
	unsigned lines = 0;

	(void)state;
	for (line = strsep(&rest, "\n"); rest; line = strsep(&rest, "\n"), lines++) {
		if (lines > 6)
			assert_true(strcmp(last, line) < 0);
		last = line;
	}
	assert_int_equal(lines, 6 + 14 + 4 + 2 + 1);
	free(text);
	unload(&f);
}

static void the_sha256_is_of_the_meaning(void **state) {
	struct fixture a = load("a.yaml", HEAD "sets: {here: [192.0.2.0/24, 198.51.100.0/24]}\n"
					       "tls:\n"
					       "  allow: [a.example, {host: b.example, to: [here]}]\n"
					       "direct:\n"
					       "  allow: [{to: 203.0.113.1, ports: [22, 23]}, 203.0.113.2]\n");
	struct fixture b = load("other/b.yaml", "# comments do not count\n"
						"direct:\n"
						"  allow:\n"
						"    - 203.0.113.2\n"
						"    - {to: [203.0.113.2, 203.0.113.2/32]}\n"
						"    - {to: [203.0.113.1], ports: [22-23]}\n"
						"dns: {servers: none}\n"
						"tls:\n"
						"  ports: [443]\n"
						"  allow:\n"
						"    - {host: B.example, to: [198.51.100.0/24, 192.0.2.0/24]}\n"
						"    - a.example\n"
						"mode: enforce\n"
						"version: 1\n");
	static const __u64 other_key[2] = {3, 4};
	struct compiled rekeyed;

	(void)state;
	assert_int_equal(strlen(a.compiled.sha256), 64);
	assert_string_equal(a.compiled.sha256, b.compiled.sha256);
	assert_int_equal(compile_policy(a.policy, other_key, &rekeyed), 0);
	assert_string_equal(a.compiled.sha256, rekeyed.sha256);
	compiled_free(&rekeyed);
	unload(&a);
	unload(&b);
}

/* Which addresses are a server's is no matter of the order in which they come. */
#define BOUND(first, second, server)                                                                                   \
	"version: 1\n"                                                                                                 \
	"direct: {allow: [{to: " first ", ports: [53]}, {to: " second ", ports: [53]}]}\n"                             \
	"dns:\n"                                                                                                       \
	"  bind: require\n"                                                                                            \
	"  servers: [" server "]\n"

static void lookups_are_in_no_order(void **state) {
	struct fixture a = load("t.yaml", BOUND("192.0.2.53", "192.0.2.54",
						"192.0.2.53, 192.0.2.54") "  allow: [a.example, b.example]\n");
	struct fixture b = load("t.yaml", BOUND("192.0.2.54", "192.0.2.53",
						"192.0.2.54, 192.0.2.53") "  allow: [b.example, a.example]\n");

	(void)state;
	assert_string_equal(a.compiled.sha256, b.compiled.sha256);
	unload(&a);
	unload(&b);
}

static void every_setting_changes_the_sha256(void **state) {
	static const char *const policies[] = {
		HEAD,
		HEAD "mode: audit\n",
		HEAD "inbound: deny\n",
		HEAD "tls: {ech: deny}\n",
		HEAD "tls: {max_hello: 16385}\n",
		HEAD "tls: {unusual: [split_records]}\n",
		HEAD "tls: {unusual: [trailing_dot]}\n",
		HEAD "tls: {unusual: [trailing_dot, split_records]}\n",
		HEAD "tls: {ports: [443, 444]}\n",
		HEAD "tls: {to: [192.0.2.0/24]}\n",
		HEAD "tls: {allow: [a.example]}\n",
		HEAD "tls: {allow: [.a.example]}\n",
		HEAD "tls: {allow: [\"*.a.example\"]}\n",
		HEAD "tls: {deny: [a.example]}\n",
		HEAD "tls: {allow: [{host: a.example, to: [192.0.2.0/24]}]}\n",
		HEAD "tls: {allow: [{host: a.example, ports: [444]}]}\n",
		HEAD "direct: {allow: [192.0.2.1]}\n",
		HEAD "direct: {deny: [192.0.2.1]}\n",
		HEAD "direct: {allow: [{to: 192.0.2.1, proto: tcp}]}\n",
		HEAD "direct: {allow: [{to: 192.0.2.1, proto: udp}]}\n",
		HEAD "direct: {allow: [{to: 192.0.2.1, ports: [1-65535]}]}\n",
		"version: 1\ndns: {servers: [192.0.2.53]}\n",
		BOUND("192.0.2.53", "192.0.2.54", "192.0.2.53"),
		BOUND("192.0.2.54", "192.0.2.53", "192.0.2.54"),
		BOUND("192.0.2.54", "192.0.2.53", "192.0.2.54]\n  names: policy\n  search: [lab.example"),
		BOUND("192.0.2.54", "192.0.2.53", "192.0.2.54]\n  names: policy\n  search: [lan.example"),
	};
	enum { COUNT = sizeof(policies) / sizeof(*policies) };
	char sha256[COUNT][65];

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		struct fixture f = load("t.yaml", policies[i]);

		strcpy(sha256[i], f.compiled.sha256);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(sha256[i], sha256[j]);
		unload(&f);
	}
}

/* Of each name one rule for itself and one for what is below it: under no key may the table be too small for that. */
static void names_with_two_rules_find_room(void **state) {
	enum { NAMES = 1000, KEYS = 50 };
	static struct host_rule hosts[2 * NAMES];
	static char names[NAMES][24];
	struct prefix_list list = {0};
	struct zone zone = {0};
	struct policy policy = {.lists = &list,
				.list_count = 1,
				.zones = &zone,
				.zone_count = 1,
				.hosts = hosts,
				.host_count = 2 * NAMES};

	(void)state;
	for (uint32_t i = 0; i < 2 * NAMES; i++) {
		snprintf(names[i / 2], sizeof(names[0]), "n%u.example.test", i / 2);
		hosts[i] = (struct host_rule){
			.name = names[i / 2], .form = i % 2 ? HOST_BELOW : HOST_EXACT, .allow = true, .rule = i + 1};
	}
	for (__u64 i = 0; i < KEYS; i++) {
		struct compiled compiled;

		assert_int_equal(compile_policy(&policy, (const __u64[2]){i, 0}, &compiled), 0);
		compiled_free(&compiled);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_policy_of_one_name_inspects_only_port_443),
		cmocka_unit_test(where_no_name_is_allowed_nothing_is_inspected),
		cmocka_unit_test(the_most_specific_prefix_that_has_the_port_decides),
		cmocka_unit_test(deny_goes_before_allow_at_one_prefix),
		cmocka_unit_test(direct_rules_go_before_inspection_at_any_prefix_length),
		cmocka_unit_test(the_families_are_apart),
		cmocka_unit_test(ports_at_the_ends_count),
		cmocka_unit_test(zones_add_up_from_wide_to_narrow),
		cmocka_unit_test(all_256_zones_have_their_bit),
		cmocka_unit_test(tables_are_sorted_and_as_small_as_can_be),
		cmocka_unit_test(settings_follow_the_policy),
		cmocka_unit_test(names_share_an_entry_with_a_slot_for_each_form),
		cmocka_unit_test(a_hundred_thousand_names_take_a_third_as_many_buckets),
		cmocka_unit_test(the_canonical_form_is_as_documented),
		cmocka_unit_test(the_canonical_form_is_in_the_order_of_its_bytes),
		cmocka_unit_test(the_sha256_is_of_the_meaning),
		cmocka_unit_test(lookups_are_in_no_order),
		cmocka_unit_test(every_setting_changes_the_sha256),
		cmocka_unit_test(names_with_two_rules_find_room),
	};

	return cmocka_run_group_tests_name("compile", tests, NULL, NULL);
}
