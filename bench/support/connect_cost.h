/* SPDX-License-Identifier: BSD-2-Clause */
/* New sockets ──► what the program in connect() costs, side by side with others. */
#ifndef SNIF_BENCH_CONNECT_COST_H
#define SNIF_BENCH_CONNECT_COST_H

#include "place.h"

/* Connects new sockets to the inspected port, in each place by turns; prints the median of each place. */
void connect_cost(struct place *places, size_t count, bool ipv6);

#endif
