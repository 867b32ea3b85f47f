/* SPDX-License-Identifier: BSD-2-Clause */
/* The cgroups that a command line names. */
#ifndef SNIF_TARGETS_H
#define SNIF_TARGETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgroup/cgroup_find.h"

struct target {
	struct found_cgroup cgroup;
	const char *unit; /* as it was named; NULL: it was named in another way */
	bool attached;	  /* by this command */
	/* as the attachment is noted: when it was attached for a trial, 0: for good; and, since 1970, until when */
	uint64_t trial;
	int64_t trial_until;
};

struct targets {
	struct target *items;
	size_t count;
};

/* The options --cgroup, --pid and --unit for a table of getopt_long(3). */
#define TARGET_OPTIONS                                                                                                 \
	{"cgroup", required_argument, NULL, 'c'}, {"pid", required_argument, NULL, 'p'}, {                             \
		"unit", required_argument, NULL, 'u'                                                                   \
	}

/* Takes one of these. Returns 0; 1: the option is another one; or a negative errno, after saying why. */
int targets_take(struct targets *targets, const char *subcommand, int option, const char *value);

void targets_free(struct targets *targets);

#endif
