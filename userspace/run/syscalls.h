/* SPDX-License-Identifier: BSD-2-Clause */
/* The system calls that would lead around the filter are refused. */
#ifndef SNIF_SYSCALLS_H
#define SNIF_SYSCALLS_H

#include <stdbool.h>

/*
 * Installs a seccomp filter for the calling process and all that it will start; it cannot be taken off. Everything
 * is let through except what syscalls.c lists, with an errno that programs know how to live with. Sets no_new_privs.
 * `scoped`: signals do not leave the command anyway (scope.h); otherwise those to a whole process group are refused.
 * The last step before exec: it refuses calls that earlier steps may need. Returns 0 or a negative errno.
 */
int confine_seccomp(bool scoped);

#endif
