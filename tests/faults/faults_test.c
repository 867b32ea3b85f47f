/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything that can fail while a command is started, one after another ──► it is confined, or was not started and there
 * is a message. The environment:
 *
 *	FAULTS=N	tries N points of each kind, chosen by SEED, of all errors
 *	FAULTS=all	tries all errors of all system calls; without it, those of the first and last of equal calls
 *			of a task, and one error for each in between
 *	FAULTS_POINT=P	tries this one alone, and shows what it prints
 *	FAULTS_RUN=W	starts the command with these words instead of `run`
 *	FAULTS_TEST=T	runs this test alone, of test_calls, test_allocations and test_readings
 *	FAULTS_TABLE=F	where the numbers go
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "faults.h"

static const char *const words[OUTCOMES] = {"untried",	   "not reached", "confined", "not started, with a message",
					    "ended early", "findings"};

/* What workers share. */
struct work {
	size_t next;
	struct result results[];
};

static struct points calls, taken; /* system calls, without errors; allocations */

_Noreturn static void worker(const struct points *points, struct work *work) {
	size_t at;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	trial_prepare();
	trial_without_fault();
	while ((at = __atomic_fetch_add(&work->next, 1, __ATOMIC_RELAXED)) < points->count) {
		work->results[at] = trial_run(&points->points[at], false);
		if (work->results[at].outcome == FINDING)
			told_finding(&points->points[at], work->results[at].text);
	}
	trial_end();
	exit(0);
}

/* Tries all of them, with a worker for each processor. */
static void try_all(const char *kind, const struct points *points) {
	size_t size = sizeof(struct work) + points->count * sizeof(struct result);
	size_t counts[OUTCOMES] = {0};
	struct work *work = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	long workers = sysconf(_SC_NPROCESSORS_ONLN);
	double started = told_now();
	int status, bad = 0;

	assert_ptr_not_equal(work, MAP_FAILED);
	fflush(stdout);
	for (long i = 0; i < workers; i++)
		if (fork() == 0)
			worker(points, work);
	while (wait(&status) > 0)
		bad |= status;
	for (size_t i = 0; i < points->count; i++)
		counts[work->results[i].outcome]++;
	told_numbers(kind, words, counts, told_now() - started);
	assert_int_equal(bad, 0);
	assert_int_equal(counts[UNTRIED], 0);
	assert_int_equal(counts[FINDING], 0);
}

/* What can fail, found out in a process of its own: it comes through a pipe, system calls first. */
static int find_points(void **state) {
	const struct allocations *allocations;
	struct point point;
	int pair[2], status;

	(void)state;
	assert_int_equal(pipe(pair), 0);
	fflush(stdout);
	if (fork() == 0) {
		FILE *out = fdopen(pair[1], "w");
		trial_prepare();
		trial_without_fault();
		trial_survey(&calls, &allocations);
		taken = points_of_allocations(allocations);
		fwrite(calls.points, sizeof(point), calls.count, out);
		fwrite(taken.points, sizeof(point), taken.count, out);
		trial_end();
		exit(fclose(out) != 0);
	}
	close(pair[1]);
	FILE *in = fdopen(pair[0], "r");
	while (fread(&point, sizeof(point), 1, in) == 1)
		points_add(point.call < 0 ? &taken : &calls, point);
	fclose(in);
	assert_true(wait(&status) > 0);
	assert_int_equal(status, 0);
	return 0;
}

static void test_calls(void **state) {
	const char *wanted = getenv("FAULTS");
	struct points all = points_with_errors(&calls, true), points = all;

	(void)state;
	if (!wanted || !*wanted)
		points = points_with_errors(&calls, false);
	told_sample(&points, 1);
	if (points.count < all.count)
		printf("  %zu of %zu points of %zu system calls; FAULTS=all: all\n", points.count, all.count,
		       calls.count);
	try_all("system calls", &points);
}

static void test_allocations(void **state) {
	(void)state;
	told_sample(&taken, 1);
	try_all("allocations", &taken);
}

/* Who reads what a run has left must not end by a signal either. */
static void test_readings(void **state) {
	static const struct reading readings[] = {
		{{"report", "LOG"}},
		{{"report", "--json", "LOG"}},
		{{"learn", "LOG"}},
		{{"check", "POLICY"}},
	};

	size_t findings = 0;

	(void)state;
	trial_without_fault();
	for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++) {
		struct points points = trial_reading_points(&readings[i]);
		struct result result;

		told_sample(&points, 1);
		for (size_t j = 0; j < points.count; j++) {
			result = trial_reading(&readings[i], &points.points[j]);
			if (result.outcome != FINDING)
				continue;
			findings++;
			printf("  %s: allocation:%x:%u: %s\n", readings[i].words[0], points.points[j].place,
			       points.points[j].nth, result.text);
		}
	}
	assert_int_equal(findings, 0);
}

static int begin_readings(void **state) {
	(void)state;
	trial_prepare();
	return 0;
}

static int end_readings(void **state) {
	(void)state;
	trial_end();
	return 0;
}

static int try_one(const char *text) {
	struct point point;
	struct result result;

	if (!point_parse(text, &point)) {
		fprintf(stderr, "FAULTS_POINT=%s: write TASK:CALL:N:ERROR or allocation:PLACE:N\n", text);
		return 2;
	}
	trial_prepare();
	trial_without_fault();
	result = trial_run(&point, true);
	trial_end();
	printf("%s%s%s\n", words[result.outcome], *result.text ? ": " : "", result.text);
	return result.outcome == FINDING;
}

int main(int argc, char **argv) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_allocations),
		cmocka_unit_test_setup_teardown(test_readings, begin_readings, end_readings),
	};
	const char *point = getenv("FAULTS_POINT");

	if (argc == 5 && strcmp(argv[1], "attempts") == 0)
		return attempts_main(argv + 2);
	if (point && *point)
		return try_one(point);
	if (getenv("FAULTS_TEST"))
		cmocka_set_test_filter(getenv("FAULTS_TEST"));
	return cmocka_run_group_tests_name("faults", tests, find_points, NULL);
}
