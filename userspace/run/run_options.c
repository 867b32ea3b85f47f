/* SPDX-License-Identifier: BSD-2-Clause */
/* argv ──► the options of `snifence run`. */
#include "run/run_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/command_line.h"
#include "base/message.h"

static const char usage[] =
	"Usage: snifence run [OPTION…] POLICY -- COMMAND [ARG…]\n"
	"       snifence run [OPTION…] --allow HOST -- COMMAND [ARG…]\n"
	"\n"
	"Runs COMMAND in a fresh cgroup where the kernel lets out only what POLICY allows. Needs root. POLICY is a file, -\n"
	"for standard input, or the name of a policy here, in ~/.config/snifence, /etc/snifence or installed with snifence.\n"
	"\n"
	"  --allow HOST           allow this host too; may be repeated. Without POLICY these are all\n"
	"  --user USER|UID[:GID]  run the command as this user (default: who called sudo, else root)\n"
	"  --env NAME[=VALUE]     set a variable for the command alone; without a value as it was when sudo was called;\n"
	"                         may be repeated. --env PATH: find COMMAND where the caller would\n"
	"  --log FILE             append events as JSON lines; - is stderr (default: no log)\n"
	"  --notify TO            tell of each refusal at once, the first time: stderr (default), FILE, or off. Nothing is\n"
	"                         written to a terminal while a program has its full screen\n"
	"  --summary-file FILE    append what was refused as Markdown\n"
	"  --fail-if-blocked      exit with 120 where the command exits with 0 and something was refused\n"
	"  --log-allowed          log allowed connections too, not only the refused ones\n"
	"  --top                  show what is refused and allowed live, as `snifence top` does, until COMMAND ends; what\n"
	"                         would go to the terminal meanwhile is shown then. COMMAND cannot read the terminal\n"
	"  --quiet                no notices (but by --notify), no summary and no warnings\n"
	"  --keep-caps            keep root's capabilities; with CAP_NET_ADMIN, CAP_SYS_ADMIN and others a command\n"
	"                         can get around the filter. For commands that run as root\n"
	"  --no-seccomp           let the command use io_uring, sendfile, splice and every family of sockets;\n"
	"                         some of these can be used to get around the filter\n"
	"  --help                 this text\n"
	"\n"
	"The command's stdin, stdout and stderr are those of snifence; of other open files pipes and regular files stay,\n"
	"sockets and all else are closed. Signals that end a program (HUP, INT, TERM, USR1, ...) go to all its processes.\n"
	"Processes that outlive it get SIGTERM, and SIGKILL two seconds later. If snifence itself is killed, the command stays confined.\n"
	"\n"
	"Exit status: the command's own, or 128 + n when signal n ended it; 120 with --fail-if-blocked, where it has\n"
	"exited with 0 and something was refused. Where the command did not run:\n"
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
	{"allow", required_argument, NULL, 'A'},
	{"env", required_argument, NULL, 'e'},
	{"notify", required_argument, NULL, 'n'},
	{"summary-file", required_argument, NULL, 'S'},
	{"fail-if-blocked", no_argument, NULL, 'f'},
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
	case 'A':
		options->allowed[options->allowed_count++] = optarg;
		break;
	case 'e':
		if (!*optarg || *optarg == '=')
			return wrong("--env takes NAME or NAME=VALUE");
		options->variables[options->variable_count++] = optarg;
		break;
	case 'n':
		options->notify = optarg;
		break;
	case 'S':
		options->summary_file = optarg;
		break;
	case 'f':
		options->fail_if_blocked = true;
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

/* POLICY -- COMMAND…; the `--` has to be there, so that a forgotten policy is not taken for one. Where nothing stands
 * before it, it was taken with the options. */
static int take_operands(int argc, char **argv, struct run_options *options) {
	bool alone = strcmp(argv[optind - 1], "--") == 0;

	if (alone ? options->allowed_count == 0 : optind >= argc)
		return wrong("the policy is missing");
	if (!alone) {
		options->policy = argv[optind++];
		if (optind >= argc || strcmp(argv[optind], "--"))
			return wrong("after the policy comes --, then the command");
		optind++;
	}
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

	*options = (struct run_options){.allowed = calloc((size_t)argc, sizeof(*options->allowed)),
					.variables = calloc((size_t)argc, sizeof(*options->variables))};
	if (!options->allowed || !options->variables) {
		message_error("run: out of memory");
		return -ENOMEM;
	}
	result = command_line_read(&line, argc, argv, options);
	return result ? result : take_operands(argc, argv, options);
}

void run_options_free(struct run_options *options) {
	free(options->allowed);
	free(options->variables);
}
