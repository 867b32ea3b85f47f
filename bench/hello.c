/* SPDX-License-Identifier: BSD-2-Clause */
/* ClientHellos of all sizes and cuts ──► the cost of the packet that completes them. */
#include <string.h>

#include "support/bench.h"
#include "support/hello_cost.h"
#include "support/pair.h"

static void run_hello(const void *argument) {
	const struct hello_shape *shape = argument;
	struct confinement confinement;
	struct cell cell;

	pair_network();
	cost_start();
	cell = cell_make(NULL, "hello");
	confinement = confine(HELLO_POLICY);
	confine_cell(&confinement, &cell);
	hello_cost_cold(&confinement, &cell, shape, bench_count(400, 20));
	cost_stop();
	hello_cost_warm(&confinement, &cell, shape, strcmp(shape->name, HELLO_ALLOWED) == 0);
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
