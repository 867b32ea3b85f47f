/* SPDX-License-Identifier: BSD-2-Clause */
/* The frame of an HTML page that loads nothing and talks to nobody. */
#ifndef SNIF_PAGE_H
#define SNIF_PAGE_H

#include <stdio.h>

/* Writes all up to the begin of <body>, with report_page.css in it and a Content-Security-Policy that allows that style
 * sheet and page_end()'s script by their hashes, and nothing else. */
void page_begin(const char *title, FILE *out);

/* Writes the script, report_page.js, and the end. */
void page_end(FILE *out);

#endif
