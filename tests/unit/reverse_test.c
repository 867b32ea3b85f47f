/* SPDX-License-Identifier: BSD-2-Clause */
/* include/reverse.h: names of reverse lookups ──► addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "reverse.h"

#define ZEROS_28 "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."

static bool read_name(const char *text, struct snif_reverse *reverse) {
	__u8 name[256] = "";

	memcpy(name, text, strlen(text));
	return snif_reverse_read(reverse, name, (__u32)strlen(text));
}

static void test_addresses(void **state) {
	static const struct {
		const char *name, *address;
	} cases[] = {
		{"1.2.0.192.in-addr.arpa", "::ffff:192.0.2.1"},
		{"255.100.51.198.in-addr.arpa", "::ffff:198.51.100.255"},
		{"0.0.0.0.in-addr.arpa", "::ffff:0.0.0.0"},
		{"f.1." ZEROS_28 "0.0.ip6.arpa", "::1f"},
		{"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", "2001:db8::1"},
	};
	struct snif_reverse reverse;
	__u8 wanted[16];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(inet_pton(AF_INET6, cases[i].address, wanted), 1);
		assert_true(read_name(cases[i].name, &reverse));
		assert_memory_equal(reverse.address, wanted, 16);
	}
}

/* What is not the one way in which an address is written. */
static void test_others(void **state) {
	static const char *const names[] = {
		"in-addr.arpa",
		".in-addr.arpa",
		"192.in-addr.arpa",
		"2.0.192.in-addr.arpa",
		"9.1.2.0.192.in-addr.arpa",
		"1..2.0.192.in-addr.arpa",
		".1.2.0.192.in-addr.arpa",
		"01.2.0.192.in-addr.arpa",
		"00.2.0.192.in-addr.arpa",
		"256.2.0.192.in-addr.arpa",
		"1000.2.0.192.in-addr.arpa",
		"a.2.0.192.in-addr.arpa",
		"1.2.0.192.in-addr.arpa.test",
		"data-1.2.0.192.in-addr.arpa",
		"1.2.0.192xin-addr.arpa",
		"1.2.0.192.ip6.arpa",
		"1." ZEROS_28 "0.0.ip6.arpa",
		"1.0.0." ZEROS_28 "0.0.ip6.arpa",
		"10." ZEROS_28 "0.0.0.ip6.arpa",
		"g.0." ZEROS_28 "0.0.ip6.arpa",
		/* v4-mapped: that is an IPv4 address, which has another name */
		"1.0.2.0.0.0.0.c.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa",
	};
	struct snif_reverse reverse;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (read_name(names[i], &reverse))
			fail_msg("%s is read as an address", names[i]);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
