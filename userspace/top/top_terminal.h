/* SPDX-License-Identifier: BSD-2-Clause */
/* The terminal while `snifence top` has it: whole screens out, keys in. */
#ifndef SNIF_TOP_TERMINAL_H
#define SNIF_TOP_TERMINAL_H

#include <stdbool.h>

struct top_terminal;

/*
 * Takes over the controlling terminal; needs setlocale(LC_CTYPE, ""). NULL after saying why on behalf of `command`,
 * with nothing changed: there is no terminal, or its type (TERM) is unknown or cannot place text.
 */
struct top_terminal *top_terminal_open(const char *command);

/* To be polled for POLLIN; it becomes readable when a key comes. */
int top_terminal_fd(const struct top_terminal *terminal);

void top_terminal_size(unsigned *width, unsigned *height);

/*
 * Shows lines of text, each ended by a newline; what does not fit is left out. With `anew` all of the screen is
 * written, whatever it is thought to show.
 */
void top_terminal_show(const struct top_terminal *terminal, const char *lines, bool anew);

/* The next key, as in enum top_key; TOP_KEY_NONE when there is none. */
int top_terminal_key(void);

/* Gives the terminal back as it was; NULL is allowed. */
void top_terminal_close(struct top_terminal *terminal);

#endif
