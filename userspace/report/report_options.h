/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of `snifence report`. */
#ifndef SNIF_REPORT_OPTIONS_H
#define SNIF_REPORT_OPTIONS_H

#include <stdbool.h>

#include "analysis/groups.h"
#include "log/log_filter.h"

enum report_form { REPORT_TEXT, REPORT_JSON, REPORT_CSV, REPORT_HTML };

struct report_options {
	struct log_filter filter;
	enum report_form form;
	enum group_by by; /* GROUP_BYS: the overview */
	const char *page; /* REPORT_HTML: the file to be written */
	bool follow;
	const char *policy_file; /* NULL: the one that the log names, where it can be read */
	char *const *files;	 /* at least one; NULL-terminated */
};

/* Reads the command line. Returns 0; 1 when it printed the help; -EINVAL after saying what is wrong. `options` points
 * into argv. */
int report_options_parse(int argc, char **argv, struct report_options *options);

#endif
