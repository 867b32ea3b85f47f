/* SPDX-License-Identifier: BSD-2-Clause */
/* `snifence explain`, and the page of the reasons, which says the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/output.h"
#include "analysis/reason_about.h"
#include "base/file.h"
#include "event/event_words.h"
#include "explain/explain.h"

static char out[65536], err[4096];

static int explain(const char *word) {
	return output_of(explain_main, (const char *[]){"explain", word, NULL}, out, sizeof(out), err, sizeof(err));
}

static void test_every_reason(void **state) {
	char expected[2048];

	(void)state;
	for (unsigned reason = SNIF_REASON_NONE + 1; reason < SNIF_REASON_COUNT; reason++) {
		const struct reason_about about = reason_about(reason);

		assert_int_not_equal(about.class, REASON_UNKNOWN);
		assert_int_equal(explain(reason_code(reason)), 0);
		snprintf(expected, sizeof(expected), "%s: %s\n  Usual causes: %s\n  What to do: %s\n",
			 reason_code(reason), reason_text(reason), about.causes, about.advice);
		assert_string_equal(out, expected);
		assert_string_equal(err, "");
	}
}

/* Lines end between words where there are columns to keep to. */
static void test_lines(void **state) {
	(void)state;
	setenv("COLUMNS", "60", 1);
	assert_int_equal(explain("port_not_allowed"), 0);
	unsetenv("COLUMNS");
	assert_string_equal(out, "port_not_allowed: rules cover this address, but not with\n"
				 "  this protocol and port\n"
				 "  Usual causes: Another port than 443, plain HTTP on port\n"
				 "    80, QUIC (UDP 443), or a DNS server that the policy does\n"
				 "    not name.\n"
				 "  What to do: For TLS on another port, `ports` of the host's\n"
				 "    rule; for DNS, `dns.servers`; else `direct.allow`.\n"
				 "    Clients fall back from QUIC to TCP by themselves.\n");
}

static void test_list(void **state) {
	(void)state;
	assert_int_equal(explain(NULL), 0);
	assert_non_null(strstr(out, "name_not_allowed      no rule allows this server name\n"));
	for (unsigned reason = SNIF_REASON_NONE + 1; reason < SNIF_REASON_COUNT; reason++)
		assert_non_null(strstr(out, reason_code(reason)));
}

/* What notices and summaries say in the place of a reason. */
static void test_system_call(void **state) {
	(void)state;
	assert_int_equal(explain("system_call"), 0);
	assert_int_equal(strncmp(out, "system_call: " SYSTEM_CALL_TEXT "\n  Usual causes: ",
				 strlen("system_call: " SYSTEM_CALL_TEXT "\n  Usual causes: ")),
			 0);
	assert_non_null(strstr(out, system_call_about.advice));
	assert_int_equal(explain("system_cal"), 2);
	assert_non_null(strstr(err, "; did you mean system_call? "));
	assert_int_equal(explain(NULL), 0);
	assert_non_null(strstr(out, "\nsystem_call           " SYSTEM_CALL_TEXT "\n"));
}

static void test_no_such_reason(void **state) {
	(void)state;
	assert_int_equal(explain("name_not_alowed"), 2);
	assert_string_equal(err,
			    "snifence: explain: there is no reason name_not_alowed; did you mean name_not_allowed? "
			    "`snifence explain` lists them\n");
	assert_int_equal(explain("none"), 2);
	assert_string_equal(out, "");
}

/* The table of the page, row by row. EXPLAIN_PAGE=1 prints what it should be. */
static void test_page(void **state) {
	const char *message;
	char *page, *rows = NULL;
	size_t length;
	FILE *stream = open_memstream(&rows, &length);

	(void)state;
	for (unsigned reason = SNIF_REASON_NONE + 1; reason < SNIF_REASON_COUNT; reason++) {
		const struct reason_about about = reason_about(reason);

		fprintf(stream, "| `%s` | %s | %s | %s |\n", reason_code(reason), reason_text(reason), about.causes,
			about.advice);
	}
	fprintf(stream, "| `%s` | %s | %s | %s |\n", SYSTEM_CALL, SYSTEM_CALL_TEXT, system_call_about.causes,
		system_call_about.advice);
	assert_int_equal(fclose(stream), 0);
	if (getenv("EXPLAIN_PAGE"))
		fputs(rows, stdout);
	page = file_read("docs/reasons.md", 1 << 20, &length, &message);
	assert_non_null(page);
	assert_non_null(strstr(page, rows));
	free(page);
	free(rows);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_reason), cmocka_unit_test(test_lines),	    cmocka_unit_test(test_list),
		cmocka_unit_test(test_system_call),  cmocka_unit_test(test_no_such_reason), cmocka_unit_test(test_page),
	};

	return cmocka_run_group_tests_name("explain", tests, NULL, NULL);
}
