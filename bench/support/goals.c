/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of goals ──► judged by medians. */
#include "goals.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

enum { TEXT, NUMERATOR, DENOMINATOR, LIMIT, UNIT, FIELDS };

/* `case:metric` */
static const struct series *find(const struct samples *samples, const char *text) {
	const char *colon = strchr(text, ':');
	char *name = colon ? strndup(text, (size_t)(colon - text)) : NULL;
	const struct series *series = name ? samples_find(samples, name, colon + 1) : NULL;

	free(name);
	return series;
}

static bool reads_limit(struct goal *goal) {
	const char *number = goal->limit;
	char *end;

	goal->at_least = strncmp(number, ">=", 2) == 0;
	goal->bound = strtod(goal->at_least ? number + 2 : number, &end);
	goal->inside_range = strcmp(end, "|range") == 0;
	return end != number && (*end == 0 || goal->inside_range);
}

static bool holds(const struct goal *goal) {
	return goal->at_least ? goal->value >= goal->bound : goal->value <= goal->bound;
}

static void judge(struct goal *goal, const struct samples *samples) {
	const struct series *above = find(samples, goal->numerator), *below = find(samples, goal->denominator);
	bool alone = strcmp(goal->denominator, "-") == 0;
	size_t rounds;

	goal->outcome = GOAL_NOT_MEASURED;
	if (!above || (!alone && !below))
		return;
	rounds = alone ? above->count : samples_ratio(above, below, &goal->value);
	if (rounds == 0)
		return;
	if (alone || goal->inside_range)
		goal->value = above->median;
	if (rounds < GOAL_ROUNDS)
		goal->outcome = GOAL_TOO_FEW_ROUNDS;
	else
		goal->outcome =
			holds(goal) || (goal->inside_range && goal->value <= below->max) ? GOAL_MET : GOAL_NOT_MET;
}

static bool cut(struct goal *goal) {
	char *rest = goal->line, *fields[FIELDS];

	goal->line[strcspn(goal->line, "\n")] = 0;
	for (int i = 0; i < FIELDS; i++)
		if (!(fields[i] = strsep(&rest, "\t")))
			return false;
	goal->text = fields[TEXT];
	goal->numerator = fields[NUMERATOR];
	goal->denominator = fields[DENOMINATOR];
	goal->limit = fields[LIMIT];
	goal->unit = fields[UNIT];
	return !rest && strchr(goal->numerator, ':') && reads_limit(goal);
}

static int add_row(struct goals *goals, const struct samples *samples, const char *line) {
	struct goal *goal;

	if (*line == '#' || *line == '\n')
		return 0;
	goal = array_add(&goals->items, &goals->count, sizeof(*goal));
	if (!goal || !(goal->line = strdup(line)))
		return -ENOMEM;
	if (!cut(goal))
		return -EINVAL;
	judge(goal, samples);
	return 0;
}

int goals_read(const char *file, const struct samples *samples, struct goals *goals) {
	FILE *in = fopen(file, "re");
	size_t size = 0, number = 0;
	char *line = NULL;
	int error = in ? 0 : -errno;

	while (!error && getline(&line, &size, in) > 0) {
		number++;
		error = add_row(goals, samples, line);
	}
	if (error)
		fprintf(stderr, "%s:%zu: %s\n", file, number,
			error == -EINVAL ? "not a goal: text, case:metric, case:metric or -, limit, unit, between tabs"
					 : strerror(-error));
	free(line);
	if (in)
		fclose(in);
	return error;
}

void goals_free(struct goals *goals) {
	for (size_t i = 0; i < goals->count; i++)
		free(goals->items[i].line);
	free(goals->items);
}

const char *outcome_text(enum outcome outcome) {
	static const char *const texts[] = {"met", "not met", "too few rounds", "not measured"};

	return texts[outcome];
}
