/* SPDX-License-Identifier: BSD-2-Clause */
/* Events ──► the summary at the end of a run. */
#ifndef SNIF_SUMMARY_H
#define SNIF_SUMMARY_H

#include <stdint.h>
#include <stdio.h>

#include "event/event_words.h"

struct tally {
	uint64_t allowed, blocked, would_block; /* events; would_block: what audit mode let through */
};

struct summary; /* counts by (verdict, name or address, reason) */

struct summary *summary_new(void); /* NULL: out of memory */
/* Counts one event. Beyond 10,000 different lines the rest is counted under one line "other". Returns 0 or -ENOMEM. */
int summary_add(struct summary *summary, const struct snif_event *event);
/* Prints blocked first, most frequent first, then allowed, each `name or address:port  reason  count`, and how many
 * events were lost. At most 20 lines of each, then how many more. Names are escaped. */
void summary_print(const struct summary *summary, uint64_t lost, FILE *out);
/* All that was counted so far, also what has no line of its own. */
const struct tally *summary_tally(const struct summary *summary);
void summary_free(struct summary *summary);

#endif
