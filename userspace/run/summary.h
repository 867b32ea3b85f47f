/* SPDX-License-Identifier: BSD-2-Clause */
/* Events ──► what a run comes to: counts by name or address, reason and who asked. */
#ifndef SNIF_SUMMARY_H
#define SNIF_SUMMARY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "analysis/leaders.h"
#include "analysis/remedy.h"
#include "event/event_words.h"

struct tally {
	uint64_t allowed, blocked, would_block; /* events; would_block: what audit mode let through */
	uint64_t calls;				/* system calls that were refused: these are no events */
	uint64_t expected;			/* of the refusals: those by a rule that says that they are expected */
};

struct summary_line {
	enum snif_verdict verdict;
	enum snif_mode mode;
	uint64_t count;
	const char *text; /* what it is about: event_what() */
	struct leaders askers;
	struct refusal refusal; /* with `name` in the policy's spelling, "" where there is none */
};

struct summary; /* counts by (verdict, what it is about, reason) */

struct summary *summary_new(void); /* NULL: out of memory */
/* Counts one event; `expected` ones in the tally alone. Beyond 10,000 different lines the rest is counted under one line
 * "other". Returns 0 or -ENOMEM. */
int summary_add(struct summary *summary, const struct snif_event *event, bool expected);
/* Counts a system call that was refused, like `bpf()`, beside the events: as a line without a reason. Returns 0 or
 * -ENOMEM. */
int summary_add_call(struct summary *summary, const char *what, const char *asker);
/* All that was counted so far, also what has no line of its own. */
const struct tally *summary_tally(const struct summary *summary);
/* The lines: refused before allowed, the most frequent first. `denied` gets how many of them are refusals. NULL: out of
 * memory; else to be freed with free(), its items are the summary's. */
struct summary_line **summary_sorted(const struct summary *summary, size_t *denied, size_t *count);
uint64_t summary_other(const struct summary *summary); /* events that have no line */
void summary_free(struct summary *summary);

#endif
