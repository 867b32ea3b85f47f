/* SPDX-License-Identifier: BSD-2-Clause */
/* A cgroup ──► each cgroup in its tree, however deep that is. */
#ifndef SNIF_CGROUP_TREE_H
#define SNIF_CGROUP_TREE_H

/*
 * What is called for each cgroup, those below it first: `fd` is its directory, `name` in `parent_fd`. A result that is
 * not 0 is that of the walk, unless a later one replaces it.
 */
typedef int (*cgroup_visitor)(int parent_fd, const char *name, int fd, void *context);

/*
 * Walks the tree of the cgroup `name` in `parent_fd`. It holds two descriptors at a time, so that no depth is too much.
 * Returns what the last visitor with something to say returned, or a negative errno when there is no such cgroup or
 * memory runs out.
 */
int cgroup_tree_walk(int parent_fd, const char *name, cgroup_visitor visit, void *context);

#endif
