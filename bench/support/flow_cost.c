/* SPDX-License-Identifier: BSD-2-Clause */
/* A slice of packets here, a slice there, and so on ──► medians. */
#include "flow_cost.h"

#include <inttypes.h>

#include "bench.h"
#include "hello_cost.h"

enum { BURST = 8 }; /* small packets on their way at once, so that they stay small */

static void send_packets(const struct flow *flow, const struct pair *pair, unsigned count) {
	static const uint8_t bytes[FLOW_LARGE];

	for (unsigned i = 0; i < count; i++) {
		if (flow->acks)
			pair_send_back(pair, bytes, flow->size);
		else
			pair_send(pair, bytes, flow->size);
		if (i % BURST == BURST - 1 || flow->size == FLOW_LARGE)
			pair_drain(pair);
	}
	pair_drain(pair);
}

static struct cost cost_at(const struct place *place) {
	struct cost sum = {0};

	for (int i = 0; i < place->program_count; i++) {
		struct cost cost = cost_of(place->programs[i]);

		sum.ns += cost.ns;
		sum.runs += cost.runs;
	}
	return sum;
}

/* What one packet costs, in the mean of `packets`. */
static double slice(const struct flow *flow, const struct place *place, unsigned packets) {
	struct cost before = cost_at(place), after;
	uint64_t runs;

	send_packets(flow, &place->pair, packets);
	after = cost_at(place);
	runs = (after.runs - before.runs) / (unsigned)place->program_count;
	if (runs < packets / 2)
		bench_fail("%u packets were sent, but only %" PRIu64 " seen in %s", packets, runs, place->metric);
	return (double)(after.ns - before.ns) / (double)runs;
}

void flow_cost(const struct flow *flow, struct place *places, size_t count) {
	unsigned slices = bench_count(FLOW_SLICES, 3), packets = flow->size == FLOW_LARGE ? 40 : 200;

	for (size_t i = 0; i < count; i++) {
		places[i].pair = pair_open(&places[i].cell, flow->ipv6, flow->port);
		if (flow->port == PAIR_TLS)
			hello_settle(&places[i].pair);
		send_packets(flow, &places[i].pair, packets);
	}
	for (unsigned s = 0; s < slices; s++)
		for (size_t i = 0; i < count; i++)
			places[i].ns[s] = slice(flow, &places[i], packets);
	for (size_t i = 0; i < count; i++)
		bench_sample(places[i].metric, "ns", bench_median(places[i].ns, slices), places[i].beside);
}
