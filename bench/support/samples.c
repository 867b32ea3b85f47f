/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of samples ──► medians. */
#include "samples.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "bench.h"

enum { ROUND, CASE, METRIC, UNIT, VALUE, BESIDE, FIELDS };

/* Cuts a line at its tabs. Returns how many fields it has. */
static size_t cut(char *line, char *fields[FIELDS]) {
	size_t count = 0;

	line[strcspn(line, "\n")] = 0;
	for (char *field; count < FIELDS && (field = strsep(&line, "\t"));)
		fields[count++] = field;
	return line ? FIELDS + 1 : count;
}

static int add_skipped(struct samples *samples, char *const fields[]) {
	struct skipped *skipped;

	for (size_t i = 0; i < samples->skipped_count; i++)
		if (strcmp(samples->skipped[i].name, fields[CASE]) == 0)
			return 0;
	skipped = array_add(&samples->skipped, &samples->skipped_count, sizeof(*skipped));
	if (!skipped)
		return -ENOMEM;
	skipped->name = strdup(fields[CASE]);
	skipped->why = strdup(fields[VALUE]);
	return skipped->name && skipped->why ? 0 : -ENOMEM;
}

static struct series *series_of(struct samples *samples, char *const fields[], size_t count) {
	struct series *series = (struct series *)samples_find(samples, fields[CASE], fields[METRIC]);

	if (series)
		return series;
	series = array_add(&samples->series, &samples->count, sizeof(*series));
	if (!series)
		return NULL;
	series->name = strdup(fields[CASE]);
	series->metric = strdup(fields[METRIC]);
	series->unit = strdup(fields[UNIT]);
	series->beside = count > BESIDE ? strdup(fields[BESIDE]) : NULL;
	return series->name && series->metric && series->unit ? series : NULL;
}

static int add_line(struct samples *samples, char *line) {
	char *fields[FIELDS], *end;
	size_t count = cut(line, fields);
	struct series *series;
	struct sample *sample, read;

	if (count != VALUE + 1 && count != BESIDE + 1)
		return -EINVAL;
	if (strcmp(fields[METRIC], "skipped") == 0)
		return add_skipped(samples, fields);
	read.round = strtoul(fields[ROUND], &end, 10);
	if (end == fields[ROUND] || *end)
		return -EINVAL;
	read.value = strtod(fields[VALUE], &end);
	if (end == fields[VALUE] || *end || !isfinite(read.value))
		return -EINVAL;
	series = series_of(samples, fields, count);
	sample = series ? array_add(&series->samples, &series->count, sizeof(*sample)) : NULL;
	if (!sample)
		return -ENOMEM;
	*sample = read;
	return 0;
}

/* Series were added in the order of their first sample, and their case's metrics follow each other: this is stable. */
static void sort_by_case(struct samples *samples) {
	for (size_t i = 1; i < samples->count; i++) {
		struct series moved = samples->series[i];
		size_t at = i;

		for (; at > 0 && strverscmp(samples->series[at - 1].name, moved.name) > 0; at--)
			samples->series[at] = samples->series[at - 1];
		samples->series[at] = moved;
	}
}

static double *room_for(size_t count) {
	double *values = calloc(count, sizeof(*values));

	if (!values)
		bench_fail("out of memory");
	return values;
}

static void sum_up(struct series *series) {
	double *values = room_for(series->count);

	for (size_t i = 0; i < series->count; i++)
		values[i] = series->samples[i].value;
	series->median = bench_median(values, series->count);
	series->min = values[0];
	series->max = values[series->count - 1];
	free(values);
}

int samples_read(const char *file, struct samples *samples) {
	FILE *in = fopen(file, "re");
	size_t size = 0, number = 0;
	char *line = NULL;
	int error = in ? 0 : -errno;

	while (!error && getline(&line, &size, in) > 0) {
		number++;
		error = add_line(samples, line);
	}
	if (error)
		fprintf(stderr, "%s:%zu: %s\n", file, number,
			error == -EINVAL ? "not a sample: round, case, metric, unit, value" : strerror(-error));
	free(line);
	if (in)
		fclose(in);
	for (size_t i = 0; !error && i < samples->count; i++)
		sum_up(&samples->series[i]);
	if (!error)
		sort_by_case(samples);
	return error;
}

void samples_free(struct samples *samples) {
	for (size_t i = 0; i < samples->count; i++) {
		free(samples->series[i].name);
		free(samples->series[i].metric);
		free(samples->series[i].unit);
		free(samples->series[i].beside);
		free(samples->series[i].samples);
	}
	for (size_t i = 0; i < samples->skipped_count; i++) {
		free(samples->skipped[i].name);
		free(samples->skipped[i].why);
	}
	free(samples->series);
	free(samples->skipped);
}

const struct series *samples_find(const struct samples *samples, const char *name, const char *metric) {
	for (size_t i = 0; i < samples->count; i++)
		if (strcmp(samples->series[i].name, name) == 0 && strcmp(samples->series[i].metric, metric) == 0)
			return &samples->series[i];
	return NULL;
}

/* `case:metric`, or a metric of the series' own case. */
static const struct series *find_beside(const struct samples *samples, const struct series *series) {
	const char *colon = strchr(series->beside, ':');
	const struct series *found;
	char *name;

	if (!colon)
		return samples_find(samples, series->name, series->beside);
	name = strndup(series->beside, (size_t)(colon - series->beside));
	found = name ? samples_find(samples, name, colon + 1) : NULL;
	free(name);
	return found;
}

const struct series *samples_beside(const struct samples *samples, const struct series *series) {
	const struct series *found = series->beside ? find_beside(samples, series) : NULL;

	return found == series ? NULL : found;
}

static bool ends_with(const char *text, const char *end) {
	size_t length = strlen(text);

	return length > strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

const struct series *samples_first(const struct samples *samples, const struct series *again) {
	static const char end[] = "-again";
	const struct series *first;
	char *metric;

	if (!ends_with(again->metric, end))
		return NULL;
	metric = strndup(again->metric, strlen(again->metric) - strlen(end));
	first = metric ? samples_find(samples, again->name, metric) : NULL;
	free(metric);
	return first;
}

static const struct sample *find_round(const struct series *series, unsigned long round) {
	for (size_t i = 0; i < series->count; i++)
		if (series->samples[i].round == round)
			return &series->samples[i];
	return NULL;
}

size_t samples_ratio(const struct series *above, const struct series *below, double *ratio) {
	double *ratios = room_for(above->count);
	size_t count = 0;

	for (size_t i = 0; i < above->count; i++) {
		const struct sample *beside = find_round(below, above->samples[i].round);

		if (beside && beside->value != 0)
			ratios[count++] = above->samples[i].value / beside->value;
	}
	if (count > 0)
		*ratio = bench_median(ratios, count);
	free(ratios);
	return count;
}

bool samples_is_noise(const struct series *series) {
	return strcmp(series->name, "flow/direct") == 0 && ends_with(series->metric, "-ratio");
}
