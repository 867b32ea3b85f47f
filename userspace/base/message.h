/* SPDX-License-Identifier: BSD-2-Clause */
/* What snifence says of itself on stderr, and the exit codes it says it with. */
#ifndef SNIF_MESSAGE_H
#define SNIF_MESSAGE_H

#include <stdio.h>

/* Exit codes of snifence itself. `run` otherwise exits with the command's status, or 128 + n for signal n. */
enum {
	EXIT_ALLOWED = 0,   /* check --host: allowed; any command: done */
	EXIT_DENIED = 1,    /* check --host: refused */
	EXIT_MISSING = 1,   /* features: something that run needs */
	EXIT_UNREAD = 1,    /* inspect, report, top, learn: a file could not be read, or not to its end; the rest was */
	EXIT_BY_HAND = 1,   /* learn --merge: something in the policy has to be changed by hand */
	EXIT_USAGE = 2,	    /* the command line or the policy is wrong; nothing was started or attached */
	EXIT_BLOCKED = 120, /* run --fail-if-blocked: the command has exited with 0, and something was refused */
	EXIT_FAILED = 125,  /* snifence could not do its part */
	EXIT_CANNOT_EXECUTE = 126, /* run: there is the command, and it cannot be executed */
	EXIT_NOT_FOUND = 127,	   /* run: there is no such command */
};

/* Prints `snifence: ` and one line: what is wrong and what to do about it. Bytes that are not printable ASCII
 * are escaped as \xHH. */
void message_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same of what has happened, and is no error. */
void message_event(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints lines as they are, which tell of errors. */
void message_lines(const char *lines);

/* From now on messages go to this stream, which stays the caller's; to stderr again with NULL. */
void message_redirect(FILE *to);

/* From now on an error that was told within an hour is not told again: for who goes on, and tries again, for days. */
void message_hold_repeats(void);

/* The room that escape_bytes() needs at most. */
#define ESCAPED_SIZE(length) (4 * (length) + 1)

/* Writes `length` bytes as printable text, with a NUL behind: anything but 0x20 to 0x7e, and the backslash, becomes
 * \xHH. Returns the length of the text. */
size_t escape_bytes(char *out, const void *bytes, size_t length);
/* The same, to a stream. */
void print_escaped(FILE *out, const void *bytes, size_t length);

#endif
