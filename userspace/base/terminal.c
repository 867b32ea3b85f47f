/* SPDX-License-Identifier: BSD-2-Clause */
/* A stream, the environment ──► what can be shown. */
#include "base/terminal.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static unsigned width_of(int fd) {
	const char *columns = getenv("COLUMNS");
	struct winsize size;

	if (columns && atoi(columns) > 0)
		return (unsigned)atoi(columns);
	return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

struct terminal terminal_of(FILE *out) {
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	bool is_terminal = isatty(fileno(out));

	return (struct terminal){
		.is_terminal = is_terminal,
		.width = width_of(fileno(out)),
		.color = is_terminal && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0,
		.unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
	};
}
