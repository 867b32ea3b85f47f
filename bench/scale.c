/* SPDX-License-Identifier: BSD-2-Clause */
/* Many sockets, many confined cgroups, confinement in confinement ──► what each of them costs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../tests/support/lab.h"
#include "support/bench.h"
#include "support/cell.h"
#include "support/crowd.h"
#include "support/flow_cost.h"
#include "support/hello_cost.h"
#include "support/memory.h"

enum { DEEPEST = PLACE_PROGRAMS, MORE = 1000, FILES_OF_A_CELL = 4, SPARE_FILES = 500 };

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

	if (bench_too_many(count))
		return;
	confinement = confine(CROWD_POLICY);
	crowd_network();
	cell = cell_make(NULL, "sockets");
	confine_cell(&confinement, &cell);
	outside = crowd_memory(NULL, count);
	inside = crowd_memory(&cell, count);
	bench_sample("memory", "bytes", ((double)inside - (double)outside) / count, NULL);
	confine_drain(&confinement);
}

static struct cell make_cell(unsigned number) {
	char name[32];

	snprintf(name, sizeof(name), "cgroup-%u", number);
	return cell_make(NULL, name);
}

/* Attaches some more: how long that takes in the kernel, and what stays there. */
static void add_more(const struct confinement *confinement, unsigned count) {
	static struct cell cells[MORE];
	double ms[MORE];
	size_t memory;

	for (unsigned i = 0; i < MORE; i++)
		cells[i] = make_cell(count + i);
	memory = memory_of_kernel();
	for (unsigned i = 0; i < MORE; i++) {
		uint64_t before = bench_now();

		confine_cell(confinement, &cells[i]);
		ms[i] = (double)(bench_now() - before) / 1e6;
	}
	bench_sample("memory", "bytes", ((double)memory_of_kernel() - (double)memory) / MORE, NULL);
	bench_sample("attach", "ms", bench_median(ms, MORE), "growth/cgroups-1:attach");
}

/* All under one policy. The packets are those of the last one, beside those of an instance with a single one. */
static void run_cgroups(const void *argument) {
	static struct place places[4];
	unsigned count = *(const unsigned *)argument;
	struct confinement confinement = confine(HELLO_POLICY);
	struct cell cell = {0};

	if (!lab_allow_files(FILES_OF_A_CELL * (count + MORE) + SPARE_FILES))
		bench_fail("a process may not have %u open files (ulimit -Hn)",
			   FILES_OF_A_CELL * (count + MORE) + SPARE_FILES);
	pair_network();
	for (unsigned i = 0; i < count; i++) {
		cell = make_cell(i);
		confine_cell(&confinement, &cell);
	}
	cost_start();
	place_of_cell(&places[0], "egress", "egress-one", &cell, BPF_CGROUP_INET_EGRESS);
	place_of_policy(&places[1], "egress-one", "floor-storage", HELLO_POLICY, BPF_CGROUP_INET_EGRESS);
	places_of_floors(&places[2], BPF_CGROUP_INET_EGRESS);
	flow_cost(&small, places, 4);
	cost_stop();
	add_more(&confinement, count);
}

/* Each level is a filter of its own, as with `snifence run` inside of `snifence run`. */
static void run_nesting(const void *argument) {
	static struct place places[3];
	int depth = *(const int *)argument;
	struct cell cells[DEEPEST];

	pair_network();
	for (int i = 0; i < depth; i++) {
		struct confinement confinement = confine(HELLO_POLICY);

		cells[i] = cell_make(i > 0 ? &cells[i - 1] : NULL, "level");
		confine_cell(&confinement, &cells[i]);
	}
	cost_start();
	place_of_cell(&places[0], "egress", "floor-storage", &cells[depth - 1], BPF_CGROUP_INET_EGRESS);
	places[0].program_count = depth;
	for (int i = 0; i < depth - 1; i++)
		places[0].programs[1 + i] = cell_program(&cells[i], BPF_CGROUP_INET_EGRESS);
	places_of_floors(&places[1], BPF_CGROUP_INET_EGRESS);
	flow_cost(&small, places, 3);
}

#define CASE(kind, count)                                                                                              \
	{                                                                                                              \
		"growth/" #kind "-" #count, run_##kind, &(const int) {                                                 \
			count                                                                                          \
		}                                                                                                      \
	}

static const struct bench_case cases[] = {
	CASE(sockets, 1000), CASE(sockets, 10000), CASE(sockets, 100000), CASE(cgroups, 1),
	CASE(cgroups, 20),   CASE(cgroups, 100),   CASE(cgroups, 1000),	  CASE(nesting, 1),
	CASE(nesting, 2),    CASE(nesting, 3),	   CASE(nesting, 4),
};

int main(int argc, char **argv) {
	return bench_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
