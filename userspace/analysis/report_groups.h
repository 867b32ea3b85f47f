/* SPDX-License-Identifier: BSD-2-Clause */
/* Groups of events as a table for a terminal, and the ways of writing that the rest of the text shares. */
#ifndef SNIF_REPORT_GROUPS_H
#define SNIF_REPORT_GROUPS_H

#include <stdio.h>

#include "analysis/groups.h"
#include "base/terminal.h"

/* Which groups are shown, and how. */
struct report_groups {
	const struct groups *groups;
	const char *heading; /* NULL: none */
	bool with_allowed;   /* a column for what was let through, where there was any */
	bool (*chosen)(const struct group *group, const void *context);
	const void *context;
	size_t skip, limit; /* rows passed over; rows shown; of the others it says how many there are */
	/* For qsort(3), of const struct group *; NULL: as groups_sorted() */
	int (*order)(const void *left, const void *right);
	size_t *found; /* where not NULL, how many were chosen goes here, in place of the line that says how many more */
	size_t pick;   /* the row whose group goes into `picked`, where that is not NULL; there may be none */
	const struct group **picked;
};

/* Prints the chosen groups with what is known of them: nothing when there are none. Returns 0 or -ENOMEM. */
int report_groups_print(const struct report_groups *shown, const struct terminal *terminal, FILE *out);

void report_heading(const char *text, const struct terminal *terminal, FILE *out);

/* Writes microseconds since 1970 as local time, in a format of strftime(3). */
void report_moment(char *out, size_t size, int64_t time, const char *format);
/* Whether all of it was on one day of local time. */
bool report_within_a_day(const struct groups *groups);

#endif
