/* SPDX-License-Identifier: BSD-2-Clause */
/* The cgroup2 hierarchy, wherever it is mounted ──► the directory of this process's own cgroup. */
#ifndef SNIF_CGROUP_PLACE_H
#define SNIF_CGROUP_PLACE_H

#include <stdio.h>
#include <sys/types.h>

/* The id of the uppermost cgroup of the machine; what a container sees as its uppermost has another. */
enum { CGROUP_ROOT_ID = 1 };

struct cgroup_place {
	int fd;	    /* the directory, O_CLOEXEC; the caller closes it */
	char *path; /* below the hierarchy's root, like /user.slice; "/" is the root. The caller frees it */
};

/* The path of a process's cgroup (0: of this one), by the `0::` line of /proc/PID/cgroup; the caller frees it. NULL
 * with errno set: ENODATA when there is no such line. */
char *cgroup_place_path(pid_t pid);

/* The same as it is below what cgroup_place_root() opens, in whichever cgroup namespace this process is. */
char *cgroup_place_whole_path(pid_t pid);

/* Whether the process is in the cgroup whose directory is `fd`. A mount can show another part of the hierarchy than a
 * path is relative to (cgroup namespaces, bind mounts). 0; -ESRCH: it is not; or another negative errno: nobody can
 * tell. */
int cgroup_place_check(int fd, pid_t wanted);

/* Opens the hierarchy's root, where necessary by a private mount: the machine's, or where this process is in a container
 * and sees nothing of the machine, that of its cgroup namespace. Returns a descriptor or a negative errno, after saying
 * why. */
int cgroup_place_root(void);

/*
 * Opens the directory of this process's own cgroup. Where no cgroup2 mount can be reached (`ip netns exec` hides it),
 * a private mount is made, which nobody else sees and which ends with its descriptor. Returns 0 or a negative errno,
 * after saying why.
 */
int cgroup_place_own(struct cgroup_place *place);

/* Goes up to the nearest cgroup, this one included, that only root can move processes into. Returns 0 or a negative
 * errno; -EPERM when there is none up to the root. */
int cgroup_place_rise(struct cgroup_place *place);

/* Opens a file of the cgroup whose directory is `fd`, for reading. NULL with errno set. */
FILE *cgroup_open(int fd, const char *file);

#endif
