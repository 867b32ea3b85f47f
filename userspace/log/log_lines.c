/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes ──► lines. */
#include "log/log_lines.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER_SIZE = 4 * EVENT_LINE_MAX };

struct log_lines {
	struct log_source *source;
	uint64_t number;	 /* of the line read last */
	size_t start, end, seen; /* what is not handed out yet; before `seen` there is no line's end */
	bool too_long;		 /* the line's beginning was dropped already */
	bool restart;		 /* the source was begun anew: what is left is the old one's last line */
	char buffer[BUFFER_SIZE];
};

struct log_lines *log_lines_new(struct log_source *source) {
	struct log_lines *lines = source ? malloc(sizeof(*lines)) : NULL;

	if (!lines) {
		log_source_close(source);
		return NULL;
	}
	memset(lines, 0, offsetof(struct log_lines, buffer));
	lines->source = source;
	return lines;
}

/* Hands out the bytes up to `end`, and goes on at `next`. */
static int take(struct log_lines *lines, size_t end, size_t next, struct log_line *line) {
	line->text = lines->buffer + lines->start;
	line->length = end - lines->start;
	line->number = ++lines->number;
	line->too_long = lines->too_long || line->length > EVENT_LINE_MAX;
	lines->start = lines->seen = next;
	lines->too_long = false;
	return 1;
}

static bool has_rest(const struct log_lines *lines) {
	return lines->start < lines->end || lines->too_long;
}

static void make_room(struct log_lines *lines) {
	size_t length = lines->end - lines->start;

	if (length > EVENT_LINE_MAX) {
		lines->too_long = true;
		length = 0;
	}
	memmove(lines->buffer, lines->buffer + lines->start, length);
	lines->start = 0;
	lines->end = lines->seen = length;
}

/* Returns 1 when there are more bytes, else as log_lines_next(). */
static int refill(struct log_lines *lines) {
	ssize_t got;

	make_room(lines);
	got = log_source_read(lines->source, lines->buffer + lines->end, BUFFER_SIZE - lines->end);
	lines->restart = got == -ESTALE;
	if (got <= 0)
		return (int)got;
	lines->end += (size_t)got;
	return 1;
}

int log_lines_next(struct log_lines *lines, struct log_line *line) {
	char *newline;
	size_t end;
	int result;

	for (;;) {
		newline = memchr(lines->buffer + lines->seen, '\n', lines->end - lines->seen);
		end = newline ? (size_t)(newline - lines->buffer) : lines->end;
		if (newline)
			return take(lines, end, end + 1, line);
		lines->seen = end;
		if (lines->restart && has_rest(lines))
			return take(lines, end, end, line);
		if (lines->restart)
			lines->number = 0;
		result = refill(lines);
		if (result == 0 && log_source_ended(lines->source) && has_rest(lines))
			return take(lines, lines->end, lines->end, line);
		if (result <= 0 && !lines->restart)
			return result;
	}
}

struct log_source *log_lines_source(struct log_lines *lines) {
	return lines->source;
}

void log_lines_free(struct log_lines *lines) {
	if (!lines)
		return;
	log_source_close(lines->source);
	free(lines);
}
