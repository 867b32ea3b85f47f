/* SPDX-License-Identifier: BSD-2-Clause */
/* The runs in a log, and what their logs have lost. */
#ifndef SNIF_LOG_RUNS_H
#define SNIF_LOG_RUNS_H

#include "event/event_read.h"

struct log_runs;

enum { LOG_RUNS_MAX = 100000 }; /* that are kept apart */

/* Of the runs of which some event is meant. */
struct log_losses {
	uint64_t runs;
	uint64_t unended; /* that have not said how the command ended: they go on, or were killed */
	uint64_t lost;	  /* decisions that the ring buffer could not take */
	uint64_t before;  /* lines that are gone from before the first one that is there */
	uint64_t missing; /* lines that are gone from between others: gaps in the sequences */
	uint64_t allowed; /* as the runs have counted themselves, logged or not */
	uint64_t beyond;  /* lines that are meant of runs beyond LOG_RUNS_MAX, of which nothing else is known */
};

struct log_runs *log_runs_new(void); /* NULL: out of memory */

/* Adds any line of the log, and whether it is an event that is meant. Returns 0 or -ENOMEM. */
int log_runs_add(struct log_runs *runs, const struct log_event *event, bool meant);

/* Lines and decisions that are known to be gone, wherever from. */
uint64_t log_losses_total(const struct log_losses *losses);

struct log_losses log_runs_losses(const struct log_runs *runs);
void log_runs_free(struct log_runs *runs);

#endif
