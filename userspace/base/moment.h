/* SPDX-License-Identifier: BSD-2-Clause */
/* Points in time, and lengths of it, as a person writes them. */
#ifndef SNIF_MOMENT_H
#define SNIF_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Reads `90s`, `30m`, `2h`, `7d`, `4w` (so long before `now`); `2026-01-31`, `2026-01-31 12:00`, `2026-01-31 12:00:30`
 * (local time; `T` for the space); or a timestamp of the log. Times are microseconds since 1970, UTC. Returns false
 * when it is none of these.
 */
bool moment_read(const char *text, int64_t now, int64_t *moment);

/* Reads a length of time: `90`, `90s`, `30m`, `2h`, `7d`, `4w`. Returns false when it is none. */
bool moment_read_span(const char *text, int64_t *seconds);

#endif
