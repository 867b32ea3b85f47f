/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy that is not in force yet ──► the open connections that it would end. */
#ifndef SNIF_REVOKED_H
#define SNIF_REVOKED_H

#include "control/carried.h"

/*
 * Looks at the sockets of all processes that are attached under a policy, and prints those connections, of UDP those of
 * connected sockets, that the policy in force allows and `next` would not, which will have found what is `carried`
 * over. `root_fd` is of cgroup_place_root(). Returns how many they are, or a negative errno.
 */
int revoked_print(const struct filter *filter, uint32_t policy, const struct compiled *next,
		  const struct carried *carried, int root_fd);

#endif
