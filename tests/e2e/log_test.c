/* SPDX-License-Identifier: BSD-2-Clause */
/* The log of a run ──► the recipes of EVENTS.md print what the page says, by jq and by a program made for Suricata. */
#include <string.h>

#include "../support/lab.h"

static const char policy[] = "version: 1\n"
			     "tls:\n"
			     "  allow: [allowed.lab.test]\n"
			     "  deny: [forbidden.lab.test]\n"
			     "dns: {servers: none}\n";

static const char script[] = "get() { curl -4 -sS -o /dev/null --cacert \"$0\" \"https://$1/\" 2>&1; }\n"
			     "get allowed.lab.test\n"
			     "get allowed.lab.test\n"
			     "for i in 1 2 3; do get forbidden.lab.test; done\n"
			     "get lab.test\n"
			     "get 198.51.100.1:5432\n"
			     "python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 136)' 2>&1\n"
			     "exit 7\n";

static void test_recipes(void **state) {
	struct lab_program *program, *recipes;

	(void)state;
	lab_enter();
	lab_server(LAB_TLS, "192.0.2.1", 443);
	program = lab_snifence(policy, (const char *[]){"--log-allowed", NULL},
			       (const char *[]){"sh", "-c", script, lab_certificate(), NULL});
	assert_int_equal(program->status, 7);
	recipes = lab_run((const char *[]){"tests/events", "--recipes", program->log, NULL});
	if (recipes->status != 0)
		fail_msg("%s%s", recipes->out, recipes->err);
}

/* What cannot be written is told once, and the command goes on under its policy. */
static void test_full_log(void **state) {
	static const char message[] =
		"snifence: cannot write the log /dev/full: No space left on device; it goes on when that is over\n";
	const char *const argv[] = {"build/snifence",
				    "run",
				    "--log",
				    "/dev/full",
				    lab_write("policy.yaml", policy),
				    "--",
				    "sh",
				    "-c",
				    script,
				    lab_certificate(),
				    NULL};
	struct lab_program *program;
	const char *found;

	(void)state;
	lab_enter();
	lab_server(LAB_TLS, "192.0.2.1", 443);
	program = lab_run(argv);
	assert_int_equal(program->status, 7);
	found = strstr(program->err, message);
	assert_non_null(found);
	assert_null(strstr(found + strlen(message), "cannot write"));
	assert_non_null(strstr(program->err, "snifence: 2 allowed, 6 refused\n"));
}

int main(void) {
	const struct CMUnitTest tests[] = {lab_test(test_recipes), lab_test(test_full_log)};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
