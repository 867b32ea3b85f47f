/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy inside a policy ──► both must allow, whichever is the narrower one. */
#include <string.h>

#include "../support/lab.h"

#define ALLOW(name) "version: 1\ntls: {to: [192.0.2.0/24], allow: [" name "]}\ndns: {servers: none}\n"

/* curl asks for `name` under `outer`, then `inner`. Returns curl's exit status. */
static int ask(const char *outer, const char *inner, const char *name) {
	static const char *const options[] = {"--keep-caps", "--no-seccomp", "--quiet", NULL};
	char url[64], resolve[64];
	const char *command[] = {"build/snifence",
				 "run",
				 "--quiet",
				 lab_write("inner.yaml", inner),
				 "--",
				 "curl",
				 "-sS",
				 "--max-time",
				 "3",
				 "--cacert",
				 lab_certificate(),
				 "--resolve",
				 resolve,
				 url,
				 NULL};

	snprintf(url, sizeof(url), "https://%s/", name);
	snprintf(resolve, sizeof(resolve), "%s:443:192.0.2.1", name);
	return lab_snifence(outer, options, command)->status;
}

static void test_run_in_a_run(void **state) {
	struct lab_server *server;

	(void)state;
	lab_enter();
	lab_needs("curl");
	server = lab_server(LAB_TLS, "192.0.2.1", 443);
	assert_int_equal(ask(ALLOW("a.lab.test"), ALLOW("a.lab.test"), "a.lab.test"), 0);
	assert_int_not_equal(ask(ALLOW("b.lab.test"), ALLOW("a.lab.test"), "a.lab.test"), 0);
	assert_int_not_equal(ask(ALLOW("a.lab.test"), ALLOW("b.lab.test"), "a.lab.test"), 0);
	assert_int_equal(lab_wait(server, 1, LAB_CLOSED).received, 0);
	assert_int_equal(lab_wait(server, 2, LAB_CLOSED).received, 0);
}

/*
 * One filter that is attached to a cgroup and to one below it: each packet is asked about twice, by the same program.
 */
static void test_two_attachments(void **state) {
	static const char above[] = ALLOW("a.lab.test, both.lab.test");

	(void)state;
	lab_enter();
	lab_server(LAB_TLS, "192.0.2.1", 443);
	lab_confine(above);
	assert_int_equal(lab_inside(lab_say_hello, "a.lab.test"), 0);
	lab_expect(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED);
	lab_confine_below(ALLOW("b.lab.test, both.lab.test"));
	assert_int_equal(lab_inside(lab_say_hello, "a.lab.test"), 1);
	lab_expect(SNIF_DENY, SNIF_REASON_NAME_NOT_ALLOWED);
	lab_expect(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED);
	assert_int_equal(lab_inside(lab_say_hello, "both.lab.test"), 0);
	lab_expect(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED);
	lab_expect(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED);
	assert_int_equal(lab_inside(lab_say_hello, "b.lab.test"), 1);
	lab_expect(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED);
	lab_expect(SNIF_DENY, SNIF_REASON_NAME_NOT_ALLOWED);
}

int main(void) {
	const struct CMUnitTest tests[] = {lab_test(test_run_in_a_run), lab_test(test_two_attachments)};

	return cmocka_run_group_tests_name("nested", tests, NULL, NULL);
}
