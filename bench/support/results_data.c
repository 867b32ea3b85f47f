/* SPDX-License-Identifier: BSD-2-Clause */
/* Results ──► CSV and JSON. */
#include <string.h>

#include "base/json.h"
#include "results.h"

void results_print_csv(const struct results *results, FILE *out) {
	const struct samples *samples = &results->samples;

	fputs("case,metric,unit,median,min,max,rounds,beside,ratio\n", out);
	for (size_t i = 0; i < samples->count; i++) {
		const struct series *series = &samples->series[i], *beside = samples_beside(samples, series);
		double ratio;

		fprintf(out, "%s,%s,%s,%.6g,%.6g,%.6g,%zu,%s,", series->name, series->metric, series->unit,
			series->median, series->min, series->max, series->count, beside ? series->beside : "");
		if (beside && samples_ratio(series, beside, &ratio) > 0)
			fprintf(out, "%.4g", ratio);
		fputc('\n', out);
	}
}

/* As many digits as were printed of a sample. */
static struct json_object *number(double value) {
	char text[32];

	snprintf(text, sizeof(text), "%.6g", value);
	return json_object_new_double_s(value, text);
}

static int put_series(struct json_object *array, const struct samples *samples, const struct series *series) {
	const struct series *beside = samples_beside(samples, series);
	struct json_object *object = json_object_new_object(), *values = json_object_new_array();
	int error = json_put_text(object, "case", series->name) | json_put_text(object, "metric", series->metric) |
		    json_put(object, "unit", json_object_new_string(series->unit)) |
		    json_put(object, "median", number(series->median)) | json_put(object, "min", number(series->min)) |
		    json_put(object, "max", number(series->max));
	double ratio;

	if (beside && samples_ratio(series, beside, &ratio) > 0)
		error |= json_put_text(object, "beside", series->beside) | json_put(object, "ratio", number(ratio));
	for (size_t i = 0; i < series->count; i++)
		error |= json_add(values, number(series->samples[i].value));
	error |= json_put(object, "values", values);
	return error | json_add(array, object);
}

static int put_goal(struct json_object *array, const struct goal *goal) {
	struct json_object *object = json_object_new_object();
	int error =
		json_put_text(object, "text", goal->text) | json_put_text(object, "numerator", goal->numerator) |
		json_put_text(object, "denominator", strcmp(goal->denominator, "-") == 0 ? NULL : goal->denominator) |
		json_put_text(object, "limit", goal->limit) |
		json_put(object, "unit", json_object_new_string(goal->unit)) |
		json_put_text(object, "outcome", outcome_text(goal->outcome));

	if (goal->outcome != GOAL_NOT_MEASURED)
		error |= json_put(object, "measured", number(goal->value));
	return error | json_add(array, object);
}

static int put_facts(struct json_object *root, const struct facts *facts) {
	struct json_object *object = json_object_new_object();
	int error = 0;

	for (size_t i = 0; i < facts->count; i++)
		error |= json_put_text(object, facts->items[i].name, facts->items[i].value);
	return error | json_put(root, "facts", object);
}

/* What should be 1: the second measurement of the same thing to the first, or direct to direct. False: it is neither. */
static bool noise_of(const struct samples *samples, const struct series *series, double *ratio) {
	const struct series *first = samples_first(samples, series);

	if (first)
		return samples_ratio(series, first, ratio) > 0;
	*ratio = series->median;
	return samples_is_noise(series);
}

static int put_noise(struct json_object *root, const struct samples *samples) {
	struct json_object *noise = json_object_new_array();
	int error = 0;

	for (size_t i = 0; i < samples->count; i++) {
		const struct series *series = &samples->series[i];
		struct json_object *object;
		double ratio;

		if (!noise_of(samples, series, &ratio))
			continue;
		object = json_object_new_object();
		error |= json_put_text(object, "case", series->name) | json_put_text(object, "metric", series->metric) |
			 json_put(object, "differs", number(ratio - 1)) | json_add(noise, object);
	}
	return error | json_put(root, "noise", noise);
}

static int put_skipped(struct json_object *root, const struct samples *samples) {
	struct json_object *skipped = json_object_new_object();
	int error = 0;

	for (size_t i = 0; i < samples->skipped_count; i++)
		error |= json_put_text(skipped, samples->skipped[i].name, samples->skipped[i].why);
	return error | json_put(root, "skipped", skipped);
}

void results_print_json(const struct results *results, FILE *out) {
	struct json_object *root = json_object_new_object(), *goals = json_object_new_array(),
			   *series = json_object_new_array();
	int error = put_facts(root, &results->facts) | put_noise(root, &results->samples);

	for (size_t i = 0; i < results->goals.count; i++)
		error |= put_goal(goals, &results->goals.items[i]);
	for (size_t i = 0; i < results->samples.count; i++)
		error |= put_series(series, &results->samples, &results->samples.series[i]);
	error |= json_put(root, "goals", goals) | json_put(root, "results", series) |
		 put_skipped(root, &results->samples);
	if (json_write(root, error, out))
		fputs("null\n", stderr);
}
