/* SPDX-License-Identifier: BSD-2-Clause */
/* `run --top`: the live view beside a running command, in a process of its own, so that no terminal and no log can hold
 * up the run. */
#ifndef SNIF_RUN_VIEW_H
#define SNIF_RUN_VIEW_H

#include <termios.h>

#include "base/signals.h"
#include "event/log_writer.h"

/* All zero: there is none. */
struct run_view {
	/* Of all events, for the view to read; NULL: no view. What it cannot take is lost to it alone. */
	struct log *log;
	FILE *lines; /* behind the log */
	int pid, pidfd;
	int saved[3]; /* the run's standard input, output and error as they were; 0: still in place */
	int kept;     /* what went to the terminal meanwhile; its offset is how much of that was printed */
	int tty;      /* the terminal, and its modes before the view */
	struct termios modes;
	uint64_t lost_told;
};

/*
 * Starts the view on the terminal, as a user that nobody is, so that nobody but root can stop it. Until run_view_end()
 * what goes to stdout and stderr is kept in a file without a name where they are a terminal, and stdin is /dev/null
 * where it is one: so for the command too. Returns 0, or the exit code after saying why.
 */
int run_view_start(struct run_view *view, const struct signals *signals);

/* Ends the view after it has shown all, prints what was kept, and puts stdin, stdout and stderr back. A view that has
 * stopped is killed after a second; then, and when somebody else has killed it, the terminal is put in order here.
 * Without a view it does nothing. */
void run_view_end(struct run_view *view);

#endif
