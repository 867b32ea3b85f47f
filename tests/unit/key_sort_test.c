/* SPDX-License-Identifier: BSD-2-Clause */
/* Items ──► key_sort() ──► the order that qsort() gives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/key_sort.h"

enum { COUNT = 20000, BYTES = 3 };

struct item {
	uint64_t key;
	uint32_t second;
	uint8_t rest[BYTES];
};

static struct item items[COUNT], wanted[COUNT];

static int compare(const void *a, const void *b) {
	const struct item *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return (x->second > y->second) - (x->second < y->second);
}

/* Keys of which only the bits of `mask` differ. */
static void expect_sorted(size_t count, uint64_t mask) {
	uint64_t state = 88172645463325252ULL;

	memset(items, 0, sizeof(items));
	for (size_t i = 0; i < count; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		items[i] = (struct item){(state & mask) | (0x5555 & ~mask), (uint32_t)i * 7919U % 65521U, {(uint8_t)i}};
	}
	memcpy(wanted, items, sizeof(items));
	qsort(wanted, count, sizeof(*wanted), compare);
	key_sort(items, count, sizeof(*items), compare);
	assert_memory_equal(items, wanted, count * sizeof(*items));
}

static void test_sorts(void **state) {
	static const uint64_t masks[] = {UINT64_MAX, 0xff00000000000000, 0xffffffff, 0x3ff, 0x1000000000800, 1, 0};
	static const size_t counts[] = {0, 1, 2, 100, 5000, COUNT};

	(void)state;
	for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++)
		for (size_t k = 0; k < sizeof(counts) / sizeof(counts[0]); k++)
			expect_sorted(counts[k], masks[i]);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_sorts)};

	return cmocka_run_group_tests_name("key_sort", tests, NULL, NULL);
}
