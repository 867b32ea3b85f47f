/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every bench program is made of. `NAME list` prints the names of its cases; `NAME run CASE` does one round of one
 * case and prints its samples on stdout, one a line, for bench/run to collect:
 *
 *	case <TAB> metric <TAB> unit <TAB> value [<TAB> beside]
 *	case <TAB> skipped <TAB> - <TAB> why, in words
 *
 * `beside` names what the report puts the ratio to: another metric of the case, or `case:metric`. A metric with -again
 * behind its name is the same thing measured once more: the difference is noise. So is what the case flow/direct prints
 * with -ratio behind the name, of two clients that nothing filters.
 */
#ifndef SNIF_BENCH_H
#define SNIF_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgroup/cgroup.h"

struct bench_case {
	const char *name;
	void (*run)(const void *argument);
	const void *argument;
};

/*
 * The whole of a bench program's main(). A case runs in a child, which is ended by SIGALRM after some minutes; whatever
 * way it ends, on ctrl-C too, the cgroups it has made are emptied and removed. Returns the exit status: 0; 1 when the
 * case failed; 2 for a command line that is not one of the two above.
 */
int bench_main(int argc, char **argv, const struct bench_case *cases, size_t count);

/* ---- for the code of a case --------------------------------------------------------------------------------- */

/* Prints a sample; ends the round when it is no number. `beside` may be NULL. */
void bench_sample(const char *metric, const char *unit, double value, const char *beside);
/* Tells why the case cannot be measured here. The case then returns. */
void bench_skip(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Tells what went wrong and ends the round. */
void bench_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
/* Sets the time anew after which the case is ended: lab_enter() sets its own, which is shorter. */
void bench_arm(void);
/* Whether only the working of the bench is of interest: as little as possible is done (QUICK=1). */
bool bench_quick(void);
/* `full`, or `quick` where bench_quick(). */
unsigned bench_count(unsigned full, unsigned quick);
/* Whether a case of so many takes too long for bench_quick(); it is skipped then, and returns. */
bool bench_too_many(unsigned count);
/* The cgroup below which the case makes its own. */
const struct cgroup *bench_cgroup(void);
/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t bench_now(void);
/* Sorts `count` values, the smallest first. */
void bench_sort(double *values, size_t count);
/* The median of `count` values, which it sorts. */
double bench_median(double *values, size_t count);

#endif
