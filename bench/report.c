/* SPDX-License-Identifier: BSD-2-Clause */
/* Samples, facts and goals ──► the report on stdout, and files for people, machines and charts. */
#include <stdio.h>

#include "base/file.h"
#include "support/results.h"

static char path[4096];

static const char *in_folder(const char *folder, const char *name) {
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static int write_file(const struct results *results, const char *folder, const char *name,
		      void (*print)(const struct results *, FILE *)) {
	FILE *out = fopen(in_folder(folder, name), "we");

	if (out)
		print(results, out);
	if (stream_close(out) == 0)
		return 0;
	perror(path);
	return 1;
}

static int report(const char *folder, const char *goals, struct results *results) {
	if (facts_read(in_folder(folder, "facts.tsv"), &results->facts) ||
	    samples_read(in_folder(folder, "samples.tsv"), &results->samples) ||
	    goals_read(goals, &results->samples, &results->goals))
		return 1;
	results_print(results, stdout);
	return write_file(results, folder, "results.csv", results_print_csv) |
	       write_file(results, folder, "results.json", results_print_json) |
	       write_file(results, folder, "table.md", results_print_table) |
	       write_file(results, folder, "goals.md", results_print_goals);
}

int main(int argc, char **argv) {
	struct results results = {0};
	int status;

	if (argc != 3) {
		fprintf(stderr, "usage: %s FOLDER GOALS: FOLDER has samples.tsv and facts.tsv\n", argv[0]);
		return 2;
	}
	status = report(argv[1], argv[2], &results);
	facts_free(&results.facts);
	samples_free(&results.samples);
	goals_free(&results.goals);
	return status;
}
