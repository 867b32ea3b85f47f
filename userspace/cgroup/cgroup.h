/* SPDX-License-Identifier: BSD-2-Clause */
/* A fresh cgroup for one command: made, signalled, emptied and removed. */
#ifndef SNIF_CGROUP_H
#define SNIF_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

struct cgroup {
	int fd; /* its directory, with a lock that tells other snifences that it is in use. -1: there is none */
	int parent_fd;
	uint64_t id; /* what bpf_get_current_cgroup_id() returns in it */
	char *path;  /* below the root of the hierarchy (of the cgroup namespace), like /user.slice/snifence-1234 */
	const char *name; /* the last part of `path` */
};

/*
 * Makes a cgroup named snifence-PID in the cgroup of this process, or, where that belongs to a user other than root,
 * in the nearest one above that is root's: a command running as that user could otherwise walk out of it, since the
 * kernel asks for nothing but write access to the target and to the nearest common ancestor. Empty cgroups that a
 * killed snifence left there are removed on the way. Returns 0 or a negative errno, after saying why; then `cgroup`
 * holds nothing. Ends with cgroup_remove().
 */
int cgroup_create(struct cgroup *cgroup);

/* Whether a path is that of such a cgroup, by its name. */
bool cgroup_is_ours(const char *path);

/*
 * Removes the cgroup with the cgroups that the command made below it; it has to be empty of processes. Returns 0 or
 * a negative errno (-EBUSY: there are processes), after saying why. In both cases everything held is released.
 */
int cgroup_remove(struct cgroup *cgroup);

/* Sends `signal` to every process in the cgroup and below. Returns how many there are; signal 0 only counts them. */
int cgroup_signal(const struct cgroup *cgroup, int signal);

/* Kills all of them at once, also those being forked meanwhile. Where the kernel has no cgroup.kill they are frozen and
 * killed one by one: one that was just being forked is missed, and dies when this is called again. Returns 0 or a
 * negative errno. */
int cgroup_kill(const struct cgroup *cgroup);

/* Moves a process into it. Returns 0 or a negative errno. */
int cgroup_adopt(const struct cgroup *cgroup, int pid);

/* Opens what tells of the last process's end: poll it for POLLPRI, then ask cgroup_populated() with it. Returns a
 * descriptor or a negative errno. */
int cgroup_watch(const struct cgroup *cgroup);

/* Whether there are processes in it or below: 1, 0, or a negative errno. Zombies don't count. */
int cgroup_populated(int watch_fd);

#endif
