/* SPDX-License-Identifier: BSD-2-Clause */
/* A point in time as Suricata's EVE writes it. */
#ifndef SNIF_TIMESTAMP_H
#define SNIF_TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

enum { TIMESTAMP_SIZE = sizeof("2026-01-31T23:59:59.123456+0100") };

/*
 * The last point in time that was written, and its second in words: most come in the same second. All zero: none yet.
 */
struct timestamp {
	time_t second;
	char seconds[sizeof("2026-01-31T23:59:59")], zone[sizeof("+0100")];
	char text[TIMESTAMP_SIZE];
};

/* Returns `when` (CLOCK_REALTIME) in local time with microseconds and zone, valid until the next call. The longest
 * fits, cut after year 9999. */
const char *timestamp_write(struct timestamp *timestamp, const struct timespec *when);

/* The same of microseconds since 1970, UTC, as timestamp_read() reads them: also of one before that. */
const char *timestamp_write_microseconds(struct timestamp *timestamp, int64_t microseconds);

/* Whether the month of a date that strptime() has read has that day: it takes 2026-02-30 too, of which timegm() and
 * mktime() make 2026-03-02. */
bool timestamp_has_day(const struct tm *date);

/* Reads the same into microseconds since 1970, UTC; the fraction may have any number of digits or be left out, and the
 * zone be `Z` or have a colon. Returns false when it is something else. */
bool timestamp_read(const char *text, int64_t *microseconds);

#endif
