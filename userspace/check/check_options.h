/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of `snifence check`. */
#ifndef SNIF_CHECK_OPTIONS_H
#define SNIF_CHECK_OPTIONS_H

#include "analysis/question.h"

struct check_options {
	char *const *policies; /* at least one; NULL-terminated, of argv */
	bool json;
	struct question question;
};

/* Reads the command line. Returns 0; 1 when it printed the help; -EINVAL after saying what is wrong. `options` points
 * into argv. */
int check_options_parse(int argc, char **argv, struct check_options *options);

#endif
