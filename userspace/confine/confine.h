/* SPDX-License-Identifier: BSD-2-Clause */
/* What happens to a process between clone and exec, so that it cannot walk out of the filter. */
#ifndef SNIF_CONFINE_H
#define SNIF_CONFINE_H

#include "confine/identity.h"
#include "confine/inherited.h"
#include "confine/syscalls.h"

struct confinement {
	struct identity identity;
	char *const *variables;		   /* NAME=VALUE, set for the command alone; ends with NULL; NULL: none */
	const char *read_only;		   /* a file that the command cannot write to; NULL: none */
	const struct inherited *inherited; /* what stays open; NULL: nothing */
	int *listener;			   /* gets that of syscalls_refuse(); NULL: nobody listens */
	bool own_lookups;		   /* the command looks names up itself: name_service_own() */
	bool keep_chroot;		   /* CAP_SYS_CHROOT; by confine_prepare() */
	bool keep_caps;			   /* --keep-caps */
	bool no_seccomp;		   /* --no-seccomp */
	struct syscalls syscalls;	   /* by confine_prepare() */
};

/* Where confining can fail, in its order. */
enum confine_step {
	CONFINE_FILES,
	CONFINE_MOUNTS,
	CONFINE_LOOKUPS,
	CONFINE_PRIVILEGES,
	CONFINE_PROCESSES,
	CONFINE_BOUNDING,
	CONFINE_IDENTITY,
	CONFINE_CAPABILITIES,
	CONFINE_SYSTEM_CALLS,
	CONFINE_STEPS,
};

/* The step in words that follow "cannot", like `drop capabilities`. Static text. */
const char *confine_step_text(enum confine_step step);

/* Makes what is not to be made in the process that becomes the command, in the one that starts it: the filter of its
 * system calls, unless `no_seccomp`. Returns 0 or a negative errno; without it confine() fails. */
int confine_prepare(struct confinement *confinement);

/*
 * Confines the calling process, for good; it needs root. Afterwards: every descriptor but 0, 1, 2 and what `inherited`
 * has closes at exec (a socket from outside belongs to no confined cgroup); in a mount namespace of its own, what leads
 * out of the filter is read-only, like cgroup and bpf file systems, and /proc shows the processes of its PID namespace;
 * no_new_privs is set; processes outside are out of reach, where Landlock has scopes; only the capabilities that
 * confine.c lists are left, none for a user other than root; the identity is taken; seccomp refuses what syscalls.c
 * lists. Returns 0, or a negative errno with the failed step in `step`: then the process has to end, not to run
 * anything.
 */
int confine(const struct confinement *confinement, enum confine_step *step);

#endif
