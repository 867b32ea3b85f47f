/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ends of what is measured, each with a cgroup below bench_cgroup(), so that CPU time can be told apart, and with a
 * network namespace. NEAR are the client and whatever filters it; FAR is the server. BESIDE is for a second client that
 * nothing filters, to compare with: in NEAR's namespace, but in a cgroup of its own. All of it lives in a round of its
 * own: what it starts cannot outlive it, and what it writes below SIDES_FOLDER is gone with it.
 *
 * Where something fails, the round does (bench_fail).
 */
#ifndef SNIF_SIDES_H
#define SNIF_SIDES_H

#include <sys/resource.h>
#include <sys/types.h>

#include "cell.h"

#define SIDES_FOLDER "/run" /* a tmpfs of the round's own */

enum side { NEAR, BESIDE, FAR, SIDES };

#define NEAR_ADDRESS "203.0.113.101"
#define FAR_ADDRESS "203.0.113.102"

/*
 * Calls `function` in a child with pid, network and mount namespaces of its own; it is the first process there, so the
 * kernel ends with it all that it has started. Returns once that is done. At most once in a round; the rest here is for
 * its use. It is in the lab already (lab_enter() of tests/support/lab.h).
 */
void sides_run(void (*function)(const void *argument), const void *argument);

/* Makes FAR's namespace and a veth between the two. Before anything is started in FAR. */
void sides_link(void);
/* Microseconds of CPU time (user and system) that the side's processes have taken so far. */
double sides_cpu_us(enum side side);
/* The side's cgroup. */
const struct cell *sides_cell(enum side side);

/* Runs `function` in a forked child on that side; it ends with what that returns as its exit status. */
pid_t sides_fork(enum side side, int (*function)(void *argument), void *argument);
/* Starts a program on that side; its output goes to stderr. argv[0] is found by PATH. */
pid_t sides_start(enum side side, const char *const argv[]);
/* Waits for the end of a child. Returns its exit status, or 128 + n for signal n. `usage` may be NULL. */
int sides_wait(pid_t pid, struct rusage *usage);
/* Runs a program to its end, which has to be a good one. */
void sides_command(enum side side, const char *const argv[]);

/* Writes a file into SIDES_FOLDER, readable by all. Returns its path, which stays valid. */
const char *sides_write(const char *name, const char *text);
/* Skips the round where a file of the package is not there. */
void sides_need(const char *file, const char *package);

#endif
