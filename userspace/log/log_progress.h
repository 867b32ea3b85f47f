/* SPDX-License-Identifier: BSD-2-Clause */
/* How far the reading of large logs has come, on a terminal. */
#ifndef SNIF_LOG_PROGRESS_H
#define SNIF_LOG_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "log/log_reader.h"

/* All zero at first. */
struct log_progress {
	uint64_t calls;
	long next;	/* when to say it again: clock_ms() */
	uint64_t total; /* bytes of all files; 0: not known */
	bool shown;
};

/* To be called for each event: says on stderr, when that is a terminal, how much of `files` was read; first after a
 * second, then four times a second. */
void log_progress_show(struct log_progress *progress, const struct log_reader *reader, char *const *files);

/* Removes what was said. */
void log_progress_end(struct log_progress *progress);

#endif
