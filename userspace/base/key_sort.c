/* SPDX-License-Identifier: BSD-2-Clause */
/* Very many items ──► in the order of a number that each begins with: digit by digit, the last one first. */
#include "base/key_sort.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* As many digits at once as there are places whose ends the first cache holds. */
enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS, FEW = 4096 };

static uint64_t key_of(const char *item) {
	uint64_t key;

	memcpy(&key, item, sizeof(key));
	return key;
}

/* Counts how many items have each digit there. Whether all have the same. */
static bool count_digits(const char *items, size_t count, size_t size, unsigned shift, size_t counts[DIGITS]) {
	memset(counts, 0, DIGITS * sizeof(*counts));
	for (size_t i = 0; i < count; i++)
		counts[key_of(items + i * size) >> shift & (DIGITS - 1)]++;
	return counts[key_of(items) >> shift & (DIGITS - 1)] == count;
}

static void distribute(const char *from, char *to, size_t count, size_t size, unsigned shift, size_t places[DIGITS]) {
	size_t next = 0;

	for (int i = 0; i < DIGITS; i++) {
		size_t of_this = places[i];

		places[i] = next;
		next += of_this;
	}
	for (size_t i = 0; i < count; i++) {
		const char *item = from + i * size;

		memcpy(to + places[key_of(item) >> shift & (DIGITS - 1)]++ * size, item, size);
	}
}

static void sort_same(char *items, size_t count, size_t size, int (*compare)(const void *a, const void *b)) {
	for (size_t first = 0, end; first < count; first = end) {
		for (end = first + 1; end < count && key_of(items + end * size) == key_of(items + first * size);)
			end++;
		if (end - first > 1)
			qsort(items + first * size, end - first, size, compare);
	}
}

void key_sort(void *items, size_t count, size_t size, int (*compare)(const void *a, const void *b)) {
	char *from = items, *other = count < FEW ? NULL : malloc(count * size), *to = other;
	size_t counts[DIGITS];

	if (!other) {
		qsort(items, count, size, compare);
		return;
	}
	for (unsigned shift = 0; shift < 64; shift += DIGIT_BITS) {
		char *swap = from;

		if (count_digits(from, count, size, shift, counts))
			continue;
		distribute(from, to, count, size, shift, counts);
		from = to;
		to = swap;
	}
	if (from != items)
		memcpy(items, from, count * size);
	free(other);
	sort_same(items, count, size, compare);
}
