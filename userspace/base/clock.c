/* SPDX-License-Identifier: BSD-2-Clause */
/* Clocks ──► numbers. */
#include "base/clock.h"

#include <time.h>

long clock_ms(void) {
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

uint64_t clock_boot_ns(void) {
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}
