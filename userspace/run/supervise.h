/* SPDX-License-Identifier: BSD-2-Clause */
/* A running command ──► its events, its signals, its end and the end of all it started. */
#ifndef SNIF_SUPERVISE_H
#define SNIF_SUPERVISE_H

#include "kernel/cgroup.h"
#include "kernel/loader.h"
#include "run/signals.h"
#include "run/spawn.h"

struct supervised {
	const struct cgroup *cgroup;
	const struct signals *signals;
	struct filter *filter;
	int events_fd;			  /* of filter_events() */
	void (*delivered)(void *context); /* called after each batch of events */
	void *context;
	struct child child;
};

struct outcome {
	int status;   /* of the command, as snifence's exit code: 128 + n for signal n */
	int signal;   /* that ended the command; 0: it exited */
	int outlived; /* processes that were left when the command ended, and were ended */
};

/*
 * Delivers events and passes signals on until the command ends; then ends what is left of its tree: SIGTERM, and two
 * seconds later SIGKILL. A signal that the terminal sent to the whole process group is not sent a second time.
 * Returns 0, or a negative errno when the processes are still there seconds after SIGKILL. `outcome` is filled in
 * either way.
 */
int supervise(const struct supervised *supervised, struct outcome *outcome);

/* Ends every process of the cgroup at once and waits for that. Returns 0, or -ETIMEDOUT after five seconds, or
 * another negative errno. */
int supervise_kill(const struct cgroup *cgroup);

#endif
