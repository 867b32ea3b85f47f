/* SPDX-License-Identifier: BSD-2-Clause */
/* The screen of `snifence top` as lines of text. */
#ifndef SNIF_TOP_SCREEN_H
#define SNIF_TOP_SCREEN_H

#include "top/top_model.h"
#include "top/top_view.h"

enum top_line {
	TOP_LINE_COUNTS, /* and rates */
	TOP_LINE_PERIOD, /* and what was lost */
	TOP_LINE_TABS,	 /* and whose events these are */
	TOP_LINE_TITLES,
	TOP_LINE_ROWS,
};

/* What is shown, and where. */
struct top_screen {
	struct top_model *model;
	struct top_view *view; /* rows, page and top are brought up to date */
	const char *file;      /* as of struct top */
	struct log_tally tally;
	int64_t now; /* microseconds since 1970 */
	unsigned width, height;
	bool unicode;
};

/*
 * Returns `height` lines, but 6 at least, each ended by a newline, none wider than `width` where that is 40 or more:
 * the lines of enum top_line, rows, blank lines, and one about rows and keys. Printable; in UTF-8 if `unicode`, else
 * ASCII. To be freed with free(); NULL: out of memory.
 */
char *top_screen_draw(const struct top_screen *screen);

#endif
