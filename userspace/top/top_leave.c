/* SPDX-License-Identifier: BSD-2-Clause */
/* The type of a terminal ──► the bytes that bring back what it showed before a view. */
#include "top/top_leave.h"

#include <stddef.h>

#include <curses.h>
#include <term.h>

#include "base/library.h"

#define FUNCTIONS(X) X(setupterm) X(tigetstr) X(tputs)

LIBRARY(curses, "to leave a view", FUNCTIONS, "libncursesw.so.6");

static FILE *left_to; /* which tputs() does not hand to what it calls */

static int put_byte(int byte) {
	return fputc(byte, left_to);
}

void top_leave(int fd, FILE *out) {
	/* colours, attributes, the keypad's keys, the other screen, the cursor */
	static const char *const names[] = {"op", "sgr0", "rmkx", "rmcup", "cnorm"};
	int status;

	if (library_open(&curses_library) || curses.setupterm(NULL, fd, &status) != OK)
		return;
	left_to = out;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *text = curses.tigetstr(names[i]);

		if (text && text != (char *)-1)
			curses.tputs(text, 1, put_byte);
	}
	fflush(out);
}
