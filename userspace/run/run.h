/* SPDX-License-Identifier: BSD-2-Clause */
/* `snifence run`: a command under a policy, from the command line to the exit status. */
#ifndef SNIF_RUN_H
#define SNIF_RUN_H

/* The subcommand; argv[0] is "run". Returns the exit code of the program. */
int run_main(int argc, char **argv);

#endif
