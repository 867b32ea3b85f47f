/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of the page that `snifence report --html` writes. */
#ifndef SNIF_REPORT_HTML_H
#define SNIF_REPORT_HTML_H

#include <stdio.h>

#include "analysis/groups.h"
#include "analysis/reason_about.h"

enum html_column {
	HTML_BLOCKED = 1 << 0,
	HTML_AUDITED = 1 << 1, /* what audit mode let through; there where there was any */
	HTML_ALLOWED = 1 << 2,
	HTML_REASONS = 1 << 3,
	HTML_NAMES = 1 << 4,
	HTML_PROCESSES = 1 << 5,
	HTML_MEANING = 1 << 6, /* of a reason */
	HTML_TIMES = 1 << 7,
};

struct html_groups {
	const struct groups *groups;
	const char *id; /* of the element with the heading */
	const char *heading;
	const char *caption;	 /* what a row is */
	unsigned columns;	 /* beside the key: enum html_column */
	enum reason_class class; /* of BY_REASON: rows of this class alone; REASON_UNKNOWN: all */
	bool only_refused;	 /* rows that have refusals */
	bool searched;		 /* the table that the script gives a search field, and no bars */
	size_t limit;		 /* rows; the others are added up in one more */
};

/* Writes a section with a heading and a table of the groups, or nothing when there are none. Returns 0 or -ENOMEM. */
int html_groups(const struct html_groups *shown, FILE *out);

/* Writes a section with the counts of all over time, refused and allowed, as charts (SVG) and as a table. */
void html_timeline(const struct groups *groups, FILE *out);

/* Writes a point in time, microseconds since 1970, as local time. */
void html_moment(FILE *out, int64_t time);

/* Writes a table's cell with a number, of this class unless it is 0. */
void html_count(FILE *out, const char *class, uint64_t count);

/* `12,345`. */
enum { HTML_NUMBER_SIZE = 32 };
const char *html_number(char out[HTML_NUMBER_SIZE], uint64_t number);

#endif
