/* SPDX-License-Identifier: BSD-2-Clause */
/* Results ──► tables that a person reads. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "results.h"

enum { NUMBER = 32 };

/* Four digits that count: 0.123, 1.234, 12.34, 1234. */
static const char *number(char text[NUMBER], double value) {
	double size = value < 0 ? -value : value;

	snprintf(text, NUMBER, "%.*f", size >= 1000 || size == 0 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 3, value);
	return text;
}

static const char *ratio(char text[NUMBER], const struct samples *samples, const struct series *series) {
	const struct series *beside = samples_beside(samples, series);
	double value;

	if (!beside || samples_ratio(series, beside, &value) == 0)
		return "";
	snprintf(text, NUMBER, "%.2f", value);
	return text;
}

static const char *beside_text(const struct samples *samples, const struct series *series) {
	return samples_beside(samples, series) ? series->beside : "";
}

/* What was measured twice in one case: the pair with the largest difference. */
static void print_noise_within(const struct samples *samples, FILE *out) {
	const struct series *worst = NULL;
	double most = -1, ratio;

	for (size_t i = 0; i < samples->count; i++) {
		const struct series *again = &samples->series[i], *first = samples_first(samples, again);

		if (first && samples_ratio(again, first, &ratio) > 0 && fabs(ratio - 1) > most) {
			worst = first;
			most = fabs(ratio - 1);
		}
	}
	if (worst)
		fprintf(out, "noise, the same once more: at most %.1f %% (%s, %s)\n", 100 * most, worst->name,
			worst->metric);
}

/* What differs between two clients that nothing filters, metric by metric. */
static void print_noise(const struct samples *samples, FILE *out, const char *head, const char *row) {
	for (size_t i = 0; i < samples->count; i++) {
		const struct series *series = &samples->series[i];

		if (!samples_is_noise(series))
			continue;
		fputs(head, out);
		head = "";
		fprintf(out, row, (int)(strlen(series->metric) - strlen("-ratio")), series->metric, series->median,
			series->min, series->max);
	}
}

static const char *goal_value(char text[NUMBER], const struct goal *goal) {
	return goal->outcome == GOAL_NOT_MEASURED ? "" : number(text, goal->value);
}

static void print_figures(const struct samples *samples, FILE *out) {
	char median[NUMBER], min[NUMBER], max[NUMBER], to[NUMBER];

	fprintf(out, "%-34s %-28s %10s %10s %10s %-9s %6s\n", "case", "metric", "median", "min", "max", "unit",
		"ratio");
	for (size_t i = 0; i < samples->count; i++) {
		const struct series *series = &samples->series[i];
		bool first = i == 0 || strcmp(series[-1].name, series->name) != 0;

		fprintf(out, "%-34s %-28s %10s %10s %10s %-9s %6s %s%s\n", first ? series->name : "", series->metric,
			number(median, series->median), number(min, series->min), number(max, series->max),
			series->unit, ratio(to, samples, series), *to && samples_beside(samples, series) ? "to " : "",
			beside_text(samples, series));
	}
	for (size_t i = 0; i < samples->skipped_count; i++)
		fprintf(out, "%-34s skipped: %s\n", samples->skipped[i].name, samples->skipped[i].why);
}

void results_print(const struct results *results, FILE *out) {
	char value[NUMBER];

	fputc('\n', out);
	for (size_t i = 0; i < results->facts.count; i++)
		fprintf(out, "%s: %s\n", results->facts.items[i].name, results->facts.items[i].value);
	print_noise_within(&results->samples, out);
	print_noise(&results->samples, out, "noise, direct to direct:         median     min     max\n",
		    "  %-28.*s %8.3f%8.3f%8.3f\n");
	fputc('\n', out);
	print_figures(&results->samples, out);
	fprintf(out, "\n%-14s %10s %-12s %s\n", "goal", "measured", "limit", "");
	for (size_t i = 0; i < results->goals.count; i++) {
		const struct goal *goal = &results->goals.items[i];

		fprintf(out, "%-14s %10s %-12s %s (%s)\n", outcome_text(goal->outcome), goal_value(value, goal),
			goal->limit, goal->text, goal->unit);
	}
	fputc('\n', out);
}

void results_print_goals(const struct results *results, FILE *out) {
	char value[NUMBER];

	for (size_t i = 0; i < results->facts.count; i++)
		fprintf(out, "%s%s: %s", i > 0 ? "; " : "", results->facts.items[i].name,
			results->facts.items[i].value);
	fputs(".\n\n", out);
	print_noise_within(&results->samples, out);
	print_noise(&results->samples, out,
		    "\n| noise: direct to direct | median | min | max |\n|---|---:|---:|---:|\n",
		    "| %.*s | %.3f | %.3f | %.3f |\n");
	fputs("\n| goal | limit | measured | |\n|---|---|---|---|\n", out);
	for (size_t i = 0; i < results->goals.count; i++) {
		const struct goal *goal = &results->goals.items[i];
		const char *limit = goal->at_least ? goal->limit + 2 : goal->limit;

		fprintf(out, "| %s | %s %.*s %s", goal->text, goal->at_least ? "≥" : "≤", (int)strcspn(limit, "|"),
			limit, goal->unit);
		if (goal->inside_range)
			fprintf(out, ", or inside the range of %.*s", (int)strcspn(goal->denominator, ":"),
				goal->denominator);
		fprintf(out, " | %s | %s |\n", goal_value(value, goal), outcome_text(goal->outcome));
	}
}

void results_print_table(const struct results *results, FILE *out) {
	const struct samples *samples = &results->samples;
	char median[NUMBER], min[NUMBER], max[NUMBER], to[NUMBER];

	fputs("| case | metric | median | min | max | | ratio | to |\n|---|---|---:|---:|---:|---|---:|---|\n", out);
	for (size_t i = 0; i < samples->count; i++) {
		const struct series *series = &samples->series[i];
		bool first = i == 0 || strcmp(series[-1].name, series->name) != 0;

		fprintf(out, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", first ? series->name : "", series->metric,
			number(median, series->median), number(min, series->min), number(max, series->max),
			series->unit, ratio(to, samples, series), beside_text(samples, series));
	}
	for (size_t i = 0; i < samples->skipped_count; i++)
		fprintf(out, "| %s | skipped: %s | | | | | | |\n", samples->skipped[i].name, samples->skipped[i].why);
}
