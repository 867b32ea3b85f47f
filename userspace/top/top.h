/* SPDX-License-Identifier: BSD-2-Clause */
/* The subcommand `top`. */
#ifndef SNIF_TOP_H
#define SNIF_TOP_H

/* Returns the exit code, as `snifence top --help` lists them. */
int top_main(int argc, char **argv);

#endif
