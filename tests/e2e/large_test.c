/* SPDX-License-Identifier: BSD-2-Clause */
/* 100,000 names and 100,000 prefixes ──► the kernel's maps ──► the same answers as for three. */
#include <errno.h>
#include <stdlib.h>

#include "../support/hello_maker.h"
#include "../support/lab.h"

enum { MANY = 100000 };

/* Names n0.lab.test to n99999.lab.test, at 192.0.2.0/24 and at prefixes in 2001:db8::/32. Freed by the caller. */
static char *large_policy(void) {
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	fputs("version: 1\ndns: {servers: none}\nsets:\n  many:\n    - 192.0.2.0/24\n", out);
	for (int i = 0; i < MANY; i++)
		fprintf(out, "    - 2001:db8:%x:%x::/64\n", 1 + i / 1000, i % 1000);
	fputs("tls:\n  to: [many]\n  allow:\n", out);
	for (int i = 0; i < MANY; i++)
		fprintf(out, "    - n%d.lab.test\n", i);
	assert_int_equal(fclose(out), 0);
	return text;
}

static int say_hello(void *name) {
	struct hello hello = {.name = name};
	static struct bytes stream;
	int fd = lab_dial("192.0.2.1", 443);
	char byte;

	if (fd < 0)
		return fd;
	hello_make(&stream, &hello);
	if (lab_send(fd, stream.data, stream.length))
		return 1;
	return lab_receive(fd, &byte, 1) == 1 ? 0 : 1;
}

static int dial_elsewhere(void *address) {
	int fd = lab_dial(address, 443);

	return fd < 0 ? fd : 0;
}

static void test_hundred_thousand_of_each(void **state) {
	char *policy, first[] = "n0.lab.test", last[] = "n99999.lab.test", none[] = "n100000.lab.test";

	(void)state;
	lab_enter();
	lab_server(LAB_TLS, "192.0.2.1", 443);
	policy = large_policy();
	lab_confine(policy);
	free(policy);
	assert_int_equal(lab_inside(say_hello, first), 0);
	lab_expect(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED);
	assert_int_equal(lab_inside(say_hello, last), 0);
	lab_expect(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED);
	assert_int_equal(lab_inside(say_hello, none), 1);
	lab_expect(SNIF_DENY, SNIF_REASON_NAME_NOT_ALLOWED);
	assert_int_equal(lab_inside(dial_elsewhere, "2001:db8::1"), -EPERM);
	lab_expect(SNIF_DENY, SNIF_REASON_ADDRESS_NOT_ALLOWED);
	lab_expect_no_more();
}

int main(void) {
	const struct CMUnitTest tests[] = {lab_test(test_hundred_thousand_of_each)};

	return cmocka_run_group_tests_name("large", tests, NULL, NULL);
}
