/* SPDX-License-Identifier: BSD-2-Clause */
/* `snifence status`: what is resident, in text or as JSON. */
#ifndef SNIF_STATUS_H
#define SNIF_STATUS_H

/* The subcommand; argv[0] is "status". Returns the exit code of the program. */
int status_main(int argc, char **argv);

#endif
