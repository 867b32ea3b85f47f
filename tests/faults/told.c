/* SPDX-License-Identifier: BSD-2-Clause */
/* What the environment asks for ──► points; outcomes ──► lines. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "faults.h"

double told_now(void) {
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

void told_sample(struct points *points, size_t share) {
	const char *count = getenv("FAULTS"), *seed = getenv("SEED");

	if (count && atol(count) > 0)
		points_sample(points, ((size_t)atol(count) + share - 1) / share,
			      seed && *seed ? (unsigned)atol(seed) : 1);
}

void told_finding(const struct point *point, const char *text) {
	char name[POINT_TEXT];

	point_print(point, name);
	printf("  FAULTS_POINT=%s: %s\n", name, text);
	fflush(stdout);
}

void told_numbers(const char *kind, const char *const words[OUTCOMES], const size_t counts[OUTCOMES], double seconds) {
	const char *table = getenv("FAULTS_TABLE");
	FILE *file = table && *table ? fopen(table, "ae") : NULL;
	size_t all = 0;

	for (int i = 0; i < OUTCOMES; i++)
		all += counts[i];
	for (int copy = 0; copy < 2; copy++) {
		FILE *out = copy ? file : stdout;
		if (!out)
			continue;
		fprintf(out, "  %s: %zu points in %.0f s", kind, all, seconds);
		for (int i = 0; i < OUTCOMES; i++)
			if (counts[i] || i == FINDING)
				fprintf(out, ", %zu %s", counts[i], words[i]);
		fputc('\n', out);
	}
	if (file)
		fclose(file);
}
