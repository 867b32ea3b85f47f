/* SPDX-License-Identifier: BSD-2-Clause */
/* ClientHellos of all sizes and cuts ──► the cost of the packet that completes them. */
#include <string.h>

#include "support/bench.h"
#include "support/hello_cost.h"
#include "support/pair.h"

static void run_hello(const void *argument) {
	static struct place places[3];
	const struct hello_shape *shape = argument;
	struct confinement confinement;

	pair_network();
	cost_start();
	confinement = place_of_policy(&places[0], "completing", "floor-storage", HELLO_POLICY, BPF_CGROUP_INET_EGRESS);
	places_of_floors(&places[1], BPF_CGROUP_INET_EGRESS);
	for (int i = 0; i < 3; i++)
		places[i].argument = shape;
	hello_cost_cold(places, 3);
	confine_drain(&confinement);
	cost_stop();
	hello_cost_warm(&confinement, &places[0].cell, shape, strcmp(shape->name, HELLO_ALLOWED) == 0, "");
}

#define SHAPES(length)                                                                                                 \
	{"packet/hello-" #length "-whole", run_hello, &(struct hello_shape){length, .name = HELLO_ALLOWED}},           \
		{"packet/hello-" #length "-2-segments", run_hello,                                                     \
		 &(struct hello_shape){length, .halves = 1, .name = HELLO_ALLOWED}},                                   \
		{"packet/hello-" #length "-20-bytes", run_hello,                                                       \
		 &(struct hello_shape){length, .bytes = 20, .name = HELLO_ALLOWED}},                                   \
	{                                                                                                              \
		"packet/hello-" #length "-5-records", run_hello, &(struct hello_shape) {                               \
			length, .records = 5, .name = HELLO_ALLOWED                                                    \
		}                                                                                                      \
	}

static const struct bench_case cases[] = {
	SHAPES(250),
	SHAPES(517),
	SHAPES(1800),
	{"packet/blocked", run_hello, &(struct hello_shape){517, .name = HELLO_FORBIDDEN}},
};

int main(int argc, char **argv) {
	return bench_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
