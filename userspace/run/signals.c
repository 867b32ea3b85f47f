/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals to snifence ──► a descriptor that the event loop reads. */
#include "run/signals.h"

#include <errno.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const int taken[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};

static void collect(sigset_t *set) {
	sigemptyset(set);
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		struct sigaction action;
		if (sigaction(taken[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
			sigaddset(set, taken[i]);
	}
}

int signals_take(struct signals *signals) {
	sigset_t set;
	collect(&set);
	signals->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals->fd < 0)
		return -errno;
	sigprocmask(SIG_BLOCK, &set, &signals->mask);
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct sigaction standard = {.sa_handler = SIG_DFL};
	sigaction(SIGPIPE, &ignore, &signals->pipe);
	sigaction(SIGCHLD, &standard, &signals->child);
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

void signals_restore(const struct signals *signals) {
	sigaction(SIGPIPE, &signals->pipe, NULL);
	sigaction(SIGCHLD, &signals->child, NULL);
	sigprocmask(SIG_SETMASK, &signals->mask, NULL);
}
