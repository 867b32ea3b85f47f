/* SPDX-License-Identifier: BSD-2-Clause */
/* include/name.h and the name half of include/judge.h ──► names, hashes and matches as documented. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "compile/tables.h"

static const __u64 key[2] = {0x0123456789abcdefULL, 0xfedcba9876543210ULL};

/* Normalises `length` bytes; `out` gets the result as a string. */
static enum snif_reason normalise(const char *bytes, size_t length, char out[SNIF_NAME_BUFFER]) {
	__u8 name[SNIF_NAME_BUFFER] = {0};
	__u16 normal = (__u16)length;
	enum snif_reason reason;

	memcpy(name, bytes, length < SNIF_NAME_BUFFER ? length : SNIF_NAME_BUFFER);
	reason = snif_name_normalise(name, &normal);
	memcpy(out, name, normal < SNIF_NAME_BUFFER ? normal : SNIF_NAME_BUFFER - 1);
	out[normal < SNIF_NAME_BUFFER ? normal : SNIF_NAME_BUFFER - 1] = '\0';
	return reason;
}

#define LABEL63 "abcdefghijklmnopqrstuvwxyz0123456789-abcdefghijklmnopqrstuvwxyz"

static void good_names_become_lower_case_without_a_dot_behind(void **state) {
	static const char *const names[][2] = {
		{"example.test", "example.test"},
		{"EXAMPLE.Test", "example.test"},
		{"example.test.", "example.test"},
		{"a", "a"},
		{"A.", "a"},
		{"_dmarc.example.test", "_dmarc.example.test"},
		{"xn--bcher-kva.example", "xn--bcher-kva.example"},
		{"-a-.example", "-a-.example"},
		{"1.2.3.4.example", "1.2.3.4.example"},
		{"example.1a", "example.1a"},
		{"0x7f.0x1g", "0x7f.0x1g"},
		{LABEL63 ".test", LABEL63 ".test"},
	};
	char out[SNIF_NAME_BUFFER];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		assert_int_equal(normalise(names[i][0], strlen(names[i][0]), out), SNIF_REASON_NONE);
		assert_string_equal(out, names[i][1]);
	}
}

static void bad_names_have_their_reason(void **state) {
	static const struct {
		const char *name;
		size_t length;
		enum snif_reason reason;
	} bad[] = {
#define NAME(text) text, sizeof(text) - 1
		{NAME(""), SNIF_REASON_SNI_EMPTY},
		{NAME("."), SNIF_REASON_NAME_INVALID},
		{NAME(".."), SNIF_REASON_NAME_INVALID},
		{NAME("example.test.."), SNIF_REASON_NAME_INVALID},
		{NAME(".example.test"), SNIF_REASON_NAME_INVALID},
		{NAME("a..test"), SNIF_REASON_NAME_INVALID},
		{NAME("*.example.test"), SNIF_REASON_NAME_INVALID},
		{NAME("a\0.example.test"), SNIF_REASON_NAME_INVALID},
		{NAME("example.test\0"), SNIF_REASON_NAME_INVALID},
		{NAME("a b.test"), SNIF_REASON_NAME_INVALID},
		{NAME("a/b.test"), SNIF_REASON_NAME_INVALID},
		{NAME("b\xc3\xbc"
		      "cher.test"),
		 SNIF_REASON_NAME_INVALID},
		{NAME("a\x7f.test"), SNIF_REASON_NAME_INVALID},
		{NAME("a\n.test"), SNIF_REASON_NAME_INVALID},
		{NAME("[192.0.2.1]"), SNIF_REASON_NAME_INVALID},
		{NAME("192.0.2.1"), SNIF_REASON_NAME_IS_ADDRESS},
		{NAME("192.0.2.1."), SNIF_REASON_NAME_IS_ADDRESS},
		{NAME("3221225985"), SNIF_REASON_NAME_IS_ADDRESS},
		{NAME("a.example.1"), SNIF_REASON_NAME_IS_ADDRESS},
		{NAME("2001:db8::1"), SNIF_REASON_NAME_IS_ADDRESS},
		{NAME("::1"), SNIF_REASON_NAME_IS_ADDRESS},
		{NAME("example.test:443"), SNIF_REASON_NAME_IS_ADDRESS},
		{NAME(LABEL63 "x.test"), SNIF_REASON_NAME_TOO_LONG},
#undef NAME
	};
	char out[SNIF_NAME_BUFFER];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(normalise(bad[i].name, bad[i].length, out), bad[i].reason);
}

/* A name of `length` bytes in labels of up to 63. */
static void make_long_name(char *out, size_t length) {
	for (size_t i = 0; i < length; i++)
		out[i] = i % 64 == 63 && i + 1 < length ? '.' : 'a';
	out[length] = '\0';
}

