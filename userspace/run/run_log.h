/* SPDX-License-Identifier: BSD-2-Clause */
/* A run's events ──► its log, and what that lacks. */
#ifndef SNIF_RUN_LOG_H
#define SNIF_RUN_LOG_H

#include "confine/log_file.h"
#include "run/stats.h"

/* All zero: there is none, and every function does nothing. */
struct run_log {
	struct log_file file;
	struct outlet *outlet;
	struct log *log;
	uint64_t losses_told, losses_told_at; /* the last line about losses: how many, when (uptime) */
	bool error_told;
};

/* Opens it as log_file_open() does. Returns 0, or -1 after saying why. */
int run_log_open(struct run_log *log, const char *file, const struct identity *identity, bool warn);

void run_log_event(struct run_log *log, const struct snif_event *event, const struct event_context *context);

/*
 * Writes what waits, as far as that goes without waiting; and says in a line where events were lost (once a second at
 * most), or lines that could not be written: as the first one behind them.
 */
void run_log_turn(struct run_log *log, const struct stats *stats);

/* For a turn, as struct part wants it. */
int run_log_wait(const struct run_log *log, struct pollfd *fd);

/* Writes the last line. Waits for a reader that takes something, but not for one that has stopped. Then says what the
 * log lacks. */
void run_log_end(struct run_log *log, const struct stats *stats);

void run_log_close(struct run_log *log);

#endif
