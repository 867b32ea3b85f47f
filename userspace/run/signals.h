/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals to snifence ──► a descriptor that the event loop reads; undone in the command before it starts. */
#ifndef SNIF_SIGNALS_H
#define SNIF_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/* The signal state of the process before signals_take() changed it. */
struct signals {
	int fd; /* a signalfd, non-blocking */
	sigset_t mask;
	struct sigaction pipe, child;
};

/*
 * Takes over the signals that a person or a service manager ends or pokes a program with (HUP, INT, QUIT, TERM, USR1,
 * USR2): they are read from `fd` from now on. One that was ignored before (nohup, a shell's background job) stays
 * ignored. SIGPIPE is ignored from now on; SIGCHLD is not, or the status of a child would be lost. Returns 0 or a
 * negative errno, then nothing has changed.
 */
int signals_take(struct signals *signals);

/* Takes the next signal that came in, 0 when there is none. `everywhere`, where not NULL, says that the kernel sent it
 * to the whole foreground process group (Ctrl-C), of which the command is a part. */
int signals_next(const struct signals *signals, bool *everywhere);

/* Puts mask and dispositions back. Leaves `fd` alone. For the command between clone and exec. */
void signals_restore(const struct signals *signals);

#endif
