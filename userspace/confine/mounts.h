/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's mounts ──► those of a command: none that leads out can be written, /proc shows its own processes. */
#ifndef SNIF_MOUNTS_H
#define SNIF_MOUNTS_H

#include <stdbool.h>

/* Whether / is another one than that of the mount namespace, or nobody can tell: then there are mounts beyond it. */
bool mounts_in_chroot(void);

/*
 * Gives the calling process a mount namespace of its own, where no mount arrives from outside. In it cgroup and bpf
 * file systems are read-only; with `root` also what else can be written by uid 0 alone and tells the kernel which
 * programs to start outside, and `file` (NULL: none). Each /proc shows the processes of the caller's PID namespace
 * only; what was mounted below it is there still. Returns 0, or a negative errno: then the process has to end, as it
 * could leave the filter.
 */
int mounts_confine(bool root, const char *file);

#endif
