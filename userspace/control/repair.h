/* SPDX-License-Identifier: BSD-2-Clause */
/* Whatever a command that was ended has left half done ──► done or undone. */
#ifndef SNIF_REPAIR_H
#define SNIF_REPAIR_H

#include "filter/ledger.h"

/*
 * To be called by each command that changes something, before it does: finishes attachments that were begun, or were to
 * be undone, and says so; ends policies that nothing is attached under, and forgets what has no counterpart in the kernel.
 * Returns 0 or a negative errno, after saying why.
 */
int repair(struct instances *instances);

/*
 * Whether what the ledger has of an attachment is of a cgroup that is gone, in whose place another one is that is not
 * attached, although it was meant. `root_fd` is of cgroup_place_root().
 */
bool left_behind(const struct filter *filter, int root_fd, const struct ledger_attachment *entry);

#endif
