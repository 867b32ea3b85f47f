/* SPDX-License-Identifier: BSD-2-Clause */
/* How far the reading of large logs has come, on a terminal. */
#ifndef SNIF_LOG_PROGRESS_H
#define SNIF_LOG_PROGRESS_H

#include <stdint.h>

#include "log/log_reader.h"

/* All zero at first. */
struct log_progress {
	uint64_t calls;
	int64_t next;	/* when to say it again: milliseconds of CLOCK_MONOTONIC */
	uint64_t total; /* bytes of all files; 0: not known */
	int shown;
};

/* To be called for each event: says on stderr, when that is a terminal, how much of `files` was read; first after a
 * second, then four times a second. */
void log_progress_show(struct log_progress *progress, const struct log_reader *reader, char *const *files);

/* Removes what was said. */
void log_progress_end(struct log_progress *progress);

#endif
