/* SPDX-License-Identifier: BSD-2-Clause */
/* Places ──► turns ──► the median of each. */
#include "place.h"

#include "bench.h"

void place_of_cell(struct place *place, const char *metric, const char *beside, const struct cell *cell,
		   enum bpf_attach_type type) {
	place->metric = metric;
	place->beside = beside;
	place->cell = *cell;
	place->programs[0] = cell_program(cell, type);
	place->program_count = 1;
	place->count = 0;
}

void place_of_floor(struct place *place, const char *metric, const char *beside, enum floor floor,
		    enum bpf_attach_type type) {
	struct cell cell = cell_make(NULL, metric);

	floor_attach(&cell, floor, type);
	place_of_cell(place, metric, beside, &cell, type);
}

struct confinement place_of_policy(struct place *place, const char *metric, const char *beside, const char *policy,
				   enum bpf_attach_type type) {
	struct confinement confinement = confine(policy);
	struct cell cell = cell_make(NULL, metric);

	confine_cell(&confinement, &cell);
	place_of_cell(place, metric, beside, &cell, type);
	return confinement;
}

void places_of_floors(struct place places[2], enum bpf_attach_type type) {
	place_of_floor(&places[0], "floor-return", "floor-storage", FLOOR_RETURN, type);
	place_of_floor(&places[1], "floor-storage", NULL, FLOOR_STORAGE, type);
}

struct cost place_cost(const struct place *place) {
	struct cost sum = {0};

	for (int i = 0; i < place->program_count; i++) {
		struct cost cost = cost_of(place->programs[i]);

		sum.ns += cost.ns;
		sum.runs += cost.runs;
	}
	return sum;
}

void place_add(struct place *place, double ns) {
	if (place->count == PLACE_SLICES)
		bench_fail("too many slices of %s", place->metric);
	place->ns[place->count++] = ns;
}

void places_take_turns(struct place *places, size_t count, unsigned turns,
		       void (*measure)(struct place *place, const void *argument), const void *argument) {
	for (unsigned turn = 0; turn < turns; turn++)
		for (size_t i = 0; i < count; i++)
			measure(&places[(turn + i) % count], argument);
}

void places_print(struct place *places, size_t count) {
	for (size_t i = 0; i < count; i++)
		bench_sample(places[i].metric, "ns", bench_median(places[i].ns, places[i].count), places[i].beside);
}
