/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of `snifence inspect`. */
#ifndef SNIF_INSPECT_OPTIONS_H
#define SNIF_INSPECT_OPTIONS_H

#include <stdbool.h>

struct inspect_options {
	const char *policy; /* NULL: names are shown, and not judged */
	bool json;
	char **files; /* at least one; NULL-terminated */
};

/* Reads the command line. Returns 0; 1 when it printed the help; -EINVAL after saying what is wrong. `options` points
 * into argv. */
int inspect_options_parse(int argc, char **argv, struct inspect_options *options);

#endif
