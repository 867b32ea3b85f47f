/* SPDX-License-Identifier: BSD-2-Clause */
/* `snifence attach`: running cgroups come under a policy. */
#ifndef SNIF_ATTACH_H
#define SNIF_ATTACH_H

#include "control/targets.h"

/* The subcommand; argv[0] is its name. Returns the exit code of the program. */
int attach_main(int argc, char **argv);

/* Puts them under the policy in a file, as `snifence attach` does. Returns its exit code. */
int attach_targets(const struct targets *targets, const char *policy);

#endif
