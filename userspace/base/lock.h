/* SPDX-License-Identifier: BSD-2-Clause */
/* A lock that others hold for a moment only. */
#ifndef SNIF_LOCK_H
#define SNIF_LOCK_H

/* Takes the exclusive flock() of a file. Waits so many milliseconds at most; -1: as long as it takes. Returns 0 or a
 * negative errno; -EBUSY: that was too short. */
int lock_within(int fd, int patience);

#endif
