/* SPDX-License-Identifier: BSD-2-Clause */
/* The few most frequent of many words, in fixed memory. */
#ifndef SNIF_LEADERS_H
#define SNIF_LEADERS_H

#include <stdbool.h>
#include <stdint.h>

enum { LEADERS = 3 };

/* All zero: none yet. */
struct leaders {
	struct {
		char *word; /* owned */
		uint64_t count;
	} items[LEADERS];
	bool more; /* there were other words */
};

/*
 * Counts a word; "" does not count. When there are more than LEADERS words, the least frequent gives way, and the new one
 * takes over its count (the Space-Saving algorithm of Metwally, Agrawal, El Abbadi, 2005): words that make up more than
 * a quarter are always among them. Returns 0 or -ENOMEM.
 */
int leaders_add(struct leaders *leaders, const char *word);

/* The most frequent word; "" when there is none. */
const char *leaders_first(const struct leaders *leaders);

/* Writes the words, most frequent first, as `a, b, …`, into `out`, cut off at `size`. */
void leaders_write(const struct leaders *leaders, char *out, unsigned size, const char *ellipsis);

/* The words in that order. Returns how many there are. */
unsigned leaders_sorted(const struct leaders *leaders, const char *words[LEADERS]);

void leaders_free(struct leaders *leaders);

#endif
