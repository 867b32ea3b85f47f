/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Resident instances: programs and maps that stay in the kernel, pinned in a BPF file system of snifence's own below
 * /run/snifence. Each is a folder there, named for the object that it was loaded from, so that no snifence uses maps of
 * another layout. A folder of the same name beside it, on an ordinary file system, has what belongs to it: ledger.h.
 *
 * An instance judges at most one attachment on each way from the hierarchy's root to a cgroup; a cgroup above or below
 * one that is attached takes the next instance, so that both policies must allow, and no tag is of two minds.
 */
#ifndef SNIF_INSTANCE_H
#define SNIF_INSTANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "filter/filter.h"

#define INSTANCE_ROOT "/run/snifence"
#define INSTANCE_PINS INSTANCE_ROOT "/bpf" /* the BPF file system */
/* RUN_RINGS: made when an instance is loaded, besides the shared one */
enum { INSTANCES = 4, INSTANCE_NAME = 24, INSTANCE_RUN_RINGS = 8 };

/*
 * Makes INSTANCE_ROOT where it is missing: a small file system of its own, so that the commands that `run` confines see it
 * read-only, as root's, too. Returns 0 or a negative errno.
 */
int instances_make_root(void);

/* The folder of all instances, which nobody else changes as long as it is held; and those that were opened. */
struct instances {
	int root_fd; /* of the BPF file system */
	struct filter *opened[INSTANCES];
};

/*
 * Waits for whoever else holds the instances, and takes them. With `make` the file system is mounted where it is missing;
 * without it, -ENOENT without a word says that nothing is resident. What a killed snifence left half made is removed.
 * Returns 0 or a negative errno, after saying why.
 */
int instances_take(struct instances *instances, bool make);
/* As without `make`, for who must not be held up: -EBUSY, without a word, where somebody has them for so many
 * milliseconds. */
int instances_take_within(struct instances *instances, int patience);
/* The same only to look at them, without waiting for who holds them: what is being changed may be seen half changed. */
int instances_peek(struct instances *instances);
void instances_release(struct instances *instances); /* and closes what was opened */
/* Lets others have them; what was opened can be read from still, as after instances_peek(). */
void instances_let_go(const struct instances *instances);

/* The process that reads the shared rings; 0: there is none; or a negative errno. It holds the lock on INSTANCE_READER,
 * which has its number. */
#define INSTANCE_READER INSTANCE_ROOT "/monitor"
int instances_reader(void);

/* The name of an instance, like 3f2a90c1d4e5_0. Returns `name`. */
const char *instance_name(unsigned number, char name[INSTANCE_NAME]);

/* An instance that is resident, opened once. NULL with errno set: ENOENT when it is not; else after saying why. */
struct filter *instance_open(struct instances *instances, unsigned number);
/* Loads and pins an instance that is not resident. NULL after saying why. */
struct filter *instance_load(struct instances *instances, unsigned number);

/* Leaves an opened instance to the caller, who frees it. */
void instance_keep(struct instances *instances, unsigned number);

/*
 * Finds the instance for a cgroup that is attached to none: the first that no cgroup above or below is attached to, loaded
 * if necessary. Returns its number; or a negative errno, after saying why.
 */
int instance_for(struct instances *instances, int cgroup_fd);
/* The instance that a cgroup itself is attached to; -ENOENT, without a word, when it is to none. */
int instance_of(struct instances *instances, uint64_t cgroup_id);

/* Removes an instance's pins: it ends with its last attachment. Returns 0 or a negative errno, after saying why. */
int instance_unload(struct instances *instances, unsigned number);
/* Unmounts the file system and removes the folders, when there is nothing left in them. */
void instances_remove(struct instances *instances);

/* Removes the pins of one of another layout. */
void instance_remove_other(const struct instances *instances, const char *name);

/* Calls `each` with the names of what is pinned there and is not of this snifence's layout. Returns 0 or a negative errno,
 * after saying why. */
int instances_others(const struct instances *instances, void (*each)(void *context, const char *name), void *context);

#endif
