/* SPDX-License-Identifier: BSD-2-Clause */
/* A point in time ──► its text in JSON lines. */
#include "timestamp.h"

#include <stdio.h>

void timestamp_write(char out[TIMESTAMP_SIZE], const struct timespec *when) {
	struct tm local = {0};
	char seconds[sizeof("2026-01-31T23:59:59")] = "", zone[sizeof("+0100")] = "";
	localtime_r(&when->tv_sec, &local);
	strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &local);
	strftime(zone, sizeof(zone), "%z", &local);
	snprintf(out, TIMESTAMP_SIZE, "%s.%06u%s", seconds, (unsigned)when->tv_nsec / 1000 % 1000000, zone);
}
