/* SPDX-License-Identifier: BSD-2-Clause */
/* `snifence check`: what a policy means, and what it says of one connection. */
#ifndef SNIF_CHECK_H
#define SNIF_CHECK_H

/* The subcommand; argv[0] is "check". Returns the exit code of the program: EXIT_ALLOWED (also when it only showed
 * the policy), EXIT_DENIED, EXIT_USAGE or EXIT_FAILED. */
int check_main(int argc, char **argv);

#endif
