/* SPDX-License-Identifier: BSD-2-Clause */
/* New sockets ──► what the program in connect() costs. */
#ifndef SNIF_BENCH_CONNECT_COST_H
#define SNIF_BENCH_CONNECT_COST_H

#include "cell.h"

/* Connects new sockets to the inspected port; prints the median cost by the kernel's statistics as "connect". */
void connect_cost(const struct confinement *confinement, const struct cell *cell, bool ipv6);

#endif
