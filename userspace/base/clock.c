/* SPDX-License-Identifier: BSD-2-Clause */
/* The monotonic clock ──► milliseconds. */
#include "base/clock.h"

#include <time.h>

long clock_ms(void) {
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
