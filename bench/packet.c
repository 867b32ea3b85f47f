/* SPDX-License-Identifier: BSD-2-Clause */
/* Open flows and new sockets ──► what a packet and a connect() cost, beside the floors. */
#include "support/bench.h"
#include "support/cell.h"
#include "support/connect_cost.h"
#include "support/flow_cost.h"
#include "support/hello_cost.h"
#include "support/replay.h"

enum { SNIFENCE, RETURN, STORAGE, AGAIN, PLACES };

static void run_flow(const void *argument) {
	static const enum floor floors[PLACES] = {
		[RETURN] = FLOOR_RETURN, [STORAGE] = FLOOR_STORAGE, [AGAIN] = FLOOR_STORAGE};
	static struct place places[PLACES] = {{.metric = "egress", .beside = "floor-storage"},
					      {.metric = "floor-return", .beside = "floor-storage"},
					      {.metric = "floor-storage"},
					      {.metric = "floor-storage-again", .beside = "floor-storage"}};
	const struct flow *flow = argument;
	struct confinement confinement = confine(HELLO_POLICY);

	pair_network();
	cost_start();
	for (int i = 0; i < PLACES; i++) {
		places[i].cell = cell_make(NULL, places[i].metric);
		places[i].program_count = 1;
		if (i != SNIFENCE)
			places[i].programs[0] = floor_attach(&places[i].cell, floors[i]);
	}
	confine_cell(&confinement, &places[SNIFENCE].cell);
	places[SNIFENCE].programs[0] = cell_program(&places[SNIFENCE].cell, BPF_CGROUP_INET_EGRESS);
	flow_cost(flow, places, PLACES);
	cost_stop();
	if (flow->port != PAIR_UDP && !flow->acks && flow->size == FLOW_SMALL)
		replay_established(places[SNIFENCE].programs[0], places[SNIFENCE].pair.client, flow->ipv6);
}

static void run_connect(const void *argument) {
	struct confinement confinement = confine(HELLO_POLICY);
	struct cell cell;

	pair_network();
	cost_start();
	cell = cell_make(NULL, "connect");
	confine_cell(&confinement, &cell);
	connect_cost(&confinement, &cell, *(const bool *)argument);
}

static const struct flow small4 = {PAIR_TLS, false, false, FLOW_SMALL}, small6 = {PAIR_TLS, true, false, FLOW_SMALL};
static const struct flow large4 = {PAIR_TLS, false, false, FLOW_LARGE}, large6 = {PAIR_TLS, true, false, FLOW_LARGE};
static const struct flow direct = {PAIR_DIRECT, false, false, FLOW_SMALL};
static const struct flow acks = {PAIR_TLS, false, true, FLOW_SMALL};
static const struct flow udp = {PAIR_UDP, false, false, FLOW_SMALL};
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
