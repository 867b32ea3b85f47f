/* SPDX-License-Identifier: BSD-2-Clause */
/* A running command ──► its events, its signals, its end and the end of all it started. */
#include "run/supervise.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/message.h"

/*
 * How long what is left when the command ends has to end by itself, after SIGTERM, and after being killed, which is
 * done again after AGAIN_MS.
 */
enum { SETTLE_MS = 100, GRACE_MS = 2000, KILL_MS = 5000, AGAIN_MS = 100 };

static long now_ms(void) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What is stopped would get the signal only when somebody else continues it. Returns how many processes there were. */
static int ask_to_end(const struct cgroup *cgroup, int signal) {
	int asked = cgroup_signal(cgroup, signal);

	cgroup_signal(cgroup, SIGCONT);
	return asked;
}

/* A key that stops the whole job stops snifence with the command, never alone: the command can be in another group. */
static void stop_with(const struct child *child) {
	if (getpgid(child->pid) == getpgrp())
		signals_stop();
}

static void forward_signals(const struct supervised *supervised) {
	bool everywhere;
	int signal;
	while ((signal = signals_next(supervised->signals, &everywhere)) != 0) {
		if (everywhere && signal == SIGTSTP)
			stop_with(&supervised->child);
		if (everywhere)
			continue;
		if (signal == SIGTERM || signal == SIGHUP)
			ask_to_end(supervised->cgroup, signal);
		else
			cgroup_signal(supervised->cgroup, signal);
	}
}

static void give_turns(const struct supervised *supervised) {
	for (const struct part *part = supervised->parts; part->turn; part++)
		part->turn(part->context);
}

/* Returns whether there were events. When the ring buffer cannot be read the verdicts still hold: go on without. */
static bool deliver(const struct supervised *supervised, bool *deaf) {
	int count = filter_consume(supervised->filter);
	if (count < 0) {
		message_error("cannot read events any more: %s; the policy stays in force", strerror(-count));
		*deaf = true;
	}
	give_turns(supervised);
	return count > 0;
}

enum { POLL_EVENTS, POLL_SIGNALS, POLL_END, POLL_PARTS };

/* Adds what the parts wait for. Returns the number of descriptors. */
static nfds_t add_parts(const struct supervised *supervised, struct pollfd *fds, int *timeout) {
	nfds_t count = POLL_PARTS;
	for (const struct part *part = supervised->parts; part->turn; part++) {
		int patience = part->wait(part->context, &fds[count++]);
		if (patience >= 0 && (*timeout < 0 || patience < *timeout))
			*timeout = patience;
	}
	return count;
}

/* One turn of the loop: waits until something happens, at most `timeout` ms, and deals with events and signals.
 * Returns the poll results for `end`. */
static short turn(const struct supervised *supervised, struct pollfd *end, int timeout, bool *deaf) {
	struct pollfd fds[POLL_PARTS + SUPERVISED_PARTS] = {
		[POLL_EVENTS] = {.fd = *deaf ? -1 : supervised->events_fd, .events = POLLIN},
		[POLL_SIGNALS] = {.fd = supervised->signals->fd, .events = POLLIN},
		[POLL_END] = *end,
	};
	nfds_t count = add_parts(supervised, fds, &timeout);
	if (poll(fds, count, timeout) < 0)
		return 0;
	if (fds[POLL_EVENTS].revents)
		deliver(supervised, deaf);
	else
		give_turns(supervised);
	if (fds[POLL_SIGNALS].revents)
		forward_signals(supervised);
	return fds[POLL_END].revents;
}

static void wait_for_command(const struct supervised *supervised, struct outcome *outcome, bool *deaf) {
	struct pollfd end = {.fd = supervised->child.pidfd, .events = POLLIN};
	while (!turn(supervised, &end, -1, deaf))
		;
	int status = 0;
	while (waitpid(supervised->child.pid, &status, 0) < 0 && errno == EINTR)
		;
	outcome->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	outcome->status = outcome->signal ? 128 + outcome->signal : WEXITSTATUS(status);
}

/* Waits until the tree is empty, at most `patience` ms; events and signals go on meanwhile. */
static void await_empty(const struct supervised *supervised, int watch_fd, long patience, bool *deaf) {
	struct pollfd end = {.fd = watch_fd, .events = POLLPRI};
	long deadline = now_ms() + patience, left;
	while (cgroup_populated(watch_fd) == 1 && (left = deadline - now_ms()) > 0)
		turn(supervised, &end, (int)left, deaf);
}

/* Ends what the command has left behind. The other ends of its pipes, or what shared its signal, are ending just now:
 * those don't count. Returns how many had to be asked. */
static int end_the_rest(const struct supervised *supervised, int watch_fd, bool *deaf) {
	await_empty(supervised, watch_fd, SETTLE_MS, deaf);
	int outlived = ask_to_end(supervised->cgroup, SIGTERM);
	await_empty(supervised, watch_fd, GRACE_MS, deaf);
	return outlived;
}

int supervise_kill(const struct cgroup *cgroup) {
	int watch_fd = cgroup_watch(cgroup);
	if (watch_fd < 0)
		return watch_fd;
	struct pollfd end = {.fd = watch_fd, .events = POLLPRI};
	long deadline = now_ms() + KILL_MS, left = KILL_MS;
	int populated = cgroup_populated(watch_fd), err = 0;
	for (; !err && populated == 1 && (left = deadline - now_ms()) > 0; populated = cgroup_populated(watch_fd)) {
		err = cgroup_kill(cgroup);
		poll(&end, 1, left < AGAIN_MS ? (int)left : AGAIN_MS);
	}
	close(watch_fd);
	return err ? err : populated == 1 ? -ETIMEDOUT : populated;
}

int supervise(const struct supervised *supervised, struct outcome *outcome) {
	bool deaf = false;
	*outcome = (struct outcome){0};
	wait_for_command(supervised, outcome, &deaf);
	int watch_fd = cgroup_watch(supervised->cgroup);
	if (watch_fd >= 0) {
		outcome->outlived = end_the_rest(supervised, watch_fd, &deaf);
		close(watch_fd);
	}
	int err = supervise_kill(supervised->cgroup);
	while (!deaf && deliver(supervised, &deaf))
		;
	return err;
}
