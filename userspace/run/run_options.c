/* SPDX-License-Identifier: BSD-2-Clause */
/* argv ──► the options of `snifence run`. */
#include "run/run_options.h"

#include <string.h>

#include "base/command_line.h"

static const char usage[] =
	"Usage: snifence run [OPTION…] POLICY -- COMMAND [ARG…]\n"
	"\n"
	"Runs COMMAND in a fresh cgroup where the kernel lets out only what POLICY allows. Needs root.\n"
	"\n"
	"  --user USER|UID[:GID]  run the command as this user (default: who called sudo, else root)\n"
	"  --log FILE             append events as JSON lines; - is stderr (default: no log)\n"
	"  --log-allowed          log allowed connections too, not only the blocked ones\n"
	"  --top                  show what is blocked and allowed live, as `snifence top` does, until COMMAND ends; what\n"
	"                         would go to the terminal meanwhile is shown then. COMMAND cannot read the terminal\n"
	"  --quiet                no summary and no warnings\n"
	"  --keep-caps            keep root's capabilities; with CAP_NET_ADMIN, CAP_SYS_ADMIN and others a command\n"
	"                         can get around the filter. For commands that run as root\n"
	"  --no-seccomp           let the command use io_uring, sendfile, splice and every family of sockets;\n"
	"                         some of these can be used to get around the filter\n"
	"  --help                 this text\n"
	"\n"
	"The command's stdin, stdout and stderr are those of snifence; other open files are closed. Signals that\n"
	"end a program (HUP, INT, TERM, USR1, ...) go to all its processes. Processes that outlive it get SIGTERM, and\n"
	"SIGKILL two seconds later. If snifence itself is killed, the command stays confined.\n"
	"\n"
	"Exit status: the command's own, or 128 + n when signal n ended it. Where the command did not run:\n"
	"  2    the command line or the policy is wrong\n"
	"  125  snifence could not do its part: no root, no cgroup v2, the kernel refused a program, ...;\n"
	"       `snifence features` tells what is missing\n"
	"  126  the command cannot be executed\n"
	"  127  the command was not found\n"
	"A command can exit with these too: then the log ends with an event of type `stats` that holds its status.\n";

static const struct option table[] = {
	{"user", required_argument, NULL, 'u'},
	{"log", required_argument, NULL, 'l'},
	{"log-allowed", no_argument, NULL, 'a'},
	{"top", no_argument, NULL, 't'},
	{"quiet", no_argument, NULL, 'q'},
	{"keep-caps", no_argument, NULL, 'c'},
	{"no-seccomp", no_argument, NULL, 's'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int wrong(const char *what) {
	return command_line_wrong("run", what, "");
}

static int take(int option, void *context) {
	struct run_options *options = context;

	switch (option) {
	case 'u':
		options->user = optarg;
		break;
	case 'l':
		options->log = optarg;
		break;
	case 'a':
		options->log_allowed = true;
		break;
	case 't':
		options->top = true;
		break;
	case 'q':
		options->quiet = true;
		break;
	case 'c':
		options->keep_caps = true;
		break;
	case 's':
		options->no_seccomp = true;
		break;
	}
	return 0;
}

/* POLICY -- COMMAND…; the `--` has to be there, so that a forgotten policy is not taken for one. */
static int take_operands(int argc, char **argv, struct run_options *options) {
	if (optind >= argc)
		return wrong("the policy is missing");
	options->policy = argv[optind++];
	if (optind >= argc || strcmp(argv[optind], "--"))
		return wrong("after the policy comes --, then the command");
	optind++;
	if (optind >= argc)
		return wrong("the command is missing");
	options->command = argv + optind;
	if (options->log_allowed && !options->log)
		return wrong("--log-allowed needs --log FILE");
	return 0;
}

int run_options_parse(int argc, char **argv, struct run_options *options) {
	static const struct command_line line = {"run", usage, "+:", table, take};
	int result;

	*options = (struct run_options){0};
	result = command_line_read(&line, argc, argv, options);
	return result ? result : take_operands(argc, argv, options);
}
