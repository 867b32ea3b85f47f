/* SPDX-License-Identifier: BSD-2-Clause */
/* The live view of a log on a terminal, until somebody or something ends it. */
#ifndef SNIF_TOP_LOOP_H
#define SNIF_TOP_LOOP_H

#include "base/signals.h"
#include "log/log_filter.h"
#include "log/log_reader.h"

struct top {
	const char *command; /* the subcommand, for messages */
	const char *file;    /* the log's name, to be shown; NULL: it has none */
	struct log_filter filter;
	struct log_reader *reader;
	int signals_fd;	       /* of signals_take(): a signal ends the view, */
	bool ignore_from_keys; /* but not one that the terminal sent for a key like Ctrl-C */
	bool ends_with_log;    /* else it stays when the log can have no more */
};

/*
 * Shows the log until `q` or one of these ends it; the terminal is as before then. Events that come are shown four
 * times a second at most. Returns 0; 128 + n when it was ended by signal n; EXIT_USAGE when there is no terminal that
 * will do, and EXIT_FAILED when memory is out, both said.
 */
int top_loop(const struct top *top);

#endif
