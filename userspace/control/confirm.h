/* SPDX-License-Identifier: BSD-2-Clause */
/* What was attached for a trial ──► stays, when it is confirmed in time, or is detached again. */
#ifndef SNIF_CONFIRM_H
#define SNIF_CONFIRM_H

#include "control/targets.h"

/* The subcommand `snifence confirm`; argv[0] is its name. Returns the exit code of the program. */
int confirm_main(int argc, char **argv);

/*
 * Leaves a process behind that detaches the targets after so many seconds, unless it is told by `snifence confirm`: also
 * where the shell that has attached them is cut off by that. Returns 0 or a negative errno, after saying why.
 */
int confirm_await(const struct targets *targets, unsigned seconds);

#endif
