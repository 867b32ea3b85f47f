/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of `snifence run`. */
#ifndef SNIF_RUN_OPTIONS_H
#define SNIF_RUN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

struct run_options {
	const char *user, *log; /* NULL: not given */
	bool log_allowed, top, quiet, keep_caps, no_seccomp, fail_if_blocked;
	const char *notify, *summary_file; /* NULL: not given */
	const char *policy;		   /* NULL: there is only what `allowed` has */
	const char **allowed;		   /* --allow; owned */
	size_t allowed_count;
	const char **variables; /* --env: NAME or NAME=VALUE; owned */
	size_t variable_count;
	char **command; /* ends with NULL */
};

/* Reads the command line; everything points into argv. Returns 0 to go on; 1 when --help was asked for and given; or
 * -EINVAL after saying what is wrong. */
int run_options_parse(int argc, char **argv, struct run_options *options);

void run_options_free(struct run_options *options);

#endif
