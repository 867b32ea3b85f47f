/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A seed and a time ──► rounds, each in a process of its own, so that none leaves anything to the next one and the seed
 * of one that fails is enough to see it again. The test's own program runs them: main() gives rounds_main() all that it
 * is called with.
 */
#ifndef SNIF_STORM_ROUNDS_H
#define SNIF_STORM_ROUNDS_H

#include <stdint.h>

struct rounds {
	const char *name;	   /* of the group of tests */
	const char *time_variable; /* in the environment: for how many seconds rounds are begun */
	int time;		   /* where that says nothing */
	const char *seed_variable; /* the first round's seed; else one is drawn */
	const char *what;	   /* is counted: "calls" */
	/* One round, a test of cmocka's that prints what it finds, and calls rounds_count(). */
	void (*round)(void **state);
};

/* The seed of this process's round. */
uint64_t rounds_seed(void);
/* Tells the first process how much was done: the number of `what` and a line about the rest. */
void rounds_count(uint64_t done, const char *line, ...) __attribute__((format(printf, 2, 3)));

/* Runs one round where the arguments are `round SEED`, else all of them. Returns the exit status. */
int rounds_main(const struct rounds *rounds, int argc, char **argv);

#endif
