/* SPDX-License-Identifier: BSD-2-Clause */
/* Many sockets, many confined cgroups, confinement in confinement ──► what each of them costs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "support/bench.h"
#include "support/cell.h"
#include "support/crowd.h"
#include "support/flow_cost.h"
#include "support/hello_cost.h"
#include "support/memory.h"

enum { QUICK_MOST = 1000, MOST_CELLS = 1000, DEEPEST = 4 };

static const struct flow small = {PAIR_TLS, false, false, FLOW_SMALL};

/*
 * The kernel does not tell what one map of socket storage takes, so it is the whole kernel's memory with so many
 * connections open in a confined cgroup, less that with as many open outside, which come first: what is left over of
 * these in the allocators serves the others.
 */
static void run_sockets(const void *argument) {
	unsigned count = *(const unsigned *)argument;
	struct confinement confinement;
	size_t outside, inside;
	struct cell cell;

	if (bench_quick() && count > QUICK_MOST) {
		bench_skip("it takes too long for QUICK");
		return;
	}
	confinement = confine(CROWD_POLICY);
	crowd_network();
	cell = cell_make(NULL, "sockets");
	confine_cell(&confinement, &cell);
	outside = crowd_memory(NULL, count);
	inside = crowd_memory(&cell, count);
	bench_sample("memory", "bytes", ((double)inside - (double)outside) / count, NULL);
	confine_drain(&confinement);
}

static struct place place_of(const char *metric, const char *beside, const struct cell *cell) {
	struct place place = {.metric = metric, .beside = beside, .cell = *cell, .program_count = 1};

	place.programs[0] = cell_program(cell, BPF_CGROUP_INET_EGRESS);
	return place;
}

static struct place floor_place(void) {
	struct cell cell = cell_make(NULL, "floor-storage");

	floor_attach(&cell, FLOOR_STORAGE);
	return place_of("floor-storage", NULL, &cell);
}

/* All under one policy. The packets are those of the last one. */
static void run_cgroups(const void *argument) {
	static double ms[MOST_CELLS];
	static struct place places[2];
	unsigned count = *(const unsigned *)argument;
	struct confinement confinement = confine(HELLO_POLICY);
	struct cell cell = {0};
	char name[32];

	pair_network();
	for (unsigned i = 0; i < count; i++) {
		uint64_t before;

		snprintf(name, sizeof(name), "cgroup-%u", i);
		cell = cell_make(NULL, name);
		before = bench_now();
		confine_cell(&confinement, &cell);
		ms[i] = (double)(bench_now() - before) / 1e6;
	}
	bench_sample("attach", "ms", bench_median(ms, count), NULL);
	cost_start();
	places[0] = place_of("egress", "floor-storage", &cell);
	places[1] = floor_place();
	flow_cost(&small, places, 2);
}

/* Each level is a filter of its own, as with `snifence run` inside of `snifence run`. */
static void run_nesting(const void *argument) {
	static struct place places[2];
	int depth = *(const int *)argument;
	struct cell cells[DEEPEST];

	pair_network();
	for (int i = 0; i < depth; i++) {
		struct confinement confinement = confine(HELLO_POLICY);

		cells[i] = cell_make(i > 0 ? &cells[i - 1] : NULL, "level");
		confine_cell(&confinement, &cells[i]);
	}
	cost_start();
	places[0] = place_of("egress", "floor-storage", &cells[depth - 1]);
	places[0].program_count = depth;
	for (int i = 0; i < depth - 1; i++)
		places[0].programs[1 + i] = cell_program(&cells[i], BPF_CGROUP_INET_EGRESS);
	places[1] = floor_place();
	flow_cost(&small, places, 2);
}

#define CASE(kind, count)                                                                                              \
	{                                                                                                              \
		"growth/" #kind "-" #count, run_##kind, &(const int) {                                                 \
			count                                                                                          \
		}                                                                                                      \
	}

static const struct bench_case cases[] = {
	CASE(sockets, 1000), CASE(sockets, 10000), CASE(sockets, 100000), CASE(cgroups, 1), CASE(cgroups, 100),
	CASE(cgroups, 1000), CASE(nesting, 1),	   CASE(nesting, 2),	  CASE(nesting, 3), CASE(nesting, 4),
};

int main(int argc, char **argv) {
	return bench_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
