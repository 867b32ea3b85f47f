/* SPDX-License-Identifier: BSD-2-Clause */
/* connect(), each time on a new socket ──► the cost of its program. */
#include "connect_cost.h"

#include <inttypes.h>

#include "bench.h"
#include "pair.h"

enum { CONNECTIONS = 400 };

void connect_cost(const struct confinement *confinement, const struct cell *cell, bool ipv6) {
	int program = cell_program(cell, ipv6 ? BPF_CGROUP_INET6_CONNECT : BPF_CGROUP_INET4_CONNECT);
	unsigned count = bench_count(CONNECTIONS, 20);
	double ns[CONNECTIONS];

	for (unsigned i = 0; i < count; i++) {
		struct cost before = cost_of(program), after;
		struct pair pair = pair_open(cell, ipv6, PAIR_TLS);

		after = cost_of(program);
		if (after.runs - before.runs != 1)
			bench_fail("one connect() ran the program %" PRIu64 " times", after.runs - before.runs);
		ns[i] = (double)(after.ns - before.ns);
		pair_close(&pair);
	}
	bench_sample("connect", "ns", bench_median(ns, count), NULL);
	confine_drain(confinement);
}
