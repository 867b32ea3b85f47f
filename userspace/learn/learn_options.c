/* SPDX-License-Identifier: BSD-2-Clause */
/* argv ──► the options of `snifence learn`. */
#include "learn/learn_options.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/command_line.h"

static const char usage[] =
	"Usage: snifence learn [OPTION…] [FILE…]\n"
	"\n"
	"Reads logs of `snifence run` with a policy in audit mode, and prints a policy that allows what was used: a host rule\n"
	"for each server name, an address rule for what was not TLS, and in comments how often, by whom and when. What\n"
	"no rule should be made of, such as a ClientHello that does not parse, is listed in comments at the end. FILE is\n"
	"plain or compressed with gzip; `-`, or none where standard input is no terminal, is standard input.\n"
	"\n"
	"  --wildcards N       *.example.com instead of N or more new names right below example.com (N is at least 2);\n"
	"                      never for a public suffix\n"
	"  --merge POLICY      print what POLICY lacks, as a unified diff for `patch POLICY`; its lines stay as they are\n"
	"  -o, --output FILE   write the policy, or with --merge the merged one, to FILE, which must not be there yet\n" LOG_FILTER_USAGE
	"                      (default: pass, logged by run --log-allowed, and alert; refusals only when asked for)\n"
	"  --help              this text\n"
	"\n"
	"Exit status:\n"
	"  0    the policy, or the diff, was written; an empty diff says that nothing is missing\n"
	"  1    a log could not be read to its end (the policy is of what was read), or something is to be done to POLICY\n"
	"       by hand, which stderr says: rules to be changed (the diff is of the rest), or no place for new ones\n"
	"       (nothing was written)\n"
	"  2    the command line, or POLICY, is wrong\n"
	"  125  snifence could not do its part, such as for want of memory, or FILE cannot be written\n";

enum { WILDCARDS = 256, MERGE };

static const struct option table[] = {
	LOG_FILTER_OPTIONS,
	{"wildcards", required_argument, NULL, WILDCARDS},
	{"merge", required_argument, NULL, MERGE},
	{"output", required_argument, NULL, 'o'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int take_wildcards(struct learn_options *options) {
	char *end;
	unsigned long number = strtoul(optarg, &end, 10);

	if (*optarg < '0' || *optarg > '9' || *end || number < 2 || number > 1000000)
		return command_line_wrong("learn", "--wildcards takes a number from 2 on, not ", optarg);
	options->wildcards = (unsigned)number;
	return 0;
}

static int take(int option, void *context) {
	struct learn_options *options = context;

	switch (option) {
	case WILDCARDS:
		return take_wildcards(options);
	case MERGE:
		options->merge = optarg;
		return 0;
	case 'o':
		options->output = optarg;
		return 0;
	default:
		return log_filter_take(&options->filter, option, "learn");
	}
}

int learn_options_parse(int argc, char **argv, struct learn_options *options) {
	static const struct command_line line = {"learn", usage, ":o:", table, take};
	int result;

	*options = (struct learn_options){0};
	result = command_line_read(&line, argc, argv, options);
	if (result)
		return result;
	options->files = command_line_logs("learn", argc, argv);
	if (!options->files)
		return -EINVAL;
	options->chosen = log_filter_any(&options->filter);
	if (options->filter.actions == 0)
		options->filter.actions = 1 << LOG_PASS | 1 << LOG_ALERT;
	return 0;
}
