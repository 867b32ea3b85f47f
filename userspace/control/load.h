/* SPDX-License-Identifier: BSD-2-Clause */
/* `snifence load` and `snifence unload`: the filter comes into the kernel before it is needed, and leaves it. */
#ifndef SNIF_LOAD_H
#define SNIF_LOAD_H

/* The subcommands; argv[0] is their name. Each returns the exit code of the program. */
int load_main(int argc, char **argv);
int unload_main(int argc, char **argv);

#endif
