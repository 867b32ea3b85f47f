/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets of an open flow ──► what each costs in the egress programs of its cgroup, side by side with others. */
#ifndef SNIF_BENCH_FLOW_COST_H
#define SNIF_BENCH_FLOW_COST_H

#include "cell.h"
#include "pair.h"

enum { FLOW_SMALL = 100, FLOW_LARGE = 1 << 16, FLOW_SLICES = 40, FLOW_PROGRAMS = 4 };

struct flow {
	uint16_t port; /* PAIR_TLS: after the verdict */
	bool ipv6;
	bool acks;   /* the server sends, the client only acknowledges */
	size_t size; /* FLOW_SMALL or FLOW_LARGE: bytes in each send */
};

/* Where a flow runs. The caller sets all but `pair` and `ns`. */
struct place {
	const char *metric; /* under which its cost is printed, in ns */
	const char *beside; /* the metric that it is compared with, or NULL */
	struct cell cell;
	int programs[FLOW_PROGRAMS]; /* those that each packet passes; their costs add up */
	int program_count;
	struct pair pair;
	double ns[FLOW_SLICES];
};

/* Opens the flow in each place, sends in each place by turns, and prints the median of each place's slices. */
void flow_cost(const struct flow *flow, struct place *places, size_t count);

#endif
