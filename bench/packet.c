/* SPDX-License-Identifier: BSD-2-Clause */
/* Open flows and new sockets ──► what a packet, a connect() and other calls cost, beside the floors or no filter. */
#include "support/bench.h"
#include "support/call_cost.h"
#include "support/cell.h"
#include "support/connect_cost.h"
#include "support/flow_cost.h"
#include "support/hello_cost.h"
#include "support/replay.h"

static void run_flow(const void *argument) {
	static struct place places[4];
	const struct flow *flow = argument;
	const struct replay replay = {
		.ipv6 = flow->ipv6, .udp = flow->port == PAIR_UDP, .length = flow->acks ? 0 : flow->size};

	pair_network();
	cost_start();
	place_of_policy(&places[0], "egress", "floor-storage", HELLO_POLICY, BPF_CGROUP_INET_EGRESS);
	places_of_floors(&places[1], BPF_CGROUP_INET_EGRESS);
	place_of_floor(&places[3], "floor-storage-again", "floor-storage", FLOOR_STORAGE, BPF_CGROUP_INET_EGRESS);
	flow_cost(flow, places, 4);
	cost_stop();
	if (flow->size == FLOW_SMALL)
		replay_open_flow(places[0].programs[0], places[0].pair.client, &replay);
}

static void run_connect(const void *argument) {
	static struct place places[3];
	bool ipv6 = *(const bool *)argument;
	enum bpf_attach_type type = ipv6 ? BPF_CGROUP_INET6_CONNECT : BPF_CGROUP_INET4_CONNECT;

	pair_network();
	cost_start();
	place_of_policy(&places[0], "connect", "floor-storage", HELLO_POLICY, type);
	places_of_floors(&places[1], type);
	connect_cost(places, 3, ipv6);
}

static void run_call(const void *argument) {
	static struct place places[2];
	enum call call = *(const enum call *)argument;
	enum bpf_attach_type type = call == CALL_DEVICE ? BPF_CGROUP_DEVICE : BPF_CGROUP_SETSOCKOPT;

	place_of_policy(&places[0], "confined", "direct", HELLO_POLICY, type);
	places[1] = (struct place){.metric = "direct", .cell = cell_make(NULL, "direct")};
	call_cost(places, 2, call);
}

static const struct flow small4 = {PAIR_TLS, false, false, FLOW_SMALL}, small6 = {PAIR_TLS, true, false, FLOW_SMALL};
static const struct flow large4 = {PAIR_TLS, false, false, FLOW_LARGE_IPV4};
static const struct flow large6 = {PAIR_TLS, true, false, FLOW_LARGE_IPV6};
static const struct flow direct = {PAIR_DIRECT, false, false, FLOW_SMALL};
static const struct flow acks = {PAIR_TLS, false, true, FLOW_SMALL};
static const struct flow udp = {PAIR_UDP, false, false, FLOW_SMALL};
static const bool ipv4 = false, ipv6 = true;
static const enum call option = CALL_OPTION, judged = CALL_OPTION_JUDGED, device = CALL_DEVICE;

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
	{"packet/setsockopt", run_call, &option},
	{"packet/setsockopt-judged", run_call, &judged},
	{"packet/open-device", run_call, &device},
};

int main(int argc, char **argv) {
	return bench_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
