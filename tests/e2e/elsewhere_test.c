/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses that a command has from elsewhere than the policy's DNS servers ──► refused where names must be bound, and not
 * by default: what honest programs would lose if they had to be. */
#include <string.h>

#include "../support/lab.h"

#define BOUND "dns: {servers: [203.0.113.1], bind: require, names: policy}\n"
#define BY_HAND "--resolve", "byhand.lab.test:443:192.0.2.1"

static struct lab_program *fetch(const char *dns) {
	static const char *const argv[] = {"curl", "-sk", "--max-time", "5", BY_HAND, "https://byhand.lab.test/", NULL};
	char policy[256];

	snprintf(policy, sizeof(policy), "version: 1\ntls: {allow: [byhand.lab.test]}\n%s", dns);
	return lab_snifence(policy, NULL, argv);
}

/* So does a program with names in DNS over HTTPS, an address in its configuration, or a list of its own. */
static void test_by_hand(void **state) {
	struct lab_program *program;

	(void)state;
	lab_needs("curl");
	lab_enter();
	lab_server(LAB_TLS, "192.0.2.1", 443);
	program = fetch("dns: {servers: [203.0.113.1]}\n");
	assert_int_equal(program->status, 0);
	assert_non_null(strstr(program->out, "byhand.lab.test"));
	program = fetch(BOUND);
	assert_int_equal(program->status, 7); /* it cannot connect */
	assert_non_null(strstr(program->err, "refused 192.0.2.1:443/TCP (curl, name_not_bound)"));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		lab_test(test_by_hand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
