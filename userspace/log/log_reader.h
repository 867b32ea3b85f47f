/* SPDX-License-Identifier: BSD-2-Clause */
/* The events of one or several logs, one after another. */
#ifndef SNIF_LOG_READER_H
#define SNIF_LOG_READER_H

#include "event/event_read.h"

struct log_reader;

struct log_tally {
	uint64_t events, bad; /* lines; blank ones are neither */
	unsigned unread;      /* files that could not be read, or not to their end */
	uint64_t bytes;	      /* as stored */
	const char *last_bad; /* `file:line: what is wrong` of the bad line read last; "" */
};

/*
 * Prepares to read `files` (at least one, NULL-terminated, borrowed; `-` is standard input), each plain or compressed
 * with gzip, in this order. With `follow` the last one is read on after its end: as it grows, when it is replaced under
 * its name and when it is cut; and a pipe as long as somebody has it open for writing. What is wrong is said on stderr
 * on behalf of the subcommand `command` (NULL: it is not said), of bad lines the first ten. Returns NULL: out of
 * memory.
 */
struct log_reader *log_reader_new(char *const *files, bool follow, const char *command);

/*
 * Reads the next event, passing over bad lines and files that cannot be read. Returns true, with an event whose texts
 * are valid until the next call; or false at the end, which with `follow` may be the end for now: see
 * log_reader_wait().
 */
bool log_reader_next(struct log_reader *reader, struct log_event *event);

/*
 * After the end: waits until there may be more, at most `milliseconds`, or until a signal comes. 0 does not wait.
 * Returns false when nothing will come any more.
 */
bool log_reader_wait(struct log_reader *reader, int milliseconds);

/* After the end for now: as log_source_fd(). Returns -1 too when nothing will come any more. */
int log_reader_fd(const struct log_reader *reader);

/* What was read so far. The texts in it are valid until the next log_reader_next(). */
struct log_tally log_reader_tally(const struct log_reader *reader);

void log_reader_free(struct log_reader *reader);

#endif
