/* SPDX-License-Identifier: BSD-2-Clause */
/* Text in memory: all that was written, or an error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

static bool fails; /* once */

static void *grow(void *memory, size_t size) {
	void *larger = fails ? NULL : realloc(memory, size);

	fails = false;
	return larger;
}

#define realloc grow
#include "../../userspace/base/text.c"

enum { LINES = 10000, LINE = sizeof("00000\n") - 1 };

static void write_lines(FILE *out) {
	for (int i = 0; i < LINES; i++)
		fprintf(out, "%05d\n", i);
}

static void all_of_it_is_there(void **state) {
	char *text, line[LINE + 1];
	size_t length;
	FILE *out = text_open(&text, &length);

	(void)state;
	assert_non_null(out);
	write_lines(out);
	assert_int_equal(text_close(out, &text), 0);
	assert_int_equal(length, LINES * LINE);
	assert_int_equal(strlen(text), length);
	for (int i = 0; i < LINES; i++) {
		snprintf(line, sizeof(line), "%05d\n", i);
		assert_memory_equal(text + i * LINE, line, LINE);
	}
	free(text);
}

static void without_a_write_it_is_empty(void **state) {
	char *text;
	size_t length;
	FILE *out = text_open(&text, &length);

	(void)state;
	assert_int_equal(text_close(out, &text), 0);
	assert_string_equal(text, "");
	assert_int_equal(length, 0);
	free(text);
}

static void what_was_flushed_can_be_read(void **state) {
	char *text;
	size_t length;
	FILE *out = text_open(&text, &length);

	(void)state;
	fputs("a", out);
	assert_int_equal(fflush(out), 0);
	assert_string_equal(text, "a");
	fputs("b", out);
	assert_int_equal(text_close(out, &text), 0);
	assert_string_equal(text, "ab");
	free(text);
}

/* Memory that is there again for what comes next does not make it whole. */
static void a_hole_is_an_error(void **state) {
	char *text;
	size_t length;
	FILE *out = text_open(&text, &length);

	(void)state;
	fails = true;
	write_lines(out);
	assert_false(fails);
	assert_int_equal(text_close(out, &text), -ENOMEM);
	assert_null(text);
}

static void no_stream_is_an_error(void **state) {
	char *text = NULL;

	(void)state;
	assert_int_equal(text_close(NULL, &text), -ENOMEM);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_it_is_there),		cmocka_unit_test(without_a_write_it_is_empty),
		cmocka_unit_test(what_was_flushed_can_be_read), cmocka_unit_test(a_hole_is_an_error),
		cmocka_unit_test(no_stream_is_an_error),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
