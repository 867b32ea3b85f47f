/* SPDX-License-Identifier: BSD-2-Clause */
/* A path, a process, a unit of systemd or an id ──► an existing cgroup. */
#ifndef SNIF_CGROUP_FIND_H
#define SNIF_CGROUP_FIND_H

#include <stdint.h>
#include <sys/types.h>

struct found_cgroup {
	int fd;	     /* its directory, O_CLOEXEC */
	uint64_t id; /* what bpf_get_current_cgroup_id() returns in it */
	char *path; /* below what cgroup_place_root() opens, like /system.slice/nginx.service. `/..`: it is elsewhere, as
		      * a container sees those of others */
};

/*
 * Each opens a cgroup, to be closed with cgroup_found_close(). Returns 0 or a negative errno, after saying why; then
 * there is nothing to close.
 *
 * A path is that of a directory in a cgroup2 file system, or one below the root of the hierarchy, as events have it.
 */
int cgroup_find_path(const char *path, struct found_cgroup *found);
/* Where the process is now. */
int cgroup_find_pid(pid_t pid, struct found_cgroup *found);
/* Where systemd has started the unit. `.service` is added where the name has no type. A process of the unit itself finds
 * it without asking systemd, which early at boot cannot be asked. */
int cgroup_find_unit(const char *unit, struct found_cgroup *found);
/* The unit's cgroup, where this process is in it or below; the caller frees it. NULL: it is elsewhere. */
char *cgroup_of_own_unit(const char *unit);

/* The same by its id, without saying why: -ESTALE when there is none any more. `root_fd` is of cgroup_place_root(). */
int cgroup_find_id(int root_fd, uint64_t id, struct found_cgroup *found);

void cgroup_found_close(struct found_cgroup *found);

#endif
