/* SPDX-License-Identifier: BSD-2-Clause */
/* What a run has counted ──► a line of its log. */
#ifndef SNIF_STATS_H
#define SNIF_STATS_H

#include "event/event_write.h"
#include "filter/filter.h"
#include "run/summary.h"
#include "run/supervise.h"

struct stats {
	const char *program; /* the command's name, as it was called */
	const struct event_context *context;
	const struct tally *tally;
	const struct filter *filter;
	uint32_t policy;	       /* its number there */
	uint64_t unwritten;	       /* lines that the log could not take */
	const struct outcome *outcome; /* NULL: the run goes on */
};

/*
 * Writes one line with event_type "stats", as EVENTS.md describes it: how many events there were and were lost, and
 * every counter of decisions that is not zero, by reason. With `outcome` it is the run's last line and says how the
 * command ended, so that its status cannot be mistaken for snifence's. Returns 0 or a negative errno, as log_end().
 */
int stats_write(struct log *log, const struct stats *stats);

#endif
