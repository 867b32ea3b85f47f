/* SPDX-License-Identifier: BSD-2-Clause */
/* A command line ──► a confined process, in its cgroup from the first instruction. */
#ifndef SNIF_SPAWN_H
#define SNIF_SPAWN_H

#include "base/signals.h"
#include "cgroup/cgroup.h"
#include "confine/confine.h"
#include "confine/pid_namespace.h"

struct child {
	int pid;      /* as the caller sees it; for itself it is another one */
	int pidfd;    /* readable when the command has ended */
	int listener; /* to what seccomp refuses, by confinement.listener; -1: there is none */
	struct pid_namespace space;
	bool foreground; /* started by the process group that had the terminal */
};

/* fork() into the cgroup, by clone3(): the child has never been anywhere else. Returns the pid, 0 in the child, or a
 * negative errno. `pidfd` is the caller's to close. */
int spawn_fork_into(const struct cgroup *cgroup, int *pidfd);

/*
 * Starts `argv` (found by PATH, with the environment of the command's user) inside the cgroup and in a PID namespace of
 * its own, confined, with the signal state of before signals_take(). Returns 0 once it has been executed; then
 * spawn_end() has to follow. Otherwise says why and returns an exit code: EXIT_NOT_FOUND, EXIT_CANNOT_EXECUTE, or
 * EXIT_FAILED when snifence itself could not do its part; then there is no process left.
 */
int spawn(char *const argv[], const struct cgroup *cgroup, const struct confinement *confinement,
	  const struct signals *signals, struct child *child);

/* Releases what belongs to a command that has ended and has been waited for; what is left of its processes is killed. */
void spawn_end(struct child *child);

#endif
