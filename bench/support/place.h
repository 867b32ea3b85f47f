/* SPDX-License-Identifier: BSD-2-Clause */
/* What is measured side by side, in one process: places with a program each, which take turns. */
#ifndef SNIF_BENCH_PLACE_H
#define SNIF_BENCH_PLACE_H

#include "cell.h"
#include "pair.h"

enum { PLACE_PROGRAMS = 4, PLACE_SLICES = 1000 };

struct place {
	const char *metric; /* under which its cost is printed, in ns */
	const char *beside; /* the metric that it is compared with, or NULL */
	struct cell cell;
	int programs[PLACE_PROGRAMS]; /* those that a packet passes; their costs add up */
	int program_count;
	/* for the use of what measures */
	struct pair pair;
	const void *argument;
	double ns[PLACE_SLICES];
	unsigned count; /* of `ns` */
};

/* Makes it of a cell with one program of that type, which is measured. */
void place_of_cell(struct place *place, const char *metric, const char *beside, const struct cell *cell,
		   enum bpf_attach_type type);
/* The same, of a new cell with a floor. */
void place_of_floor(struct place *place, const char *metric, const char *beside, enum floor floor,
		    enum bpf_attach_type type);
/* The same, of a new cell that is confined by a policy, as YAML: by a filter of its own. */
struct confinement place_of_policy(struct place *place, const char *metric, const char *beside, const char *policy,
				   enum bpf_attach_type type);
/* Two places: "floor-return" and, which it is compared with, "floor-storage". */
void places_of_floors(struct place places[2], enum bpf_attach_type type);

/* What the kernel has counted for the place's programs, all together. */
struct cost place_cost(const struct place *place);
void place_add(struct place *place, double ns);

/*
 * Calls `measure` for each place in turns, `turns` times; each turn begins at another place, so that none is always
 * behind the same one.
 */
void places_take_turns(struct place *places, size_t count, unsigned turns,
		       void (*measure)(struct place *place, const void *argument), const void *argument);
/* Prints the median of each. */
void places_print(struct place *places, size_t count);

#endif
