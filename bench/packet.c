/* SPDX-License-Identifier: BSD-2-Clause */
/* Open flows, packet by packet ──► the cost of each packet to snifence, beside that of the floors. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/bench.h"
#include "support/cell.h"
#include "support/hello_cost.h"
#include "support/pair.h"
#include "support/replay.h"

enum { SMALL = 100, LARGE = 1 << 16, BURST = 8, MOST_SLICES = 64 };
enum { CELLS = 4 }; /* interleaved: snifence, the two floors, and one floor once more to see the noise */

static const char *const metrics[CELLS] = {"egress", "floor-return", "floor-storage", "floor-storage-again"};

struct flow {
	uint16_t port;
	bool ipv6;
	bool acks; /* the server sends, the client only acknowledges */
	size_t size;
};

struct place {
	struct cell cell;
	int program;
	struct pair pair;
	double ns[MOST_SLICES]; /* for a packet, in each slice */
};

static void open_flow(struct place *place, const struct flow *flow) {
	place->pair = pair_open(&place->cell, flow->ipv6, flow->port);
	if (flow->port == PAIR_TLS)
		hello_settle(&place->pair);
}

static void send_packets(const struct flow *flow, const struct pair *pair, unsigned count) {
	static const uint8_t bytes[LARGE];

	for (unsigned i = 0; i < count; i++) {
		if (flow->acks)
			pair_send_back(pair, bytes, flow->size);
		else
			pair_send(pair, bytes, flow->size);
		if (i % BURST == BURST - 1 || flow->size == LARGE)
			pair_drain(pair);
	}
	pair_drain(pair);
}

/* The mean of one slice; the slices' median is the round's value. */
static double slice(const struct flow *flow, const struct place *place, unsigned packets) {
	struct cost before = cost_of(place->program), after;

	send_packets(flow, &place->pair, packets);
	after = cost_of(place->program);
	if (after.runs - before.runs < packets / 2)
		bench_fail("%u packets were sent, the program ran %lu times", packets, after.runs - before.runs);
	return (double)(after.ns - before.ns) / (double)(after.runs - before.runs);
}

static void measure_flow(const struct flow *flow, struct place places[CELLS]) {
	unsigned slices = bench_count(40, 3), packets = flow->size == LARGE ? 40 : 200;

	for (int i = 0; i < CELLS; i++) {
		open_flow(&places[i], flow);
		send_packets(flow, &places[i].pair, packets);
	}
	for (unsigned s = 0; s < slices; s++)
		for (int i = 0; i < CELLS; i++)
			places[i].ns[s] = slice(flow, &places[i], packets);
	for (int i = 0; i < CELLS; i++)
		bench_sample(metrics[i], "ns", bench_median(places[i].ns, slices), i == 2 ? NULL : metrics[2]);
}

static void run_flow(const void *argument) {
	const struct flow *flow = argument;
	static struct place places[CELLS];
	struct confinement confinement;

	pair_network();
	cost_start();
	for (int i = 0; i < CELLS; i++)
		places[i].cell = cell_make(NULL, metrics[i]);
	confinement = confine(HELLO_POLICY);
	confine_cell(&confinement, &places[0].cell);
	places[0].program = cell_program(&places[0].cell, BPF_CGROUP_INET_EGRESS);
	places[1].program = floor_attach(&places[1].cell, FLOOR_RETURN);
	places[2].program = floor_attach(&places[2].cell, FLOOR_STORAGE);
	places[3].program = floor_attach(&places[3].cell, FLOOR_STORAGE);
	measure_flow(flow, places);
	cost_stop();
	if (flow->port != PAIR_UDP && !flow->acks && flow->size == SMALL)
		replay_established(places[0].program, places[0].pair.client, flow->ipv6);
}

/* connect4, connect6: the programs run in connect(), each on a new socket. */
static void run_connect(const void *argument) {
	enum { MOST = 400 };
	bool ipv6 = *(const bool *)argument;
	enum bpf_attach_type type = ipv6 ? BPF_CGROUP_INET6_CONNECT : BPF_CGROUP_INET4_CONNECT;
	struct confinement confinement;
	struct cell cell;
	struct cost before, after;
	static double ns[MOST];
	unsigned count = bench_count(MOST, 20);
	int program;

	pair_network();
	cost_start();
	cell = cell_make(NULL, "connect");
	confinement = confine(HELLO_POLICY);
	confine_cell(&confinement, &cell);
	program = cell_program(&cell, type);
	for (unsigned i = 0; i < count; i++) {
		struct pair pair;

		before = cost_of(program);
		pair = pair_open(&cell, ipv6, PAIR_TLS);
		after = cost_of(program);
		if (after.runs - before.runs != 1)
			bench_fail("one connect() ran the program %lu times", after.runs - before.runs);
		ns[i] = (double)(after.ns - before.ns);
		pair_close(&pair);
	}
	bench_sample("connect", "ns", bench_median(ns, count), NULL);
}

static const struct flow small4 = {PAIR_TLS, false, false, SMALL}, small6 = {PAIR_TLS, true, false, SMALL};
static const struct flow large4 = {PAIR_TLS, false, false, LARGE}, large6 = {PAIR_TLS, true, false, LARGE};
static const struct flow direct = {PAIR_DIRECT, false, false, SMALL}, acks = {PAIR_TLS, false, true, SMALL};
static const struct flow udp = {PAIR_UDP, false, false, SMALL};
static const bool ipv4 = false, ipv6 = true;

static const struct bench_case cases[] = {
	{"packet/established-small", run_flow, &small4},
	{"packet/established-small-ipv6", run_flow, &small6},
	{"packet/established-64k", run_flow, &large4},
	{"packet/established-64k-ipv6", run_flow, &large6},
	{"packet/direct", run_flow, &direct},
	{"packet/ack", run_flow, &acks},
	{"packet/udp", run_flow, &udp},
	{"packet/connect4", run_connect, &ipv4},
	{"packet/connect6", run_connect, &ipv6},
};

int main(int argc, char **argv) {
	return bench_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
