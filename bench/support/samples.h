/* SPDX-License-Identifier: BSD-2-Clause */
/* Samples of all rounds, as bench/run has collected them ──► one series for each metric of each case. */
#ifndef SNIF_BENCH_SAMPLES_H
#define SNIF_BENCH_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>

struct sample {
	unsigned long round;
	double value;
};

struct series {
	char *name, *metric, *unit; /* name: the case's */
	char *beside;		    /* what the ratio is to: a metric of the case, or `case:metric`; NULL: nothing */
	struct sample *samples;	    /* in the order in which they were read */
	size_t count;
	double median, min, max;
};

struct skipped {
	char *name, *why;
};

struct samples {
	struct series *series; /* sorted by case; within it in the order in which they were printed */
	size_t count;
	struct skipped *skipped; /* each case once */
	size_t skipped_count;
};

/* Reads `round TAB case TAB metric TAB unit TAB value [TAB beside]` a line. Returns 0, or a negative errno (-EINVAL: a
 * line of another form) after saying so on stderr. Freed with samples_free() in both cases. */
int samples_read(const char *file, struct samples *samples);
void samples_free(struct samples *samples);

/* The series of a metric; NULL when nothing was measured. */
const struct series *samples_find(const struct samples *samples, const char *name, const char *metric);
/* What the series' ratio is to; NULL when there is none. */
const struct series *samples_beside(const struct samples *samples, const struct series *series);
/* Of a series that is the same thing measured once more, as -again behind the name of its metric says: the first one.
 * NULL: it is none. */
const struct series *samples_first(const struct samples *samples, const struct series *again);
/*
 * What `above` is to `below`: the median of each round's own ratio, as what else the machine does meets a round's samples
 * alike, and not those of another round. Returns the number of rounds that have one; 0: `*ratio` is not set.
 */
size_t samples_ratio(const struct series *above, const struct series *below, double *ratio);

/* Whether it is a ratio that flow/direct prints, which is noise: see bench.h. */
bool samples_is_noise(const struct series *series);

#endif
