/* SPDX-License-Identifier: BSD-2-Clause */
/* All that a report says of the events of a log, whatever it is printed as. */
#ifndef SNIF_REVIEW_H
#define SNIF_REVIEW_H

#include "log/log_filter.h"
#include "log/log_reader.h"
#include "log/log_runs.h"
#include "report/groups.h"
#include "report/near_miss.h"
#include "report/reason_class.h"

struct review_near_miss {
	const struct group *refused; /* whose key is the name */
	const struct allowed_name *allowed;
	enum near_miss kind;
};

struct review {
	/* set by the caller, before review_start() */
	struct log_filter filter;
	unsigned groupings; /* 1 << enum group_by, at least one */

	struct groups *by[GROUP_BYS]; /* NULL: not asked for */
	struct log_runs *runs;	      /* of all lines, whatever the filter */
	uint64_t undecided;	      /* events without a verdict */
	struct log_tally tally;	      /* of the files */

	char rule_file[512]; /* the policy of the last allowed name, as the log has it; "" */
	struct allowed_name *allowed;
	size_t allowed_count;
	struct review_near_miss *near;
	size_t near_count;
};

/* Makes room for the counts. Returns 0 or -ENOMEM; review_free() is due in either case. */
int review_start(struct review *review);

/* Counts an event. Returns 0 or -ENOMEM. */
int review_add(struct review *review, const struct log_event *event);

/*
 * Finds the near misses among the 200 most frequent refused names, which needs BY_NAME: against the names that the log
 * says were allowed and those of `policy` (NULL: none), which has to live as long. Can be called again when more was
 * added. Returns 0 or -ENOMEM.
 */
int review_near_misses(struct review *review, const struct policy *policy);

/* The grouping that is there; of several, the first. */
const struct groups *review_groups(const struct review *review);

void review_free(struct review *review);

#endif
