/* SPDX-License-Identifier: BSD-2-Clause */
/* `snifence learn`: from what programs did to a policy that allows it. */
#ifndef SNIF_LEARN_H
#define SNIF_LEARN_H

/* The subcommand; argv[0] is "learn". Returns the exit code of the program: 0, EXIT_UNREAD, EXIT_BY_HAND, EXIT_USAGE or
 * EXIT_FAILED. */
int learn_main(int argc, char **argv);

#endif
