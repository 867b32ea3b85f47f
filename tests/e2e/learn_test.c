/* SPDX-License-Identifier: BSD-2-Clause */
/* A run in audit mode ──► learn ──► a policy under which the same program runs, and nothing else. */
#include <json-c/json.h>
#include <string.h>

#include "../support/lab.h"

static const char audit[] = "version: 1\nmode: audit\ndns: {servers: none}\n";

/* $1 fetches, each of another host, and one line to an echo server that speaks no TLS; fails when any of it does. */
static const char script[] =
	"failed=0\n"
	"for i in $(seq 1 \"$1\"); do\n"
	"	host=host$i.lab.test\n"
	"	curl -4 -sS -o /dev/null --cacert \"$0\" --resolve \"$host:443:192.0.2.1\" \"https://$host/\" || failed=$?\n"
	"done\n"
	"exec 3<>/dev/tcp/198.51.100.1/5432 && echo ping >&3 && read -r answer <&3 && [ \"$answer\" = ping ] || failed=99\n"
	"exit $failed\n";

static struct lab_program *fetch(const char *policy, const char *hosts) {
	return lab_snifence(policy, NULL, (const char *[]){"bash", "-c", script, lab_certificate(), hosts, NULL});
}

/* The first row of the report's first table. */
static const char *first_row(const char *report) {
	const char *heading = strstr(report, "Most refused\n"), *row = heading ? strchr(heading, '\n') + 1 : NULL;

	assert_non_null(row);
	return strchr(row, '\n') + 1;
}

static void test_round_trip(void **state) {
	static const char expected[] = "        1  host31.lab.test  name_not_allowed  curl ";
	struct lab_program *program, *learned, *checked, *report;
	const char *policy;

	(void)state;
	lab_enter();
	lab_server(LAB_TLS, "192.0.2.1", 443);
	lab_server(LAB_ECHO, "198.51.100.1", 5432);
	program = fetch(audit, "30");
	assert_int_equal(program->status, 0);
	assert_int_equal(json_object_array_length(lab_log(program)), 31);

	learned = lab_run((const char *[]){"build/snifence", "learn", program->log, NULL});
	assert_string_equal(learned->err, "");
	assert_int_equal(learned->status, 0);
	policy = lab_write("learned.yaml", learned->out);
	checked = lab_run((const char *[]){"build/snifence", "check", policy, NULL});
	assert_string_equal(checked->err, "");
	assert_int_equal(checked->status, 0);
	assert_non_null(strstr(checked->out, "mode     enforce\n"));
	assert_non_null(strstr(checked->out, "total    30 host rules, "));

	program = fetch(learned->out, "30");
	assert_int_equal(program->status, 0);
	assert_int_equal(json_object_array_length(lab_log(program)), 0);
	program = fetch(learned->out, "31");
	assert_int_equal(program->status, 35);
	report = lab_run((const char *[]){"build/snifence", "report", program->log, NULL});
	assert_int_equal(strncmp(first_row(report->out), expected, strlen(expected)), 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {lab_test(test_round_trip)};

	return cmocka_run_group_tests_name("learn", tests, NULL, NULL);
}
