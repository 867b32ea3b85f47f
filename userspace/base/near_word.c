/* SPDX-License-Identifier: BSD-2-Clause */
/* A word that is not known, those that are ──► the one that was meant. */
#include "base/near_word.h"

#include <string.h>

#define WORD_MAX 32 /* no known word is as long */

static unsigned min2(unsigned a, unsigned b) {
	return a < b ? a : b;
}

/* How many letters to add, drop, change, or swap with their neighbour to make `a` of `b` (Damerau, each letter once). Long
 * words are far from everything. */
static unsigned distance(const char *a, const char *b) {
	unsigned rows[3][WORD_MAX + 1];
	size_t rows_count = strlen(a), length = strlen(b);

	if (rows_count > WORD_MAX || length > WORD_MAX)
		return WORD_MAX;
	for (unsigned j = 0; j <= length; j++)
		rows[0][j] = j;
	for (unsigned i = 1; i <= rows_count; i++) {
		unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *swapped = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= length; j++) {
			row[j] = min2(above[j - 1] + (a[i - 1] != b[j - 1]), min2(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = min2(row[j], swapped[j - 2] + 1);
		}
	}
	return rows[rows_count % 3][length];
}

size_t near_word_limit(const char *word) {
	return strlen(word) / 3 + 1; /* further away it was probably not meant */
}

void near_word_try(const char *word, const char *known, size_t *least, const char **closest) {
	unsigned now = distance(word, known);

	if (now >= *least)
		return;
	*least = now;
	*closest = known;
}

const char *near_word(const char *word, const char *const words[]) {
	size_t least = near_word_limit(word);
	const char *closest = NULL;

	for (size_t i = 0; words[i]; i++)
		near_word_try(word, words[i], &least, &closest);
	return closest;
}