static void lengths_up_to_253_are_good(void **state) {
	char name[SNIF_NAME_BUFFER], out[SNIF_NAME_BUFFER];

	(void)state;
	make_long_name(name, 253);
	assert_int_equal(normalise(name, 253, out), SNIF_REASON_NONE);
	assert_string_equal(out, name);
	name[253] = '.';
	assert_int_equal(normalise(name, 254, out), SNIF_REASON_NONE);
	assert_int_equal(strlen(out), 253);
	make_long_name(name, 254);
	assert_int_equal(normalise(name, 254, out), SNIF_REASON_NAME_TOO_LONG);
	make_long_name(name, 255);
	assert_int_equal(normalise(name, 255, out), SNIF_REASON_NAME_TOO_LONG);
	make_long_name(name, 400);
	assert_int_equal(normalise(name, 400, out), SNIF_REASON_NAME_TOO_LONG);
	assert_int_equal(normalise(name, 65535, out), SNIF_REASON_NAME_TOO_LONG);
}

/* SipHash-1-3 by OpenSSL. */
static __u64 siphash(const __u8 sip_key[16], const __u8 *bytes, size_t length) {
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
	EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);
	unsigned c_rounds = 1, d_rounds = 3;
	size_t size = 8;
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
		OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_C_ROUNDS, &c_rounds),
		OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_D_ROUNDS, &d_rounds),
		OSSL_PARAM_construct_end(),
	};
	__u64 hash = 0;
	__u8 out[8];

	assert_int_equal(EVP_MAC_init(context, sip_key, 16, parameters), 1);
	assert_int_equal(EVP_MAC_update(context, bytes, length), 1);
	assert_int_equal(EVP_MAC_final(context, out, &size, sizeof(out)), 1);
	EVP_MAC_CTX_free(context);
	EVP_MAC_free(mac);
	for (int i = 7; i >= 0; i--)
		hash = hash << 8 | out[i];
	return hash;
}

