/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc/self/mounts ──► its entries. */
#ifndef SNIF_MOUNT_LIST_H
#define SNIF_MOUNT_LIST_H

#include <stddef.h>

struct mount_entry {
	const char *directory, *type, *options; /* as in fstab(5), without escapes */
};

struct mount_list {
	struct mount_entry *entries;
	size_t count;
	char *text; /* what they point into */
};

/*
 * Reads the whole list, so that mounts may be made while it is gone through. Unlike getmntent(), it cuts no line and
 * tells a list that could not be read to its end from one that is over. Returns 0, or a negative errno; then there is
 * nothing to free.
 */
int mount_list_read(struct mount_list *list);

void mount_list_free(struct mount_list *list);

#endif
