/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of `snifence learn`. */
#ifndef SNIF_LEARN_OPTIONS_H
#define SNIF_LEARN_OPTIONS_H

#include "log/log_filter.h"

struct learn_options {
	struct log_filter filter;
	bool chosen;	    /* by an option, which events are meant */
	unsigned wildcards; /* names that make a wildcard; 0: never */
	const char *merge;  /* a policy's file; NULL: a policy of its own */
	const char *output; /* NULL: standard output */
	char *const *files; /* at least one; NULL-terminated */
};

/* Reads the command line. Returns 0; 1 when it printed the help; -EINVAL after saying what is wrong. `options` points
 * into argv. */
int learn_options_parse(int argc, char **argv, struct learn_options *options);

#endif
