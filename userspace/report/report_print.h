/* SPDX-License-Identifier: BSD-2-Clause */
/* The forms in which a review is printed. */
#ifndef SNIF_REPORT_PRINT_H
#define SNIF_REPORT_PRINT_H

#include <stdio.h>

#include "analysis/review.h"
#include "base/terminal.h"

/*
 * For a person: totals, what was lost, and between them either the `overview` (needs BY_NAME, BY_REASON and
 * review_near_misses()) or a table of the review's groups. It fits the terminal behind `out`. Returns 0 or -ENOMEM.
 */
int report_text(const struct review *review, bool overview, const struct terminal *terminal, FILE *out);

/*
 * For a program, one JSON object in one line: what the text has, but of the groups and near misses all. Returns 0,
 * -ENOMEM, or another negative errno when `out` cannot be written.
 */
int report_json(const struct review *review, bool overview, FILE *out);

/*
 * For a spreadsheet: the groups as CSV (RFC 4180) with a line of titles. A text that begins with = + - @ gets an
 * apostrophe before it, or a spreadsheet would take it for a formula. Returns 0 or -ENOMEM.
 */
int report_csv(const struct review *review, FILE *out);

/*
 * For a browser: a page that needs nothing else, with the overview and a table of names, at most 1,000 of them (needs
 * BY_NAME, BY_REASON, BY_PROCESS, BY_POLICY and review_near_misses()). `command` is what it says it was made with,
 * NULL-terminated. Returns 0 or -ENOMEM.
 */
int report_html(const struct review *review, char *const *command, FILE *out);

#endif
