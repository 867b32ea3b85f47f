/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals to snifence ──► a descriptor that the event loop reads. */
#include "base/signals.h"

#include <errno.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const int taken[] = {SIGHUP,  SIGINT,	SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2,  SIGTSTP,
			    SIGALRM, SIGVTALRM, SIGPROF, SIGIO,	  SIGPWR,  SIGSTKFLT};
static const int ignored[] = {SIGPIPE, SIGTTIN, SIGTTOU, SIGXCPU, SIGXFSZ};

enum { TAKEN = sizeof(taken) / sizeof(taken[0]), IGNORED = sizeof(ignored) / sizeof(ignored[0]) };

static bool is_ignored(int signal) {
	struct sigaction action;

	return sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static void collect(sigset_t *set) {
	sigemptyset(set);
	for (size_t i = 0; i < TAKEN; i++)
		if (!is_ignored(taken[i]))
			sigaddset(set, taken[i]);
	for (int signal = SIGRTMIN; signal <= SIGRTMAX; signal++)
		if (!is_ignored(signal))
			sigaddset(set, signal);
}

int signals_take(struct signals *signals) {
	sigset_t set;

	collect(&set);
	signals->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals->fd < 0)
		return -errno;
	sigprocmask(SIG_BLOCK, &set, &signals->mask);
	sigemptyset(&signals->ignored);
	for (size_t i = 0; i < IGNORED; i++) {
		if (is_ignored(ignored[i]))
			sigaddset(&signals->ignored, ignored[i]);
		signal(ignored[i], SIG_IGN);
	}
	if (is_ignored(SIGCHLD))
		sigaddset(&signals->ignored, SIGCHLD);
	signal(SIGCHLD, SIG_DFL);
	return 0;
}

int signals_next(const struct signals *signals, bool *everywhere) {
	struct signalfd_siginfo info;

	if (read(signals->fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return 0;
	/* A hang-up goes to the session's leader alone: snifence, where ssh or a container engine started it. */
	if (everywhere)
		*everywhere = info.ssi_code == SI_KERNEL && info.ssi_signo != SIGHUP;
	return (int)info.ssi_signo;
}

static void unblock_stop(sigset_t *before) {
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &stop, before);
}

static int undo_ignoring(const struct signals *signals, int number) {
	return !sigismember(&signals->ignored, number) && signal(number, SIG_DFL) == SIG_ERR ? -errno : 0;
}

void signals_let_stop(const struct signals *signals) {
	undo_ignoring(signals, SIGTTIN);
	undo_ignoring(signals, SIGTTOU);
	unblock_stop(NULL);
}

void signals_stop(void) {
	sigset_t before;

	raise(SIGTSTP);
	unblock_stop(&before);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

int signals_early(const struct signals *signals) {
	int signal;

	while ((signal = signals_next(signals, NULL)) == SIGTSTP)
		signals_stop();
	return signal;
}

int signals_restore(const struct signals *signals) {
	int error = 0;

	for (size_t i = 0; i < IGNORED && !error; i++)
		error = undo_ignoring(signals, ignored[i]);
	if (!error && sigismember(&signals->ignored, SIGCHLD) && signal(SIGCHLD, SIG_IGN) == SIG_ERR)
		error = -errno;
	if (!error && sigprocmask(SIG_SETMASK, &signals->mask, NULL))
		error = -errno;
	return error;
}
