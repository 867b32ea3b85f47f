/* SPDX-License-Identifier: BSD-2-Clause */
/* The catalogue's tables ──► case after case against the kernel ──► a table of results. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "judges.h"

enum { MOST_CASES = 512 };

static const struct catalogue *const catalogues[] = {
	&record_cases, &hello_cases,   &name_cases,    &flow_cases,	&send_cases,   &open_cases, &again_cases,
	&socket_cases, &inbound_cases, &address_cases, &datagram_cases, &stray_cases,  &path_cases, &confined_cases,
	&flood_cases,  &reload_cases,  &option_cases,  &device_cases,	&kernel_cases, &wire_cases,
};

enum result { FAILED, PASSED, SKIPPED };

static struct {
	const struct evasion *evasion;
	enum result result;
	size_t connections;
	char note[256];
} ran[MOST_CASES];
static size_t ran_count;

/* "B1-split-every-offset" is matched by "B1*", and by any of several patterns with spaces between. */
static bool is_wanted(const char *name) {
	const char *pattern = getenv("EVASION_CASE");
	char *patterns, *rest, *one;
	bool wanted = false;

	if (!pattern || !*pattern)
		return true;
	patterns = rest = strdup(pattern);
	while ((one = strsep(&rest, " ")))
		wanted |= fnmatch(one, name, 0) == 0;
	free(patterns);
	return wanted;
}

/* What a reader wants to know of a case that passed: the reasons that it is about. */
static void note_reasons(size_t at) {
	const struct evasion *evasion = ran[at].evasion;

	if (evasion->make)
		snprintf(ran[at].note, sizeof(ran[at].note), "%s%s%s", reason_code(evasion->reason),
			 evasion->then ? ", then " : "", evasion->then ? reason_code(evasion->then) : "");
}

static void run_case(void **state) {
	size_t at = (size_t)*state;
	const struct evasion *evasion = ran[at].evasion;

	harness_begin(evasion->policy);
	if (evasion->run)
		evasion->run();
	else
		stream_run(evasion);
	harness_end();
	ran[at].result = PASSED;
	note_reasons(at);
}

static int after_case(void **state) {
	size_t at = (size_t)*state;

	ran[at].connections = harness_connections();
	if (harness_skipped()) {
		ran[at].result = SKIPPED;
		snprintf(ran[at].note, sizeof(ran[at].note), "%s", harness_skipped());
	}
	return 0;
}

static void print_table(FILE *out) {
	static const char *const results[] = {"FAILED", "ok", "skipped"};
	size_t connections = 0, count[3] = {0};

	fprintf(out, "%-44s %12s  %-8s %s\n", "case", "connections", "result", "reason");
	for (size_t i = 0; i < ran_count; i++) {
		fprintf(out, "%-44s %12zu  %-8s %s\n", ran[i].evasion->name, ran[i].connections, results[ran[i].result],
			ran[i].note);
		connections += ran[i].connections;
		count[ran[i].result]++;
	}
	for (size_t i = 0; i < JUDGES; i++)
		fprintf(out, "%s has seen %zu ClientHellos in what came through\n", judges[i].name, harness_seen_by(i));
	fprintf(out, "%zu cases, %zu connections: %zu passed, %zu failed, %zu skipped\n", ran_count, connections,
		count[PASSED], count[FAILED], count[SKIPPED]);
}

static int run_all(void) {
	static struct CMUnitTest tests[MOST_CASES];
	int status;

	for (size_t i = 0; i < ran_count; i++)
		tests[i] = (struct CMUnitTest){ran[i].evasion->name, run_case, NULL, after_case, (void *)i};
	status = _cmocka_run_group_tests("evasion", tests, ran_count, NULL, NULL);
	harness_leave();
	return status;
}

int main(void) {
	const char *table = getenv("EVASION_TABLE");
	FILE *file = table ? fopen(table, "w") : NULL;
	int status;

	for (size_t i = 0; i < COUNT(catalogues); i++)
		for (size_t j = 0; j < catalogues[i]->count; j++)
			if (is_wanted(catalogues[i]->cases[j].name) && ran_count < MOST_CASES)
				ran[ran_count++].evasion = &catalogues[i]->cases[j];
	if (ran_count == 0) {
		fprintf(stderr, "no case is named like that\n");
		return 2;
	}
	status = run_all();
	print_table(file ? file : stdout);
	if (file)
		fclose(file);
	return status;
}
