/* SPDX-License-Identifier: BSD-2-Clause */
/* A running command ──► its events, its signals, its end and the end of all it started. */
#include "run/supervise.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/message.h"
#include "event/process.h"

/*
 * How long what is left when the command ends has to end by itself, after SIGTERM, and after being killed, which is
 * done again after AGAIN_MS. Who was asked to end has less time: ASKED_MS from then on for all of it, and for each step
 * LEAST_MS. A command that was killed but cannot end, as the kernel waits for something that does not come, is given up
 * DYING_MS after that. Events of sockets that it has given to processes outside could go on for ever: they are read for
 * LAST_MS once all has ended.
 */
enum {
	SETTLE_MS = 100,
	GRACE_MS = 2000,
	KILL_MS = 5000,
	AGAIN_MS = 100,
	ASKED_MS = 2300,
	LEAST_MS = 300,
	DYING_MS = 700,
	LAST_MS = 300,
};

/* What has happened so far. */
struct state {
	const struct supervised *supervised;
	bool deaf;  /* no events can be read any more */
	int signal; /* the last one that was passed on; 0: none */
	long asked; /* when it was */
	bool given_up;
};

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

static void forward_signals(struct state *state) {
	const struct supervised *supervised = state->supervised;
	bool everywhere;
	int signal;
	while ((signal = signals_next(supervised->signals, &everywhere)) != 0) {
		if (everywhere && signal == SIGTSTP)
			stop_with(&supervised->child);
		state->signal = signal;
		state->asked = clock_ms();
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

/* Returns how many events there were. When the ring buffer cannot be read the verdicts still hold: go on without. */
static int deliver(struct state *state) {
	int count = filter_consume(state->supervised->filter);
	if (count < 0) {
		message_error("cannot read events any more: %s; the policy stays in force", strerror(-count));
		state->deaf = true;
	}
	give_turns(state->supervised);
	return count;
}

/*
 * So many events at once are a storm, which goes on. The kernel wakes whoever has read all of them with the next one: a
 * short pause has it wake once for many.
 */
enum { STORM_EVENTS = 32, STORM_PAUSE_US = 1000 };

static void deliver_and_pause(struct state *state) {
	int count = deliver(state);

	if (count >= STORM_EVENTS && count < FILTER_EVENTS_AT_ONCE)
		usleep(STORM_PAUSE_US);
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
static short turn(struct state *state, struct pollfd *end, int timeout) {
	const struct supervised *supervised = state->supervised;
	struct pollfd fds[POLL_PARTS + SUPERVISED_PARTS] = {
		[POLL_EVENTS] = {.fd = state->deaf ? -1 : supervised->events_fd, .events = POLLIN},
		[POLL_SIGNALS] = {.fd = supervised->signals->fd, .events = POLLIN},
		[POLL_END] = *end,
	};
	nfds_t count = add_parts(supervised, fds, &timeout);
	if (poll(fds, count, timeout) < 0)
		return 0;
	if (fds[POLL_EVENTS].revents)
		deliver_and_pause(state);
	else
		give_turns(supervised);
	if (fds[POLL_SIGNALS].revents)
		forward_signals(state);
	return fds[POLL_END].revents;
}

/* Whether the command has to be looked after, as it was sent a signal a while ago. Then in how many ms; -1: no. */
static int until_looked_after(const struct state *state) {
	long left = state->asked + DYING_MS - clock_ms();
	return state->signal == 0 || left < 0 ? -1 : (int)left + 1;
}

/* Of the command, which has ended; as of waitpid(). */
static int status_of(const struct child *child) {
	int status;
	while (waitpid(child->pid, &status, 0) < 0)
		if (errno != EINTR) {
			message_error("cannot tell how the command has ended: %s", strerror(errno));
			return W_EXITCODE(EXIT_FAILED, 0);
		}
	return status;
}

static void wait_for_command(struct state *state, struct outcome *outcome) {
	struct pollfd end = {.fd = state->supervised->child.pidfd, .events = POLLIN};
	int timeout;
	do {
		timeout = until_looked_after(state);
		if (turn(state, &end, timeout))
			break;
		if (timeout >= 0 && until_looked_after(state) < 0)
			state->given_up = process_is_dying(state->supervised->child.pid);
	} while (!state->given_up);
	int status = state->given_up ? state->signal : status_of(&state->supervised->child);
	outcome->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	outcome->status = outcome->signal ? 128 + outcome->signal : WEXITSTATUS(status);
}

/* Waits until the tree is empty, at most `patience` ms; events and signals go on meanwhile. */
static void await_empty(struct state *state, int watch_fd, long patience) {
	struct pollfd end = {.fd = watch_fd, .events = POLLPRI};
	long deadline = clock_ms() + patience, left;
	while (cgroup_populated(watch_fd) == 1 && (left = deadline - clock_ms()) > 0)
		turn(state, &end, (int)left);
}

/* What is left of `patience` ms; less where all were asked to end before. */
static long patience_of(const struct state *state, long patience) {
	long left = state->asked + ASKED_MS - clock_ms();
	if (state->signal != SIGTERM && state->signal != SIGHUP)
		return patience;
	if (state->given_up || left < LEAST_MS)
		return LEAST_MS;
	return left < patience ? left : patience;
}

/* Ends what the command has left behind. The other ends of its pipes, or what shared its signal, are ending just now:
 * those don't count. Returns how many had to be asked. */
static int end_the_rest(struct state *state, int watch_fd) {
	await_empty(state, watch_fd, SETTLE_MS);
	int outlived = ask_to_end(state->supervised->cgroup, SIGTERM);
	await_empty(state, watch_fd, patience_of(state, GRACE_MS));
	return outlived;
}

static int kill_all(const struct cgroup *cgroup, long patience) {
	int watch_fd = cgroup_watch(cgroup);
	if (watch_fd < 0)
		return watch_fd;
	struct pollfd end = {.fd = watch_fd, .events = POLLPRI};
	long deadline = clock_ms() + patience, left = patience;
	int populated = cgroup_populated(watch_fd), err = 0;
	for (; !err && populated == 1 && (left = deadline - clock_ms()) > 0; populated = cgroup_populated(watch_fd)) {
		err = cgroup_kill(cgroup);
		poll(&end, 1, left < AGAIN_MS ? (int)left : AGAIN_MS);
	}
	close(watch_fd);
	return err ? err : populated == 1 ? -ETIMEDOUT : populated;
}

int supervise_kill(const struct cgroup *cgroup) {
	return kill_all(cgroup, KILL_MS);
}

int supervise(const struct supervised *supervised, struct outcome *outcome) {
	struct state state = {.supervised = supervised};
	*outcome = (struct outcome){0};
	wait_for_command(&state, outcome);
	int watch_fd = cgroup_watch(supervised->cgroup);
	if (watch_fd >= 0) {
		outcome->outlived = end_the_rest(&state, watch_fd);
		close(watch_fd);
	}
	int err = kill_all(supervised->cgroup, patience_of(&state, KILL_MS));
	for (long end = clock_ms() + LAST_MS; !state.deaf && deliver(&state) > 0 && clock_ms() < end;)
		;
	return err;
}
