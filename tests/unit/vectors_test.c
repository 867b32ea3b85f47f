/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/vectors/hello.tsv and the streams beside it ──► the names and the reason that each must have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/hello_reader.h"
#include "../support/vector.h"
#include "tsv.h"

#define FOLDER "tests/vectors/"

static const char *const reasons[] = {
#define X(constant, code, text) code,
	SNIF_REASONS(X)
#undef X
};

static void add(char *text, size_t size, const char *more) {
	strncat(text, more, size - strlen(text) - 1);
}

static void check(const struct row *row, const struct hello_reading *reading, const char *how) {
	char names[READING_HELLOS * (SNIF_NAME_MAX + 1) + 1] = "";

	for (unsigned i = 0; i < reading->count && i < READING_HELLOS; i++) {
		add(names, sizeof(names), i > 0 ? "," : "");
		add(names, sizeof(names), reading->found[i].name);
	}
	if (strcmp(row->column[1], reading->count ? names : "-") != 0)
		fail_msg("%s, %s: names %s instead of %s", row->column[0], how, names, row->column[1]);
	if (strcmp(row->column[2], reasons[reading->reason]) != 0)
		fail_msg("%s, %s: %s instead of %s", row->column[0], how, reasons[reading->reason], row->column[2]);
}

/* Those of a policy with `unusual: [words]` and `max_hello: number`; NULL: the default ones. */
static struct snif_hello_rules rules_of(const char *key) {
	const char *number = key ? strpbrk(key, "123456789") : NULL;
	struct snif_hello_rules rules = snif_hello_rules_of(number ? (__u32)atoi(number) : SNIF_HELLO_LONGEST);

	rules.split_records = key && strstr(key, "split_records");
	rules.trailing_dot = key && strstr(key, "trailing_dot");
	return rules;
}

static void vectors_are_read_as_the_table_says(void **state) {
	struct hello_reader whole, bytewise;
	static struct bytes stream;
	struct table table = {0};
	char path[256];
	int error;

	(void)state;
	table_read(&table, FOLDER "hello.tsv");
	assert_true(table.count > 0);
	for (size_t i = 0; i < table.count; i++) {
		snprintf(path, sizeof(path), FOLDER "%s", table.rows[i].column[0]);
		error = vector_read(path, &stream);
		if (error)
			fail_msg("%s: %s", path, strerror(-error));
		memset(&whole, 0, sizeof(whole));
		memset(&bytewise, 0, sizeof(bytewise));
		whole.hello.rules = bytewise.hello.rules = rules_of(table.rows[i].column[3]);
		hello_reader_feed(&whole, stream.data, stream.length);
		for (size_t at = 0; at < stream.length; at++)
			hello_reader_feed(&bytewise, stream.data + at, 1);
		check(&table.rows[i], &whole.reading, "in one piece");
		check(&table.rows[i], &bytewise.reading, "byte by byte");
	}
	table_free(&table);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_are_read_as_the_table_says),
	};

	return cmocka_run_group_tests_name("vectors", tests, NULL, NULL);
}
