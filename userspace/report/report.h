/* SPDX-License-Identifier: BSD-2-Clause */
/* `snifence report`: what was refused, why, for whom, and what to do about it. */
#ifndef SNIF_REPORT_H
#define SNIF_REPORT_H

/*
 * The subcommand; argv[0] is "report". Returns the exit code of the program: 0, EXIT_UNREAD, EXIT_USAGE or EXIT_FAILED.
 */
int report_main(int argc, char **argv);

#endif
