/* SPDX-License-Identifier: BSD-2-Clause */
/* `snifence reload`: a policy's file as it is now ──► in force for all that is attached under it. */
#ifndef SNIF_RELOAD_H
#define SNIF_RELOAD_H

#include "control/source.h"
#include "filter/instance.h"

/* The subcommand; argv[0] is "reload". Returns the exit code of the program. */
int reload_main(int argc, char **argv);

/*
 * Puts the policy in force wherever its file is, by one store in each instance. Returns the number of instances, 0 where
 * it is in none; or a negative errno, after saying why.
 */
int reload_everywhere(struct instances *instances, const struct source *source);

#endif
