/* SPDX-License-Identifier: BSD-2-Clause */
/* bench/goals.tsv and what was measured ──► met or not met, row by row. */
#ifndef SNIF_BENCH_GOALS_H
#define SNIF_BENCH_GOALS_H

#include <stdbool.h>
#include <stddef.h>

#include "samples.h"

enum { GOAL_ROUNDS = 3 }; /* with fewer, a median says little */
enum outcome { GOAL_MET, GOAL_NOT_MET, GOAL_TOO_FEW_ROUNDS, GOAL_NOT_MEASURED };

/*
 * A row of the file: the value is the median of `case:metric`, or of what it is to another one in each round. With
 * |range behind the limit the value is the median by itself, and the other one is only for its largest round.
 */
struct goal {
	char *line; /* holds all the texts */
	const char *text, *numerator, *denominator, *limit, *unit;
	bool at_least;	   /* the limit begins with >=: a value below it does not meet the goal */
	bool inside_range; /* it ends with |range: a value up to the other one's largest round meets it as well */
	double bound;
	enum outcome outcome;
	double value; /* unless GOAL_NOT_MEASURED */
};

struct goals {
	struct goal *items;
	size_t count;
};

/*
 * Reads the file and judges each row. Returns 0, or a negative errno (-EINVAL: a row of another form) after saying so
 * on stderr. Freed with goals_free() in both cases.
 */
int goals_read(const char *file, const struct samples *samples, struct goals *goals);
void goals_free(struct goals *goals);

/* "met", "not met", "too few rounds", "not measured". */
const char *outcome_text(enum outcome outcome);

#endif
