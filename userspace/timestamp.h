/* SPDX-License-Identifier: BSD-2-Clause */
/* A point in time as Suricata's EVE writes it. */
#ifndef SNIF_TIMESTAMP_H
#define SNIF_TIMESTAMP_H

#include <time.h>

enum { TIMESTAMP_SIZE = sizeof("2026-01-31T23:59:59.123456+0100") };

/* Writes `when` (CLOCK_REALTIME) in local time with microseconds and zone: the longest fits, cut after year 9999. */
void timestamp_write(char out[TIMESTAMP_SIZE], const struct timespec *when);

#endif
