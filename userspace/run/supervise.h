/* SPDX-License-Identifier: BSD-2-Clause */
/* A running command ──► its events, its signals, its end and the end of all it started. */
#ifndef SNIF_SUPERVISE_H
#define SNIF_SUPERVISE_H

#include <poll.h>

#include "base/signals.h"
#include "cgroup/cgroup.h"
#include "confine/spawn.h"
#include "filter/filter.h"

/* Something that is done beside the command: it has its turn whenever anything happens, and waits for nothing. */
struct part {
	/* Fills in what to poll for (fd -1: nothing), and returns in how many milliseconds it wants its turn even so; -1:
	 * not before something happens. */
	int (*wait)(void *context, struct pollfd *fd);
	void (*turn)(void *context);
	void *context;
};

enum { SUPERVISED_PARTS = 6 };

struct supervised {
	const struct cgroup *cgroup;
	const struct signals *signals;
	struct filter *filter;
	int events_fd;			     /* of filter_events() */
	struct part parts[SUPERVISED_PARTS]; /* in this order, after each batch of events; ends with one without turn */
	struct child child;
};

struct outcome {
	int status;   /* of the command, as snifence's exit code: 128 + n for signal n */
	int signal;   /* that ended the command; 0: it exited */
	int outlived; /* processes that were left when the command ended, and were ended */
};

/*
 * Delivers events, gives the parts their turns and passes signals on until the command ends; then ends what is left of
 * its tree: SIGTERM, and two seconds later SIGKILL. A signal that the terminal sent to the whole process group is not
 * sent a second time. Returns 0, or a negative errno when the processes are still there seconds after SIGKILL.
 * `outcome` is filled in either way.
 */
int supervise(const struct supervised *supervised, struct outcome *outcome);

/* Ends every process of the cgroup at once and waits for that. Returns 0, or -ETIMEDOUT after five seconds, or
 * another negative errno. */
int supervise_kill(const struct cgroup *cgroup);

#endif
