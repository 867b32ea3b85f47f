/* SPDX-License-Identifier: BSD-2-Clause */
/* The runs in a log, and what their logs have lost. */
#ifndef SNIF_LOG_RUNS_H
#define SNIF_LOG_RUNS_H

#include "log/log_event.h"

struct log_runs;

struct log_losses {
	uint64_t runs;
	uint64_t lost;				/* decisions that the ring buffer could not take */
	uint64_t missing;			/* lines that are gone from between others: gaps in the sequences */
	uint64_t allowed, blocked, would_block; /* as the runs have counted themselves, logged or not */
	uint64_t beyond;			/* lines of runs beyond the 100,000 that are kept apart */
};

struct log_runs *log_runs_new(void);					/* NULL: out of memory */
int log_runs_add(struct log_runs *runs, const struct log_event *event); /* any line; returns 0 or -ENOMEM */
struct log_losses log_runs_losses(const struct log_runs *runs);
void log_runs_free(struct log_runs *runs);

#endif
