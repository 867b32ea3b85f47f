/* SPDX-License-Identifier: BSD-2-Clause */
/* A seed ──► numbers, the same everywhere, so that what was found can be found again (splitmix64). */
#ifndef SNIF_STORM_RANDOM_H
#define SNIF_STORM_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
	uint64_t state;
};

static inline uint64_t random_next(struct random *random) {
	uint64_t mixed = random->state += 0x9e3779b97f4a7c15ULL;

	mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9ULL;
	mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebULL;
	return mixed ^ mixed >> 31;
}

/* From 0 to `limit` - 1. */
static inline unsigned random_below(struct random *random, unsigned limit) {
	return (unsigned)((random_next(random) >> 32) * limit >> 32);
}

static inline bool random_one_in(struct random *random, unsigned count) {
	return random_below(random, count) == 0;
}

/* The numbers of one of the parts (threads, servers, rounds) that share a seed. */
static inline struct random random_part(uint64_t seed, uint64_t part) {
	struct random random = {seed ^ (part + 1) * 0xd1342543de82ef95ULL};

	random_next(&random);
	return random;
}

/* Any element of an array. */
#define random_of(random, array) ((array)[random_below(random, sizeof(array) / sizeof((array)[0]))])

#endif
