/* SPDX-License-Identifier: BSD-2-Clause */
/* The calls that a storm is made of. What a call does to whom is drawn before it is made: its result changes nothing. */
#ifndef SNIF_STORM_OPERATIONS_H
#define SNIF_STORM_OPERATIONS_H

#include <sys/socket.h>

#include "random.h"
#include "storm.h"

enum { SLOTS = 10, FIRST_SLOT = 100 /* the descriptor of slot 0: the same number in each process */ };

/* A thread of the storm. */
struct actor {
	struct random random;
	const struct storm_plan *plan;
	unsigned total; /* of the weights */
	int other_end;	/* of a pair of UNIX sockets, by which processes pass sockets to each other */
	uint64_t calls;
};

/* Makes the sockets of the round's slots, and the payloads. For the first process, before the others are there. */
void operations_prepare(const struct storm_plan *plan);
/* Makes one call, or a few that belong together. */
void operation(struct actor *actor);

/* options.c: sets an option that means something, with a value that may; and any option with any value. */
void option_usual(struct actor *actor, int fd);
void option_any(struct actor *actor, int fd);
/* Adds control messages to a message: where a packet leaves from, how it is routed, how it is cut. `buffer` has room for
 * `size` bytes. */
void option_messages(struct actor *actor, struct msghdr *message, void *buffer, size_t size);

#endif
