/* SPDX-License-Identifier: BSD-2-Clause */
/* setsockopt() and open() of a device ──► what the calls take, confined and not. */
#ifndef SNIF_BENCH_CALL_COST_H
#define SNIF_BENCH_CALL_COST_H

#include "place.h"

enum call {
	CALL_OPTION,	    /* TCP_NODELAY, which is let through by its number */
	CALL_OPTION_JUDGED, /* IP_FREEBIND of 0, which is let through by its value */
	CALL_DEVICE,	    /* open() and close() of /dev/null */
};

/* Makes the call in each place by turns, many times; prints the median of each place, for one call by the clock. */
void call_cost(struct place *places, size_t count, enum call call);

#endif
