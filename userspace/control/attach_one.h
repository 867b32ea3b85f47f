/* SPDX-License-Identifier: BSD-2-Clause */
/* A cgroup and a policy ──► an attachment of a resident instance, which is noted. */
#ifndef SNIF_ATTACH_ONE_H
#define SNIF_ATTACH_ONE_H

#include "control/keep.h"
#include "control/source.h"
#include "control/targets.h"
#include "filter/instance.h"

/*
 * Whether the cgroup is attached under this very policy, and it is not to be for a trial: a service that starts anew can
 * find the cgroup of its last start where something has held it. Programs that somebody has detached from it are attached
 * again, and where it was attached for a trial it stays. Returns 1, after saying so; 0; or a negative errno, after saying
 * why.
 */
int attached_before(struct instances *instances, const struct source *source, const struct target *target);

/*
 * Attaches the cgroup under the policy, in the first instance that is free for it, and puts the policy in force there if
 * it is not. Says so. Returns 0 or a negative errno, after saying why.
 */
int attach_one(struct instances *instances, const struct source *source, struct target *target,
	       const struct existing *existing);

#endif
