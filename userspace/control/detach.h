/* SPDX-License-Identifier: BSD-2-Clause */
/* `snifence detach`: cgroups leave their policy. */
#ifndef SNIF_DETACH_H
#define SNIF_DETACH_H

#include "control/targets.h"
#include "filter/instance.h"

/* The subcommand; argv[0] is its name. Returns the exit code of the program. */
int detach_main(int argc, char **argv);

/* Takes one cgroup out of its instance. Returns 0 or a negative errno, after saying why. */
int detach_cgroup(struct instances *instances, const struct found_cgroup *cgroup);

/* Detaches them; what was attached for a trial only as long as it still is. Returns 0 or EXIT_FAILED, after saying why. */
int detach_targets(const struct targets *targets);

#endif
