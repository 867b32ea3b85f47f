/* SPDX-License-Identifier: BSD-2-Clause */
/* All that a report says of the events of a log, whatever it is printed as. */
#ifndef SNIF_REVIEW_H
#define SNIF_REVIEW_H

#include "analysis/groups.h"
#include "analysis/near_miss.h"
#include "analysis/reason_about.h"
#include "base/sha256.h"
#include "log/log_filter.h"
#include "log/log_reader.h"
#include "log/log_runs.h"

struct review_near_miss {
	const struct group *refused; /* whose key is the name */
	const struct allowed_name *allowed;
	enum near_miss kind;
};

struct review {
	/* set by the caller, before review_start() */
	struct log_filter filter;
	unsigned groupings; /* 1 << enum group_by, at least one */
	bool near_misses;   /* review_near_misses() will be asked for; needs BY_NAME */

	struct groups *by[GROUP_BYS]; /* NULL: not asked for */
	struct log_runs *runs;
	uint64_t events;	/* whatever the filter */
	uint64_t undecided;	/* events without a verdict */
	uint64_t expected;	/* refusals of which a deny rule says that they are no news: only counted */
	struct log_tally tally; /* of the files */

	/* The policy of the last event with a rule, or of the last line of counts, as the log has it, whatever the
	 * filter; "" */
	char rule_file[512], policy_sha256[SHA256_HEX];
	struct leaders policies, programs, hosts; /* as lines of counts say: under which files what ran where */
	bool policy_changed;			  /* it is another one than when the caller cleared this */
	struct other_name *other; /* names that the filter left out and that were allowed, GROUPS_MAX at most */
	size_t other_count;
	uint64_t other_beyond; /* events of more such names */
	/* Set by the caller: the policy is there to be compared with; it is not, as its file has another one. */
	bool policy_known, policy_differs;
	struct allowed_name *allowed;
	size_t allowed_count;
	struct review_near_miss *near;
	size_t near_count;
	size_t refused_names, uncompared; /* that were never allowed; those of them that were not looked at */
};

/* Makes room for the counts. Returns 0 or -ENOMEM; review_free() is due in either case. */
int review_start(struct review *review);

/* Takes a line of a log, and counts it where it is an event that is meant. Returns 0 or -ENOMEM. */
int review_add(struct review *review, const struct log_event *event);

/*
 * Finds the near misses among the refused names: against the names that the log says were allowed,
 * whatever the filter, and those of `policy` (NULL: none), which has to live as long. Siblings come last. Where there
 * are so many names that this would take seconds, the most refused ones are compared. Can be called again when more was
 * added. Returns 0 or -ENOMEM.
 */
int review_near_misses(struct review *review, const struct policy *policy);

/* The grouping that is there; of several, the first. */
const struct groups *review_groups(const struct review *review);

void review_free(struct review *review);

#endif
