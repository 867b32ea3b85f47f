/* SPDX-License-Identifier: BSD-2-Clause */
/* argv ──► the options of `snifence report`. */
#include "report/report_options.h"

#include <errno.h>
#include <stddef.h>

#include "base/command_line.h"
#include "base/message.h"

static const char usage[] =
	"Usage: snifence report [OPTION…] [FILE…]\n"
	"\n"
	"Reads logs of `snifence run` and says what was refused, why, and who asked for it. FILE is plain or compressed\n"
	"with gzip; `-`, or none where standard input is no terminal, is standard input.\n"
	"\n"
	"Without --by: the names that were refused most, those that are close to an allowed one, what looks like an\n"
	"attempt to get around the filter, and what the log has lost.\n"
	"\n"
	"  --by PROPERTY       a table by name, reason, process, cgroup, address, rule, policy or hour\n" LOG_FILTER_USAGE
	"  --policy-file FILE  the policy whose names count as allowed, besides those that the log has; default: the one\n"
	"                      that the log names, while it is as it was then\n"
	"  --follow            go on at the end of the last FILE, also when it is rotated, and print the report anew\n"
	"                      when something came, every two seconds at most\n"
	"  --json              print one JSON object\n"
	"  --csv               print a table for spreadsheets; by name, unless --by says otherwise\n"
	"  --html FILE         write a page for a browser, complete in itself, and print nothing; FILE is replaced when\n"
	"                      the page is whole, if it is a page or empty\n"
	"  --help              this text\n"
	"\n"
	"The width is that of the terminal, or COLUMNS. Colour only on a terminal, and not when NO_COLOR is set.\n"
	"\n"
	"Exit status:\n"
	"  0    every file was read to its end (bad lines are said, counted and passed over)\n"
	"  1    a file could not be read, or not to its end; the others were\n"
	"  2    the command line, or the policy, is wrong\n"
	"  125  snifence could not do its part, such as for want of memory\n";

enum { BY = 256, POLICY_FILE, FOLLOW, JSON, CSV, HTML };

static const struct option table[] = {
	LOG_FILTER_OPTIONS,
	{"by", required_argument, NULL, BY},
	{"policy-file", required_argument, NULL, POLICY_FILE},
	{"follow", no_argument, NULL, FOLLOW},
	{"json", no_argument, NULL, JSON},
	{"csv", no_argument, NULL, CSV},
	{"html", required_argument, NULL, HTML},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int take_form(struct report_options *options, enum report_form form) {
	static const char *const words[] = {[REPORT_JSON] = "--json", [REPORT_CSV] = "--csv", [REPORT_HTML] = "--html"};

	if (options->form != REPORT_TEXT && options->form != form) {
		message_error("report: %s and %s cannot both be written; choose one", words[options->form],
			      words[form]);
		return -EINVAL;
	}
	options->form = form;
	return 0;
}

static int take(int option, void *context) {
	struct report_options *options = context;

	switch (option) {
	case BY:
		options->by = group_by_of(optarg);
		if (options->by < GROUP_BYS)
			return 0;
		return command_line_wrong(
			"report", "--by is name, reason, process, cgroup, address, rule, policy or hour, not ", optarg);
	case POLICY_FILE:
		options->policy_file = optarg;
		return 0;
	case FOLLOW:
		options->follow = true;
		return 0;
	case JSON:
		return take_form(options, REPORT_JSON);
	case CSV:
		return take_form(options, REPORT_CSV);
	case HTML:
		options->page = optarg;
		return take_form(options, REPORT_HTML);
	default:
		return log_filter_take(&options->filter, option, "report");
	}
}

int report_options_parse(int argc, char **argv, struct report_options *options) {
	static const struct command_line line = {"report", usage, ":", table, take};
	int result;

	*options = (struct report_options){.by = GROUP_BYS};
	result = command_line_read(&line, argc, argv, options);
	if (result)
		return result;
	options->files = command_line_logs("report", argc, argv);
	if (!options->files)
		return -EINVAL;
	if (options->form == REPORT_HTML && options->by != GROUP_BYS)
		return command_line_wrong("report", "a page has all groups; leave out --by ",
					  group_by_word(options->by));
	if (options->form == REPORT_CSV && options->by == GROUP_BYS)
		options->by = BY_NAME;
	return 0;
}
