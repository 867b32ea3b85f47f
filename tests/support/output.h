/* SPDX-License-Identifier: BSD-2-Clause */
/* What a subcommand prints, run in the test's own process. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stddef.h>

/*
 * Calls `subcommand` with `words`, which begin with its name and end with NULL, while standard output and standard
 * error are files. Writes what they hold then to `out` and `err`: texts, cut to their sizes in bytes. Returns what the
 * subcommand returned; fails the test when there is no room for a file.
 */
int output_of(int (*subcommand)(int argc, char **argv), const char *const words[], char *out, size_t out_size,
	      char *err, size_t err_size);

/* For a child that was forked before output_of(): waits until the subcommand has printed something, at most ten seconds. */
void output_wait(void);

#endif
