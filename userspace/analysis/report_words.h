/* SPDX-License-Identifier: BSD-2-Clause */
/* What a report says in the same words to a terminal and on a page. */
#ifndef SNIF_REPORT_WORDS_H
#define SNIF_REPORT_WORDS_H

#include "analysis/review.h"

enum { REPORT_WORDS_SIZE = 1024 };

/* How a report speaks of what no rule allows: it was refused, or, in audit mode, would be, or there is some of both. */
struct report_words {
	const char *refused, *most_refused;    /* titles */
	const char *over_time, *were, *column; /* within a line */
};

const struct report_words *report_words(const struct group *total);

/* Which allowed name the refused one is close to, and how. */
void report_near_miss(const struct review_near_miss *near, char out[REPORT_WORDS_SIZE]);

/* Why near misses are not known, or not all of them, where some name was refused. Returns false, with "", when they are
 * known. */
bool report_near_misses_note(const struct review *review, char out[REPORT_WORDS_SIZE]);

/* Each thing that is known to be missing from the report, as a sentence without its full stop. Returns how many. */
enum { REPORT_LOSSES = 11 };
unsigned report_losses(const struct review *review, char out[REPORT_LOSSES][REPORT_WORDS_SIZE]);

/* Says that there are events, but the filters leave out all of them. Returns false, with "", when that is not so. */
bool report_none_meant(const struct review *review, char out[REPORT_WORDS_SIZE]);

/* How many events were allowed: of those in the log, or, when there are none and no filter has chosen, as the runs have
 * counted themselves, which sets `only_counted`. */
uint64_t report_allowed(const struct review *review, bool *only_counted);

#endif
