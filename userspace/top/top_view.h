/* SPDX-License-Identifier: BSD-2-Clause */
/* What of the counts a person looks at, and the keys that change it. */
#ifndef SNIF_TOP_VIEW_H
#define SNIF_TOP_VIEW_H

#include <stdbool.h>
#include <stddef.h>

enum top_tab { TOP_NAMES, TOP_PROCESSES, TOP_EVENTS, TOP_LOOKUPS, TOP_TABS };

enum top_sort { TOP_BY_REFUSED, TOP_BY_ALLOWED, TOP_BY_LAST, TOP_BY_KEY, TOP_SORTS };

enum { TOP_FILTER_SIZE = 64, TOP_KEY_SIZE = 1024 };

/* All zero: the names, those with the most refusals first. */
struct top_view {
	enum top_tab tab;
	enum top_sort sort;
	size_t top;		      /* rows that are scrolled away above */
	size_t selected;	      /* row, of those that the filter lets through */
	char filter[TOP_FILTER_SIZE]; /* rows without this text are left out, whatever its case; printable ASCII */
	bool typing;		      /* the filter */
	bool help;		      /* the keys are shown in place of rows */
	bool details;		      /* what is known of `key` is */
	bool quit;
	/* as they were when it was drawn last */
	size_t rows; /* that the filter lets through */
	size_t page; /* that fit on the screen */
	/* Which row is selected, as rows move while a person looks at them. "": none, or not known before it is drawn. */
	char key[TOP_KEY_SIZE];
};

/* A key: the character, or one of these. */
enum top_key {
	TOP_KEY_NONE = 0,
	TOP_KEY_TAB = '\t',
	TOP_KEY_ENTER = '\n',
	TOP_KEY_ESCAPE = 27,
	TOP_KEY_UP = 256,
	TOP_KEY_DOWN,
	TOP_KEY_PAGE_UP,
	TOP_KEY_PAGE_DOWN,
	TOP_KEY_HOME,
	TOP_KEY_END,
	TOP_KEY_BACKSPACE,
	TOP_KEY_BACK_TAB,
	TOP_KEY_REDRAW, /* the screen has another size, or is to be drawn anew */
};

/* Does what the key is for; others do nothing. */
void top_view_key(struct top_view *view, int key);

/* Brings what is selected into the rows that there are, and into sight. Returns whether what is in sight has changed. */
bool top_view_settle(struct top_view *view);

/* Whether the text has the filter in it. */
bool top_view_match(const struct top_view *view, const char *text);

#endif
