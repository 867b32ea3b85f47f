/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line ──► one case in a child ──► samples on stdout, and nothing left behind. */
#include "bench.h"

#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "run/supervise.h"

enum { PATIENCE = 300 }; /* seconds for one round of one case */
enum { QUICK_MOST = 1000 };

static const struct bench_case *running;
static struct cgroup cgroup = {.fd = -1};
static volatile pid_t child;

static void end_child(int number) {
	(void)number;
	kill(child, SIGKILL);
}

static void catch_signals(void (*handler)(int)) {
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaction(numbers[i], &(struct sigaction){.sa_handler = handler}, NULL);
}

static void be_child(void) {
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	catch_signals(SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	bench_arm();
	running->run(running->argument);
	exit(fflush(stdout) ? 1 : 0);
}

/* Signals are held back until the child is known, so that there is never one without its end. */
static int wait_for_case(void) {
	sigset_t all, before;
	int status;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	child = fork();
	if (child == 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		be_child();
	}
	if (child > 0)
		catch_signals(end_child);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (child < 0) {
		perror("fork");
		return 1;
	}
	while (waitpid(child, &status, 0) < 0)
		;
	if (WIFSIGNALED(status))
		fprintf(stderr, "%s: ended by signal %d\n", running->name, WTERMSIG(status));
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}

static int run_case(void) {
	int status;

	if (cgroup_create(&cgroup))
		return 1;
	status = wait_for_case();
	if (supervise_kill(&cgroup))
		status = 1;
	if (cgroup_remove(&cgroup))
		status = 1;
	return status;
}

int bench_main(int argc, char **argv, const struct bench_case *cases, size_t count) {
	if (argc == 2 && strcmp(argv[1], "list") == 0) {
		for (size_t i = 0; i < count; i++)
			puts(cases[i].name);
		return 0;
	}
	for (size_t i = 0; argc == 3 && strcmp(argv[1], "run") == 0 && i < count; i++)
		if (strcmp(cases[i].name, argv[2]) == 0)
			running = &cases[i];
	if (running)
		return run_case();
	fprintf(stderr, "usage: %s list, or %s run CASE with a case of that list\n", argv[0], argv[0]);
	return 2;
}

void bench_sample(const char *metric, const char *unit, double value, const char *beside) {
	if (!isfinite(value))
		bench_fail("%s comes out as %f", metric, value);
	printf("%s\t%s\t%s\t%.6g%s%s\n", running->name, metric, unit, value, beside ? "\t" : "", beside ? beside : "");
}

void bench_skip(const char *format, ...) {
	va_list arguments;

	printf("%s\tskipped\t-\t", running->name);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
}

void bench_fail(const char *format, ...) {
	va_list arguments;

	fprintf(stderr,
		"%s: ", running ? running->name : "bench"); /* a program that a case has started is in no case */
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

void bench_arm(void) {
	alarm(PATIENCE);
}

bool bench_quick(void) {
	const char *quick = getenv("QUICK");

	return quick && *quick;
}

unsigned bench_count(unsigned full, unsigned quick) {
	return bench_quick() ? quick : full;
}

bool bench_too_many(unsigned count) {
	if (!bench_quick() || count <= QUICK_MOST)
		return false;
	bench_skip("it takes too long for QUICK");
	return true;
}

const struct cgroup *bench_cgroup(void) {
	return &cgroup;
}

uint64_t bench_now(void) {
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int by_value(const void *a, const void *b) {
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void bench_sort(double *values, size_t count) {
	qsort(values, count, sizeof(*values), by_value);
}

double bench_median(double *values, size_t count) {
	if (count == 0)
		bench_fail("nothing was measured");
	bench_sort(values, count);
	return (values[(count - 1) / 2] + values[count / 2]) / 2;
}