/* The hash reads names from the right, so the input goes in the other way round. */
static void the_hash_is_siphash_1_3(void **state) {
	static const __u64 sip_key[2] = {0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};
	static const __u8 key_bytes[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

	(void)state;
	for (size_t length = 0; length <= SNIF_NAME_MAX; length++) {
		__u8 bytes[SNIF_NAME_MAX], reversed[SNIF_NAME_MAX] = {0};

		for (size_t i = 0; i < length; i++)
			reversed[length - 1 - i] = bytes[i] = (__u8)(7 * i + length);
		assert_true(snif_name_hash(sip_key, (const char *)reversed, length) ==
			    siphash(key_bytes, bytes, length));
	}
}

/* Compiles a policy whose `tls` section is `tls`. */
static struct policy *parse(const char *tls, struct compiled *compiled) {
	struct diagnostics diagnostics = {0};
	struct policy *policy;
	char text[4096];

	snprintf(text, sizeof(text), "version: 1\ndns: {servers: none}\ntls:\n%s", tls);
	policy = policy_parse("name_test.yaml", text, strlen(text), &diagnostics);
	diagnostics_print(&diagnostics, stderr);
	diagnostics_free(&diagnostics);
	assert_non_null(policy);
	assert_int_equal(compile_policy(policy, key, compiled), 0);
	return policy;
}

/* Judges a name at a destination in all of `zones`. */
static struct snif_judgement judge(const struct compiled *compiled, const char *name, __u64 zones) {
	struct snif_dest dest = {.kind = SNIF_DEST_INSPECT, .zones = {zones}};
	__u8 buffer[SNIF_NAME_BUFFER] = {0};

	memcpy(buffer, name, strlen(name));
	return snif_judge_name(compiled, &compiled->settings, buffer, (__u16)strlen(name), &dest);
}

struct expected {
	const char *name;
	enum snif_reason reason;
	unsigned line; /* of the rule; 0: none */
};

static void expect(const char *tls, const struct expected *expected, size_t count, __u64 zones) {
	struct compiled compiled;
	struct policy *policy = parse(tls, &compiled);

	for (size_t i = 0; i < count; i++) {
		struct snif_judgement judgement = judge(&compiled, expected[i].name, zones);
		bool allowed = expected[i].reason == SNIF_REASON_NAME_ALLOWED;

		assert_int_equal(judgement.reason, expected[i].reason);
		assert_int_equal(judgement.verdict, allowed ? SNIF_ALLOW : SNIF_DENY);
		assert_int_equal(policy->rules[judgement.rule].line, expected[i].line);
	}
	compiled_free(&compiled);
	policy_free(policy);
}

#define EXPECT(tls, expected, zones) expect(tls, expected, sizeof(expected) / sizeof(*(expected)), zones)

static void each_form_matches_what_it_says(void **state) {
	static const struct expected expected[] = {
		{"exact.example", SNIF_REASON_NAME_ALLOWED, 5},
		{"www.exact.example", SNIF_REASON_NAME_NOT_ALLOWED, 0},
		{"xexact.example", SNIF_REASON_NAME_NOT_ALLOWED, 0},
		{"exact.examplex", SNIF_REASON_NAME_NOT_ALLOWED, 0},
		{"below.example", SNIF_REASON_NAME_NOT_ALLOWED, 0},
		{"a.below.example", SNIF_REASON_NAME_ALLOWED, 6},
		{"b.a.below.example", SNIF_REASON_NAME_ALLOWED, 6},
		{"xbelow.example", SNIF_REASON_NAME_NOT_ALLOWED, 0},
		{"both.example", SNIF_REASON_NAME_ALLOWED, 7},
		{"a.both.example", SNIF_REASON_NAME_ALLOWED, 7},
		{"b.a.both.example", SNIF_REASON_NAME_ALLOWED, 7},
		{"xboth.example", SNIF_REASON_NAME_NOT_ALLOWED, 0},
		{"example", SNIF_REASON_NAME_NOT_ALLOWED, 0},
		{"other.test", SNIF_REASON_NAME_NOT_ALLOWED, 0},
	};

	(void)state;
	EXPECT("  allow:\n    - exact.example\n    - \"*.below.example\"\n    - .both.example\n", expected, 1);
}

static void the_longest_match_decides_and_deny_wins_a_tie(void **state) {
	static const struct expected expected[] = {
		{"example.test", SNIF_REASON_NAME_NOT_ALLOWED, 0},
		{"a.example.test", SNIF_REASON_NAME_ALLOWED, 5},
		{"deep.example.test", SNIF_REASON_NAME_DENIED, 9},
		{"a.deep.example.test", SNIF_REASON_NAME_DENIED, 9},
		{"good.deep.example.test", SNIF_REASON_NAME_ALLOWED, 6},
		{"a.good.deep.example.test", SNIF_REASON_NAME_DENIED, 9},
		{"tie.test", SNIF_REASON_NAME_DENIED, 10},
		{"a.tie.test", SNIF_REASON_NAME_DENIED, 10},
	};

	(void)state;
	EXPECT("  allow:\n    - \"*.example.test\"\n    - good.deep.example.test\n    - \"*.tie.test\"\n"
	       "  deny:\n    - .deep.example.test\n    - .tie.test\n",
	       expected, 1);
}

static void a_rule_holds_only_where_its_zone_does(void **state) {
	static const char tls[] =
		"  allow:\n    - .example.test\n    - {host: here.example.test, to: [192.0.2.0/24]}\n";
	static const struct expected in_zone_0[] = {
		{"a.example.test", SNIF_REASON_NAME_ALLOWED, 5},
		{"here.example.test", SNIF_REASON_NAME_ELSEWHERE, 6},
		{"a.here.example.test", SNIF_REASON_NAME_ALLOWED, 5},
	};
	static const struct expected in_zone_1[] = {
		{"a.example.test", SNIF_REASON_NAME_ELSEWHERE, 5},
		{"here.example.test", SNIF_REASON_NAME_ALLOWED, 6},
	};

	(void)state;
	EXPECT(tls, in_zone_0, 1);
	EXPECT(tls, in_zone_1, 2);
}

static void the_longest_name_can_be_a_rule(void **state) {
	char rule[SNIF_NAME_BUFFER], tls[1024], below[SNIF_NAME_BUFFER];
	struct compiled compiled;
	struct policy *policy;

	(void)state;
	make_long_name(rule, 253);
	snprintf(tls, sizeof(tls), "  allow:\n    - %s\n    - \"*.%s\"\n", rule, rule + 64);
	policy = parse(tls, &compiled);
	assert_int_equal(judge(&compiled, rule, 1).rule, 1);
	snprintf(below, sizeof(below), "b.%s", rule + 64);
	assert_int_equal(judge(&compiled, below, 1).rule, 2);
	assert_int_equal(judge(&compiled, rule + 64, 1).reason, SNIF_REASON_NAME_NOT_ALLOWED);
	compiled_free(&compiled);
	policy_free(policy);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_names_become_lower_case_without_a_dot_behind),
		cmocka_unit_test(bad_names_have_their_reason),
		cmocka_unit_test(lengths_up_to_253_are_good),
		cmocka_unit_test(the_hash_is_siphash_1_3),
		cmocka_unit_test(each_form_matches_what_it_says),
		cmocka_unit_test(the_longest_match_decides_and_deny_wins_a_tie),
		cmocka_unit_test(a_rule_holds_only_where_its_zone_does),
		cmocka_unit_test(the_longest_name_can_be_a_rule),
	};

	return cmocka_run_group_tests_name("name", tests, NULL, NULL);
}
