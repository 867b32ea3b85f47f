/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets of an open flow ──► what each costs in the egress programs of its cgroup, side by side with others. */
#ifndef SNIF_BENCH_FLOW_COST_H
#define SNIF_BENCH_FLOW_COST_H

#include "place.h"

/*
 * Bytes in each send. The large ones are all that a packet of TCP can carry to a network device that cuts it: as many
 * whole segments as fit into 64 KB, at an MTU of 1500 and with timestamps.
 */
enum { FLOW_SMALL = 100, FLOW_LARGE_IPV4 = 44 * 1448, FLOW_LARGE_IPV6 = 44 * 1428 };

struct flow {
	uint16_t port; /* PAIR_TLS: after the verdict */
	bool ipv6;
	bool acks;   /* the server sends, the client only acknowledges */
	size_t size; /* FLOW_* */
};

/*
 * Opens the flow in each place, sends in each place by turns, and prints the median of each place's slices. Ends the
 * round unless each send leaves as one packet (but for a tenth of them).
 */
void flow_cost(const struct flow *flow, struct place *places, size_t count);

#endif
