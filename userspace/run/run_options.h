/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of `snifence run`. */
#ifndef SNIF_RUN_OPTIONS_H
#define SNIF_RUN_OPTIONS_H

#include <stdbool.h>

struct run_options {
	const char *user, *log; /* NULL: not given */
	bool log_allowed, top, quiet, keep_caps, no_seccomp;
	const char *policy;
	char **command; /* ends with NULL */
};

/* Reads the command line; everything points into argv. Returns 0 to go on; 1 when --help was asked for and given; or
 * -EINVAL after saying what is wrong. */
int run_options_parse(int argc, char **argv, struct run_options *options);

#endif
