/* SPDX-License-Identifier: BSD-2-Clause */
/* `snifence attach` and `snifence detach`: running cgroups come under a policy, and leave it. */
#ifndef SNIF_ATTACH_H
#define SNIF_ATTACH_H

#include "control/targets.h"

/* The subcommands; argv[0] is their name. Each returns the exit code of the program. */
int attach_main(int argc, char **argv);
int detach_main(int argc, char **argv);

/* Puts them under the policy in a file, as `snifence attach` does. Returns its exit code. */
int attach_targets(const struct targets *targets, const char *policy);

/* Detaches them. Returns 0 or EXIT_FAILED, after saying why. */
int detach_targets(const struct targets *targets);

#endif
