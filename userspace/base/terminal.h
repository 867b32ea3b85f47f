/* SPDX-License-Identifier: BSD-2-Clause */
/* What the terminal that is written to can show. */
#ifndef SNIF_TERMINAL_H
#define SNIF_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

struct terminal {
	bool is_terminal;
	unsigned width; /* columns; 0: no limit */
	bool color;	/* a terminal, TERM is not `dumb`, and NO_COLOR is not set (no-color.org) */
	bool unicode;	/* the locale's encoding is UTF-8 */
};

/*
 * Looks at what `out` is. The width is COLUMNS, where that is set to a number, else the terminal's; without either
 * there is no limit. Needs setlocale(LC_CTYPE, "").
 */
struct terminal terminal_of(FILE *out);

#endif
