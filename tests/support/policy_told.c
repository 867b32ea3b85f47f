/* SPDX-License-Identifier: BSD-2-Clause */
/* What reading a policy tells ──► text to compare. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "policy_told.h"

char *diagnostics_shown(struct diagnostics *diagnostics) {
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	diagnostics_print(diagnostics, out);
	fclose(out);
	diagnostics_free(diagnostics);
	return text;
}

char *diagnostics_told(struct diagnostics *diagnostics) {
	char *told = diagnostics_shown(diagnostics), *out = told;

	for (char *line = told, *next; *line; line = next) {
		next = strchr(line, '\n') + 1;
		if (*line == ' ')
			continue;
		memmove(out, line, (size_t)(next - line));
		out += next - line;
	}
	*out = '\0';
	return told;
}

struct policy *policy_without_errors(const char *text) {
	struct diagnostics diagnostics = {0};
	struct policy *policy = policy_parse("p.yaml", text, strlen(text), &diagnostics);
	char *told = diagnostics_told(&diagnostics);

	assert_string_equal(told, "");
	assert_non_null(policy);
	free(told);
	return policy;
}

void policy_expect_told(const char *text, size_t length, const char *expected) {
	struct diagnostics diagnostics = {0};
	struct policy *policy = policy_parse("p.yaml", text, length, &diagnostics);
	bool errors = diagnostics.errors > 0;
	char *told = diagnostics_told(&diagnostics), *out = told;

	for (char *line = told, *next; *line; line = next) {
		next = strchr(line, '\n') + 1;
		if (strncmp(line, "p.yaml:", 7) == 0)
			line += 7;
		memmove(out, line, (size_t)(next - line));
		out += next - line;
	}
	*out = '\0';
	assert_string_equal(told, expected);
	assert_true(errors == !policy);
	policy_free(policy);
	free(told);
}
