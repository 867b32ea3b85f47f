/* SPDX-License-Identifier: BSD-2-Clause */
/* `snifence inspect`: the server names in captured traffic, and what a policy would have said of them. */
#ifndef SNIF_INSPECT_H
#define SNIF_INSPECT_H

/* Exit code of inspect: a file could not be read, or not to its end; what could be read was shown. */
enum { EXIT_UNREAD = 1 };

/* The subcommand; argv[0] is "inspect". Returns the exit code of the program: 0, EXIT_UNREAD, EXIT_USAGE or
 * EXIT_FAILED. */
int inspect_main(int argc, char **argv);

#endif
