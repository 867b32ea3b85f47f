/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of a run ──► the last line of its log. */
#ifndef SNIF_STATS_H
#define SNIF_STATS_H

#include "events.h"
#include "loader.h"
#include "supervise.h"

struct tally {
	uint64_t allowed, blocked; /* events; in audit mode, what would have been */
};

/*
 * Writes one line of JSON with event_type "stats": how the command ended (so that its status cannot be mistaken for
 * snifence's), how many events there were and were lost, and every counter of decisions that is not zero, by reason.
 * Returns 0 or a negative errno.
 */
int stats_write(FILE *out, const struct event_context *context, const struct outcome *outcome,
		const struct tally *tally, const struct filter *filter);

#endif
