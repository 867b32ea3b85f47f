/* SPDX-License-Identifier: BSD-2-Clause */
/* A command ──► run directly, and by `snifence run` ──► how long that takes, and how much memory. */
#include <string.h>

#include "support/bench.h"
#include "support/sides.h"
#include "support/under.h"

enum { MOST_RUNS = 20, MOST_WORDS = 16 };

static const char command[] = "/bin/true";

/* Milliseconds from the fork to the end. */
static double run_once(const char *const argv[], struct rusage *usage) {
	uint64_t began = bench_now();
	int status = sides_wait(sides_start(NEAR, argv), usage);

	if (status)
		bench_fail("%s ended with status %d", argv[0], status);
	return (double)(bench_now() - began) / 1e6;
}

/* The command itself. One before it waits for what the end of a run has left to the kernel, of its cgroup. */
static double run_direct(struct rusage *usage) {
	static const char *const direct[] = {command, NULL};

	run_once(direct, usage);
	return run_once(direct, usage);
}

/* Both in turns. The peak of memory, of all runs, is that of snifence: the command, measured with it, needs less. */
static void measure(const void *argument) {
	const char *const *under = under_snifence(NULL, under_policy("enforce", *(const size_t *)argument));
	const char *confined[MOST_WORDS] = {NULL};
	double ms[MOST_RUNS], direct_ms[MOST_RUNS];
	unsigned runs = bench_count(11, 3);
	struct rusage usage = {0};
	long most_kb = 0;
	size_t words = 0;

	for (; under[words]; words++)
		confined[words] = under[words];
	confined[words] = command;
	for (unsigned i = 0; i < runs; i++) {
		direct_ms[i] = run_direct(&usage);
		ms[i] = run_once(confined, &usage);
		if (usage.ru_maxrss > most_kb)
			most_kb = usage.ru_maxrss;
	}
	bench_sample("direct", "ms", bench_median(direct_ms, runs), NULL);
	bench_sample("snifence", "ms", bench_median(ms, runs), "direct");
	bench_sample("overhead", "ms", bench_median(ms, runs) - bench_median(direct_ms, runs), NULL);
	bench_sample("rss", "MB", (double)most_kb * 1024 / 1e6, NULL);
}

static void resident_command(const char *word) {
	sides_command(NEAR, (const char *const[]){"build/snifence", word, NULL});
}

/* With a filter that is in the kernel already, and without one, in turns. */
static void measure_resident(const void *argument) {
	const char *const *under = under_snifence(NULL, under_policy("enforce", 0));
	const char *confined[MOST_WORDS] = {NULL};
	double direct_ms[MOST_RUNS], resident_ms[MOST_RUNS], own_ms[MOST_RUNS];
	unsigned runs = bench_count(11, 3);
	struct rusage usage;
	size_t words = 0;

	(void)argument;
	for (; under[words]; words++)
		confined[words] = under[words];
	confined[words] = command;
	for (unsigned i = 0; i < runs; i++) {
		resident_command("load");
		run_once(confined, &usage); /* the policy's tables stay with the filter */
		direct_ms[i] = run_direct(&usage);
		resident_ms[i] = run_once(confined, &usage);
		resident_command("unload");
		own_ms[i] = run_once(confined, &usage);
	}
	bench_sample("own", "ms", bench_median(own_ms, runs), NULL);
	bench_sample("resident", "ms", bench_median(resident_ms, runs), "own");
	bench_sample("overhead", "ms", bench_median(resident_ms, runs) - bench_median(direct_ms, runs), NULL);
}

static void run(const void *argument) {
	sides_run(measure, argument);
}

static void run_resident(const void *argument) {
	sides_run(measure_resident, argument);
}

static const size_t one_name = 0, many_names = 100000;

static const struct bench_case cases[] = {
	{"run/overhead", run, &one_name},
	{"run/overhead-100000", run, &many_names},
	{"run/overhead-resident", run_resident, NULL},
};

int main(int argc, char **argv) {
	return bench_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
