/* SPDX-License-Identifier: BSD-2-Clause */
/* Members ──► lines of JSON ──► a file, several lines at a time. */
#ifndef SNIF_LOG_WRITER_H
#define SNIF_LOG_WRITER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/outlet.h"
#include "portable.h"

enum { LOG_EVENT_VERSION = 1 }; /* of the format that EVENTS.md describes */

struct log;

/* A random id for a run. */
uint64_t log_run_id(void);

/*
 * Begins a log on `out`, which is borrowed; make it unbuffered where others append to the same file, so that each
 * write has whole lines. NULL: out of memory.
 */
struct log *log_new(FILE *out, uint64_t run_id);
/* The same to an outlet, also borrowed, which has no errors: it counts the lines that it loses. */
struct log *log_new_to(struct outlet *outlet, uint64_t run_id);
/* Has such a log go on in another outlet; what waits goes to the one before. */
void log_move(struct log *log, struct outlet *outlet);

/* Begins a line, with what every line has. `time`: CLOCK_REALTIME, nanoseconds. */
void log_begin(struct log *log, uint64_t time, const char *event_type);
/* Each adds one member to the line, or to the object that is open. Text is written as escape_bytes() does. */
void log_text(struct log *log, const char *key, const char *text);
void log_bytes(struct log *log, const char *key, const void *bytes, size_t length);
void log_number(struct log *log, const char *key, __u64 number);
void log_flag(struct log *log, const char *key, bool flag);
void log_open(struct log *log, const char *key);
void log_close(struct log *log);
/* An array of objects: between the two, log_open_item() and log_close() for each. */
void log_open_array(struct log *log, const char *key);
void log_open_item(struct log *log);
void log_close_array(struct log *log);
/* Ends the line. It is written with those that follow, at the latest by log_flush(). Returns 0 or a negative errno of
 * this line or of those before. */
int log_end(struct log *log);

/* Writes all lines that wait. Returns 0 or a negative errno. */
int log_flush(struct log *log);
/* The same for the last line, for which an outlet has room. */
int log_flush_last(struct log *log);

/* A time of CLOCK_MONOTONIC as one of CLOCK_REALTIME, both in nanoseconds: by the clocks as they stood at the first
 * call after the last flush. */
uint64_t log_real_time(struct log *log, uint64_t monotonic);
/* Seconds since log_new(). */
uint64_t log_uptime(const struct log *log);

void log_free(struct log *log); /* without a flush */

#endif
