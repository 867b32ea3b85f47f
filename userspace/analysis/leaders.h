/* SPDX-License-Identifier: BSD-2-Clause */
/* The few most frequent of many words, in fixed memory. */
#ifndef SNIF_LEADERS_H
#define SNIF_LEADERS_H

#include <stdbool.h>
#include <stdint.h>

enum { LEADERS = 8, LEADERS_SHOWN = 3, LEADER_LENGTH = 255 /* of longer words the beginning is kept */ };

/* All zero: none yet. */
struct leaders {
	struct {
		char *word; /* owned */
		uint64_t count;
	} items[LEADERS];
	bool more; /* there were other words */
};

/*
 * Counts a word; "" does not count. When there are more than LEADERS words, the least frequent gives way, and the new
 * one takes over its count (the Space-Saving algorithm of Metwally, Agrawal, El Abbadi, 2005): words that make up more
 * than an eighth are always among them. Returns 0 or -ENOMEM.
 */
int leaders_add(struct leaders *leaders, const char *word);
/* Counts the words of `from`, as often as they were counted there. Returns 0 or -ENOMEM. */
int leaders_merge(struct leaders *leaders, const struct leaders *from);

/* The words, the most frequent first, at the same number by the alphabet. Returns how many there are. */
unsigned leaders_sorted(const struct leaders *leaders, const char *words[LEADERS]);

/* Writes the first of them as `a, b, c, …` into `out`, cut off at `size`. */
void leaders_write(const struct leaders *leaders, char *out, unsigned size, const char *ellipsis);

/* Frees the words; there are none then. */
void leaders_free(struct leaders *leaders);

#endif
