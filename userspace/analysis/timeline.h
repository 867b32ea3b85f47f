/* SPDX-License-Identifier: BSD-2-Clause */
/* A grid over time that grows with what falls into it: counts over time in fixed memory. */
#ifndef SNIF_TIMELINE_H
#define SNIF_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

enum { TIMELINE_BUCKETS = 64 };

/* All zero: nothing has happened yet. */
struct timeline {
	int64_t width; /* of a bucket in microseconds, as a clock or a calendar is divided; 0: nothing yet */
	int64_t offset; /* to be added to a time for buckets to begin when local clocks are round, and weeks on Mondays */
	int64_t base;	/* bucket 0 begins at base * width - offset after 1970; something is in it */
	int64_t last;	/* the last bucket that something is in */
};

/*
 * Makes the grid cover `time` (microseconds since 1970): later or earlier than all before, or between. Where that
 * returns true, counts that were made on the grid as it was `before` have to be moved by timeline_move().
 */
bool timeline_cover(struct timeline *timeline, int64_t time);

/* Moves counts from the grid `before` to one that came of it by timeline_cover(). */
void timeline_move(uint32_t counts[TIMELINE_BUCKETS], const struct timeline *before, const struct timeline *timeline);

/* Where `time`, which is covered, falls; and when a bucket begins, in microseconds since 1970. */
unsigned timeline_bucket(const struct timeline *timeline, int64_t time);
int64_t timeline_begin(const struct timeline *timeline, unsigned bucket);

/*
 * Draws the counts from the first to the last bucket in `width` characters or less, from nothing to the largest: blank
 * and U+2581 to U+2588, or in ASCII unless `unicode`; without blanks at the end. A character that stands for several
 * buckets shows the largest of them: the numbers of buckets differ, so that sums would have peaks of their own. `out`
 * has room for 3 * width + 1 bytes.
 */
void timeline_draw(const struct timeline *timeline, const uint32_t counts[TIMELINE_BUCKETS], unsigned width,
		   bool unicode, char *out);

#endif
