/* SPDX-License-Identifier: BSD-2-Clause */
/* `snifence inspect`: the server names in captured traffic, and what a policy would have said of them. */
#ifndef SNIF_INSPECT_H
#define SNIF_INSPECT_H

/* The subcommand; argv[0] is "inspect". Returns the exit code of the program: 0, EXIT_UNREAD, EXIT_USAGE or
 * EXIT_FAILED. */
int inspect_main(int argc, char **argv);

#endif
