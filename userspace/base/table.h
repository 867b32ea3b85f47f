/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of text, aligned, and made to fit a width. */
#ifndef SNIF_TABLE_H
#define SNIF_TABLE_H

#include <stddef.h>

#include "base/terminal.h"

struct table_column {
	const char *title;
	bool right;	  /* aligned; else left */
	bool keep_end;	  /* what is cut off is the beginning: a name's end says whose it is */
	unsigned minimum; /* columns that it can be cut down to, where there is no room; 0: is not cut */
	unsigned wanted;  /* columns that it keeps as long as there is another column to be left out that is not cut */
	unsigned drop;	  /* left out when cutting does not do, the highest first; 0: never */
};

struct table;

struct table *table_new(const struct table_column *columns, size_t count); /* borrowed; NULL: out of memory */

/* Adds a cell, row by row; printable, one column wide each character. Copies it. Returns 0 or -ENOMEM. */
int table_add(struct table *table, const char *cell);

/* Prints a line of titles and the rows, each with `indent` spaces before it. */
void table_print(const struct table *table, FILE *out, const struct terminal *terminal, unsigned indent);

void table_free(struct table *table);

#endif
