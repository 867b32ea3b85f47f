/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A storm: rounds of random socket calls by an unprivileged process under the filter. All of a round (its policy, how
 * many processes and threads, which calls with which arguments in each thread) comes from one number, its seed.
 */
#ifndef SNIF_STORM_H
#define SNIF_STORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	STORM_PORTS = 6,
	STORM_LISTEN_PORT = 7000, /* the first of those on which the storm listens */
	STORM_LISTEN_PORTS = 4,
	STORM_UID = 65534,
	STORM_POLICY_SIZE = 2048,
	STORM_OPERATION_KINDS = 32, /* at least as many as operations.c has */
};

/* Parts that draw numbers of their own. Threads come last, one after the other. */
enum storm_part { STORM_PART_PLAN, STORM_PART_SERVERS, STORM_PART_PAYLOADS, STORM_PART_SOCKETS, STORM_PART_THREADS };

/* Where the servers of the other namespace listen, by TCP and UDP. */
extern const uint16_t storm_ports[STORM_PORTS];

struct storm_plan {
	uint64_t seed;
	bool audit;	 /* in audit mode, which lets everything out: such a round shows that what gets out is seen */
	bool run;	 /* under `snifence run`, which ends refused sockets and has its own rules for system calls */
	bool namespaces; /* the second process leaves for a user and a network namespace of its own */
	unsigned processes, threads, operations; /* processes; threads in each; calls of each thread */
	uint8_t weights[STORM_OPERATION_KINDS];	 /* how often each kind of call is made */
	char policy[STORM_POLICY_SIZE];
};

/* What a seed means. */
void storm_plan(struct storm_plan *plan, uint64_t seed);

/*
 * Makes the calls, in this process and its children, and returns when all is done. Gives up root first where it has it.
 * Adds to `*calls` how many there were. Returns 0 or a negative errno.
 */
int storm_attack(const struct storm_plan *plan, uint64_t *calls);

#endif
