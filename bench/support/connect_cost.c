/* SPDX-License-Identifier: BSD-2-Clause */
/* connect(), each time on a new socket ──► the cost of its program. */
#include "connect_cost.h"

#include <inttypes.h>

#include "bench.h"

enum { CONNECTIONS = 400 };

static void measure(struct place *place, const void *argument) {
	struct cost before = place_cost(place), after;
	struct pair pair = pair_open(&place->cell, *(const bool *)argument, PAIR_TLS);

	after = place_cost(place);
	if (after.runs - before.runs != 1)
		bench_fail("one connect() ran the program %" PRIu64 " times", after.runs - before.runs);
	place_add(place, (double)(after.ns - before.ns));
	pair_close(&pair);
}

void connect_cost(struct place *places, size_t count, bool ipv6) {
	places_take_turns(places, count, bench_count(CONNECTIONS, 20), measure, &ipv6);
	places_print(places, count);
}
