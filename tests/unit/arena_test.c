/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory from an arena: zero, aligned, apart from all other, and freed at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"

enum { THINGS = 20000, LARGE = 3 << 20 };

static void things_are_zero_aligned_and_apart(void **state) {
	struct arena arena = {0};
	unsigned **things = calloc(THINGS, sizeof(*things));
	char **texts = calloc(THINGS, sizeof(*texts));

	(void)state;
	for (unsigned i = 0; i < THINGS; i++) {
		things[i] = arena_alloc(&arena, (1 + i % 7) * sizeof(unsigned));
		assert_non_null(things[i]);
		assert_int_equal((uintptr_t)things[i] % sizeof(void *), 0);
		for (unsigned k = 0; k < 1 + i % 7; k++) {
			assert_int_equal(things[i][k], 0);
			things[i][k] = i;
		}
		texts[i] = arena_text(&arena, "hello, world", i % 13);
		assert_non_null(texts[i]);
	}
	for (unsigned i = 0; i < THINGS; i++) {
		for (unsigned k = 0; k < 1 + i % 7; k++)
			assert_int_equal(things[i][k], i);
		assert_int_equal(strlen(texts[i]), i % 13);
		assert_memory_equal(texts[i], "hello, world", i % 13);
	}
	arena_free(&arena);
	assert_null(arena.blocks);
	free(things);
	free(texts);
}

static void one_thing_can_be_larger_than_a_block(void **state) {
	struct arena arena = {0};
	char *small = arena_text(&arena, "small", 5), *large = arena_alloc(&arena, LARGE);

	(void)state;
	assert_non_null(large);
	memset(large, 'x', LARGE);
	assert_string_equal(small, "small");
	assert_string_equal(arena_text(&arena, "behind", 6), "behind");
	assert_int_equal(large[LARGE - 1], 'x');
	assert_null(arena_alloc(&arena, SIZE_MAX));
	assert_null(arena_text(&arena, "", SIZE_MAX));
	arena_free(&arena);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(things_are_zero_aligned_and_apart),
		cmocka_unit_test(one_thing_can_be_larger_than_a_block),
	};

	return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
