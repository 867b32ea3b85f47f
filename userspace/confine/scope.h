/* SPDX-License-Identifier: BSD-2-Clause */
/* A process ──► one that reaches no process outside of itself and what it starts. */
#ifndef SNIF_SCOPE_H
#define SNIF_SCOPE_H

/*
 * The version of Landlock's interface, whose scopes there are from SCOPE_ABI on. 0: the kernel has no Landlock, or was
 * told to leave it off. Or a negative errno.
 */
int scope_abi(void);

enum { SCOPE_ABI = 6 /* Linux 6.12 */ };

/*
 * Puts the calling process and all that it will start into a Landlock domain (landlock(7)). From inside, no process
 * outside can be traced, whichever way it is named; none gets a signal, also not as a member of a process group; and no
 * abstract UNIX socket that was made outside can be connected to. Files and mounts are left alone. It takes
 * no_new_privs. Returns 1, or 0 where the kernel has no such scopes, or a negative errno.
 */
int scope_enter(void);

#endif
