/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An instance that another build of snifence has loaded, whose layout nobody here knows: its programs, by what is pinned;
 * the cgroups that have a value of it; and, by the types that the kernel has of its map, what its tags say.
 */
#ifndef SNIF_OTHER_H
#define SNIF_OTHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct other;

/* Opens it by its name, as instances_others() has it. NULL after saying why. */
struct other *other_open(const char *name);
void other_close(struct other *other); /* NULL is allowed */

/* Whether it has allowed what a socket does, which this process holds. False where that cannot be told. */
bool other_allows(const struct other *other, int socket);

/* Whether any of its programs is attached to the cgroup: 1, 0 or a negative errno. */
int other_is_attached(const struct other *other, int cgroup_fd);

/* Detaches all of its programs from the cgroup. Returns 0 or a negative errno. */
int other_detach(const struct other *other, int cgroup_fd);

/* The cgroups that it is attached to, or was: as filter_attached(). */
int other_attached(const struct other *other, uint64_t **ids, size_t *count);

#endif
