/* SPDX-License-Identifier: BSD-2-Clause */
/* `snifence verify`: whether what is in the kernel is what the policies' files say, and what is open beside it. */
#ifndef SNIF_VERIFY_H
#define SNIF_VERIFY_H

/* The subcommand; argv[0] is "verify". Returns the exit code of the program. */
int verify_main(int argc, char **argv);

#endif
