/* SPDX-License-Identifier: BSD-2-Clause */
/* The lines of a log, in bounded memory. */
#ifndef SNIF_LOG_LINES_H
#define SNIF_LOG_LINES_H

#include "event/event_read.h"
#include "log/log_source.h"

struct log_line {
	const char *text; /* without the line's end; not terminated; valid until the next line is read */
	size_t length;
	uint64_t number; /* from 1; in a followed file begun anew, from 1 again */
	bool too_long;	 /* over EVENT_LINE_MAX bytes: the text is not kept */
};

struct log_lines;

/* Takes over `source`, also when it returns NULL: out of memory. */
struct log_lines *log_lines_new(struct log_source *source);

/*
 * Reads the next line. Returns 1; 0 at the end, where a line without an end counts as one; for a followed source at the
 * end for now, where it is not one yet; or what log_source_read() failed with.
 */
int log_lines_next(struct log_lines *lines, struct log_line *line);

struct log_source *log_lines_source(struct log_lines *lines); /* borrowed */
void log_lines_free(struct log_lines *lines);

#endif
