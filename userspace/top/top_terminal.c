/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of text ──► ncurses ──► a terminal ──► keys. */
#include "top/top_terminal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curses.h>

#include "base/library.h"
#include "base/message.h"
#include "base/terminal.h"
#include "top/top_screen.h"

/* functions and variables */
#define FUNCTIONS(X)                                                                                                   \
	X(cbreak)                                                                                                      \
	X(clearok)                                                                                                     \
	X(curs_set)                                                                                                    \
	X(delscreen)                                                                                                   \
	X(endwin)                                                                                                      \
	X(has_colors)                                                                                                  \
	X(init_pair)                                                                                                   \
	X(keypad)                                                                                                      \
	X(newterm)                                                                                                     \
	X(nodelay)                                                                                                     \
	X(noecho)                                                                                                      \
	X(set_escdelay)                                                                                                \
	X(start_color)                                                                                                 \
	X(tigetstr)                                                                                                    \
	X(use_default_colors)                                                                                          \
	X(waddnstr)                                                                                                    \
	X(wattrset)                                                                                                    \
	X(werase)                                                                                                      \
	X(wgetch)                                                                                                      \
	X(wmove)                                                                                                       \
	X(wrefresh)                                                                                                    \
	X(COLS)                                                                                                        \
	X(LINES)                                                                                                       \
	X(curscr)                                                                                                      \
	X(stdscr)

LIBRARY(curses, "to show a view", FUNCTIONS, "libncursesw.so.6");

enum { ESCAPE_MS = 25 /* between the bytes of one key */, ALARM = 1 /* the pair of colours */ };

struct top_terminal {
	FILE *tty;
	SCREEN *screen;
	bool color;
};

static const struct {
	int symbol, key;
} keys[] = {
	{KEY_UP, TOP_KEY_UP},
	{KEY_DOWN, TOP_KEY_DOWN},
	{KEY_PPAGE, TOP_KEY_PAGE_UP},
	{KEY_NPAGE, TOP_KEY_PAGE_DOWN},
	{KEY_HOME, TOP_KEY_HOME},
	{KEY_END, TOP_KEY_END},
	{KEY_BACKSPACE, TOP_KEY_BACKSPACE},
	{127, TOP_KEY_BACKSPACE},
	{'\b', TOP_KEY_BACKSPACE},
	{KEY_BTAB, TOP_KEY_BACK_TAB},
	{KEY_ENTER, TOP_KEY_ENTER},
	{'\r', TOP_KEY_ENTER},
	{KEY_RESIZE, TOP_KEY_REDRAW},
	{'L' & 31 /* Ctrl-L */, TOP_KEY_REDRAW},
};

static void set_up(struct top_terminal *terminal) {
	terminal->color = terminal_of(terminal->tty).color && curses.has_colors();
	curses.cbreak();
	curses.noecho();
	curses.keypad(*curses.stdscr, TRUE);
	curses.nodelay(*curses.stdscr, TRUE);
	curses.set_escdelay(ESCAPE_MS);
	curses.curs_set(0);
	if (!terminal->color)
		return;
	curses.start_color();
	curses.use_default_colors();
	curses.init_pair(ALARM, COLOR_RED, -1);
}

/* newterm() has not written anything yet, but has changed the terminal's modes. */
static bool can_place_text(SCREEN *screen, const char *type, const char *command) {
	const char *place = curses.tigetstr("cup");

	if (place && place != (char *)-1)
		return true;
	curses.endwin();
	curses.delscreen(screen);
	message_error("%s: a terminal of the type %s cannot place text; set TERM, or use `snifence report --follow`",
		      command, type);
	return false;
}

static SCREEN *open_screen(FILE *tty, const char *command) {
	const char *type = getenv("TERM");
	SCREEN *screen;

	if (!tty) {
		message_error("%s: there is no terminal to show it on; `snifence report --follow` needs none", command);
		return NULL;
	}
	screen = curses.newterm(NULL, tty, tty);
	if (!screen)
		message_error("%s: the terminal's type %s is not known here; set TERM", command,
			      type ? type : "(TERM is not set)");
	return screen && can_place_text(screen, type, command) ? screen : NULL;
}

struct top_terminal *top_terminal_open(const char *command) {
	struct top_terminal *terminal;

	if (library_open(&curses_library))
		return NULL;
	terminal = calloc(1, sizeof(*terminal));
	if (!terminal) {
		message_error("%s: %s", command, strerror(ENOMEM));
		return NULL;
	}
	terminal->tty = fopen("/dev/tty", "r+e");
	terminal->screen = open_screen(terminal->tty, command);
	if (terminal->screen) {
		set_up(terminal);
		return terminal;
	}
	if (terminal->tty)
		fclose(terminal->tty);
	free(terminal);
	return NULL;
}

int top_terminal_fd(const struct top_terminal *terminal) {
	return fileno(terminal->tty);
}

void top_terminal_size(unsigned *width, unsigned *height) {
	*width = (unsigned)*curses.COLS;
	*height = (unsigned)*curses.LINES;
}

static attr_t style_of(const struct top_terminal *terminal, int line, const char *text) {
	bool refusals = line == TOP_LINE_COUNTS && strncmp(text, "0 ", 2) != 0;

	if (refusals && terminal->color)
		return A_BOLD | (attr_t)COLOR_PAIR(ALARM);
	return line == TOP_LINE_COUNTS || line == TOP_LINE_TITLES ? A_BOLD : A_NORMAL;
}

void top_terminal_show(const struct top_terminal *terminal, const char *lines, bool anew) {
	const char *end;

	curses.werase(*curses.stdscr);
	for (int line = 0; line < *curses.LINES && (end = strchr(lines, '\n')); line++) {
		curses.wattrset(*curses.stdscr, (int)style_of(terminal, line, lines));
		curses.wmove(*curses.stdscr, line, 0);
		curses.waddnstr(*curses.stdscr, lines, (int)(end - lines));
		lines = end + 1;
	}
	if (anew)
		curses.clearok(*curses.curscr, TRUE);
	curses.wrefresh(*curses.stdscr);
}

int top_terminal_key(void) {
	int key = curses.wgetch(*curses.stdscr);

	if (key == ERR)
		return TOP_KEY_NONE;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].symbol == key)
			return keys[i].key;
	/* other function keys have numbers from 256 on, as enum top_key */
	return key < TOP_KEY_UP ? key : TOP_KEY_NONE;
}

void top_terminal_close(struct top_terminal *terminal) {
	if (!terminal)
		return;
	curses.endwin();
	curses.delscreen(terminal->screen);
	fclose(terminal->tty);
	free(terminal);
}
