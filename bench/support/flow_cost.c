/* SPDX-License-Identifier: BSD-2-Clause */
/* A slice of packets here, a slice there, and so on ──► medians. */
#include "flow_cost.h"

#include <inttypes.h>

#include "bench.h"
#include "hello_cost.h"

enum { BURST = 8 }; /* small packets on their way at once, so that they stay small */
enum { SLICES = 40, SMALL_PACKETS = 200, LARGE_PACKETS = 40 };

static unsigned packets_of(const struct flow *flow) {
	return flow->size == FLOW_SMALL ? SMALL_PACKETS : LARGE_PACKETS;
}

static void send_packets(const struct flow *flow, const struct pair *pair) {
	static const uint8_t bytes[FLOW_LARGE_IPV4];

	for (unsigned i = 0; i < packets_of(flow); i++) {
		if (flow->acks)
			pair_send_back(pair, bytes, flow->size);
		else
			pair_send(pair, bytes, flow->size);
		if (i % BURST == BURST - 1 || flow->size != FLOW_SMALL)
			pair_drain(pair);
	}
	pair_drain(pair);
}

/* What one packet costs, in the mean of a slice. */
static void measure(struct place *place, const void *argument) {
	const struct flow *flow = argument;
	struct cost before = place_cost(place), after;
	unsigned packets = packets_of(flow);
	uint64_t runs;

	send_packets(flow, &place->pair);
	after = place_cost(place);
	runs = (after.runs - before.runs) / (unsigned)place->program_count;
	if (10 * runs < 9 * packets || 10 * runs > 11 * packets)
		bench_fail("of %u sends came %" PRIu64 " packets in %s", packets, runs, place->metric);
	place_add(place, (double)(after.ns - before.ns) / (double)runs);
}

void flow_cost(const struct flow *flow, struct place *places, size_t count) {
	for (size_t i = 0; i < count; i++) {
		places[i].pair = pair_open(&places[i].cell, flow->ipv6, flow->port);
		if (flow->port == PAIR_TLS)
			hello_settle(&places[i].pair);
		send_packets(flow, &places[i].pair);
	}
	places_take_turns(places, count, bench_count(SLICES, 3), measure, flow);
	places_print(places, count);
}
