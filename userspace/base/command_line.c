/* SPDX-License-Identifier: BSD-2-Clause */
/* argv ──► options, one at a time, and what is wrong with them. */
#include "base/command_line.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/message.h"

int command_line_wrong(const char *subcommand, const char *what, const char *which) {
	message_error("%s: %s%s; `snifence %s --help` shows how", subcommand, what, which, subcommand);
	return -EINVAL;
}

int command_line_read(const struct command_line *line, int argc, char **argv, void *context) {
	int option, error = 0;

	optind = 0; /* start over, forgetting an earlier command line */
	while (!error && (option = getopt_long(argc, argv, line->flags, line->table, NULL)) != -1) {
		switch (option) {
		case 'h':
			fputs(line->usage, stdout);
			return 1;
		case ':':
			return command_line_wrong(line->subcommand, "an argument is missing after ", argv[optind - 1]);
		case '?':
			return command_line_wrong(line->subcommand, "there is no such option: ", argv[optind - 1]);
		default:
			error = line->take(option, context);
		}
	}
	return error;
}

char *const *command_line_logs(const char *subcommand, int argc, char **argv) {
	static char *const standard_input[] = {"-", NULL};

	if (optind < argc)
		return argv + optind;
	if (!isatty(STDIN_FILENO))
		return standard_input;
	command_line_wrong(subcommand, "no log is named", "");
	return NULL;
}
