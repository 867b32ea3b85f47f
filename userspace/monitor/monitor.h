/* SPDX-License-Identifier: BSD-2-Clause */
/* `snifence monitor`: the one long-running process beside the filter; nothing that is enforced needs it. */
#ifndef SNIF_MONITOR_H
#define SNIF_MONITOR_H

/* The subcommand; argv[0] is "monitor". Returns the exit code of the program. */
int monitor_main(int argc, char **argv);

#endif
