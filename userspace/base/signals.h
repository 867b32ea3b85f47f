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
	sigset_t ignored; /* of those that signals_take() ignores: which were ignored before */
};

/*
 * Takes over every signal that ends or stops a process by default and that another process, a limit on time or the
 * terminal can send: HUP, INT, QUIT, TERM, USR1, USR2, TSTP, ALRM, VTALRM, PROF, IO, PWR, STKFLT and the real-time ones
 * are read from `fd` from now on. One that was ignored before (nohup, a shell's background job) stays ignored. PIPE,
 * TTIN, TTOU, XCPU and XFSZ are ignored from now on: what they are about comes as an error of a system call, or is for
 * the command to hear, which has the same limits. CHLD is not ignored, or the status of a child would be lost. Returns
 * 0 or a negative errno, then nothing has changed.
 */
int signals_take(struct signals *signals);

/* Takes the next signal that came in, 0 when there is none. `everywhere`, where not NULL, says that the kernel sent it
 * to the whole foreground process group (Ctrl-C), of which the command is a part. */
int signals_next(const struct signals *signals, bool *everywhere);

/* Where there is no command yet: the next signal that is to end snifence, 0 when there is none. TSTP stops it meanwhile. */
int signals_early(const struct signals *signals);

/* The terminal's signals stop this process again as they do by default. For who has the terminal: a live view. */
void signals_let_stop(const struct signals *signals);

/* Does what TSTP does where nobody takes it: stops this process, until somebody lets it go on. In a process group that
 * nobody would let go on it does nothing. */
void signals_stop(void);

/* Puts mask and dispositions back. Leaves `fd` alone. For the command between clone and exec. Returns 0 or a
 * negative errno. */
int signals_restore(const struct signals *signals);

#endif
