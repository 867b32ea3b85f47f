/* SPDX-License-Identifier: BSD-2-Clause */
/* A text in lines that fit a terminal. */
#ifndef SNIF_PARAGRAPH_H
#define SNIF_PARAGRAPH_H

#include <stdio.h>

enum { PARAGRAPH_INDENT = 2 };

/*
 * Prints a text behind its title ("": none), both indented, in as many lines of `width` columns as it takes (0: in one),
 * which end between words where there are any, and are indented by PARAGRAPH_INDENT more from the second on. A byte is
 * taken for a column.
 */
void paragraph_print(FILE *out, unsigned width, unsigned indent, const char *title, const char *text);

#endif
