/* SPDX-License-Identifier: BSD-2-Clause */
/* What the command lines of all subcommands have in common. */
#ifndef SNIF_COMMAND_LINE_H
#define SNIF_COMMAND_LINE_H

#include <getopt.h>
#include <stdbool.h>

/* A subcommand's options. `take` gets each with optarg set and returns 0 or -EINVAL after saying what is wrong. */
struct command_line {
	const char *subcommand;
	const char *usage; /* what --help and -h print, which is 'h' in the table */
	const char *flags; /* of getopt_long(3): "+:" ends at the first operand, ":" takes options anywhere */
	const struct option *table;
	int (*take)(int option, void *context);
};

/* Reads the options; optind is then the first operand. Returns 0; 1 when it printed the help; or -EINVAL after saying
 * what is wrong. */
int command_line_read(const struct command_line *line, int argc, char **argv, void *context);

/*
 * Reads a command line of nothing but `flag`, like "json", which may be NULL: that of one without options. Returns as
 * command_line_read(); -EINVAL also for operands.
 */
int command_line_read_flag(const char *subcommand, const char *usage, const char *flag, int argc, char **argv,
			   bool *given);

/* After that: the logs that are named, or standard input ("-") where none is and it is no terminal; NULL-terminated, of
 * argv or static. Returns NULL after saying that none is named. */
char *const *command_line_logs(const char *subcommand, int argc, char **argv);

/* Says what is wrong with which word of the command line. Returns -EINVAL. */
int command_line_wrong(const char *subcommand, const char *what, const char *which);

#endif
