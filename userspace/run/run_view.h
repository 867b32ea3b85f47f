/* SPDX-License-Identifier: BSD-2-Clause */
/* `run --top`: the live view beside a running command, in a process of its own, so that no terminal and no log can hold
 * up the run. */
#ifndef SNIF_RUN_VIEW_H
#define SNIF_RUN_VIEW_H

#include "log/log.h"
#include "run/identity.h"
#include "run/signals.h"

/* All zero: there is none. */
struct run_view {
	struct log
		*log; /* of all events, which the view reads; NULL: no view. What it cannot take is lost to it alone */
	FILE *lines;  /* behind the log */
	int pid;
	int saved[3]; /* the run's standard input, output and error as they were; 0: still in place */
	uint64_t lost_told;
};

/*
 * Starts the view on the terminal, as `identity`. Until run_view_end() what goes to stdout and stderr is kept in a file
 * without a name where they are a terminal, and stdin is /dev/null where it is one: so for the command too. Returns 0,
 * or the exit code after saying why.
 */
int run_view_start(struct run_view *view, const struct identity *identity, const struct signals *signals);

/* Ends the view after it has shown all, prints what was kept, and puts stdin, stdout and stderr back. Without a view it
 * does nothing. */
void run_view_end(struct run_view *view);

#endif
