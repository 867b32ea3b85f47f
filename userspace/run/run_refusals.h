/* SPDX-License-Identifier: BSD-2-Clause */
/* System calls that seccomp refuses ──► their answer, and who is told of them. */
#ifndef SNIF_RUN_REFUSALS_H
#define SNIF_RUN_REFUSALS_H

#include <poll.h>

#include "confine/syscalls.h"

struct run_refusals {
	int *listener; /* of a struct child; -1: there is none, or it was closed: nobody is left, or it fails */
	const struct syscalls *syscalls;
	/* A call was refused to a program, by its name. */
	void (*told)(void *context, const struct refused_call *call, const char *asker);
	void *context;
};

/* For a turn, as struct part wants it: answers the calls that wait. */
int run_refusals_wait(const struct run_refusals *refusals, struct pollfd *fd);
void run_refusals_turn(const struct run_refusals *refusals);

#endif
