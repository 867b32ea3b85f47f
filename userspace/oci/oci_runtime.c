/* SPDX-License-Identifier: BSD-2-Clause */
/* A runtime's command line ──► the hook in the bundle that it names, then the runtime itself. */
#include "oci/oci_runtime.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/command_line.h"
#include "base/message.h"
#include "oci/oci_config.h"

static const char usage[] =
	"Usage: snifence oci-runtime RUNTIME [ARG…]\n"
	"\n"
	"For engines that know no hooks, like Docker: RUNTIME (runc, crun), with `snifence oci-hook` in each\n"
	"container that it is to create. The annotation `snifence.policy` names the policy, or\n"
	"SNIFENCE_POLICY in the container's environment; else it is `default`, which has to be there.\n"
	"\n"
	"  --help              this text\n"
	"\n"
	"Exit status: the runtime's own; 2: the command line is wrong; 125: snifence could not do its part;\n"
	"127: there is no RUNTIME\n";

static const struct option table[] = {
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int take(int option, void *context) {
	(void)option;
	(void)context;
	return 0;
}

#define IS_AMONG(word, words) is_among(word, words, sizeof(words) / sizeof((words)[0]))

static bool is_among(const char *word, const char *const *words, size_t count) {
	for (size_t i = 0; i < count; i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return false;
}

/*
 * The place of a runtime's subcommand, behind options of which some have their value in the next word; argc: there is none.
 * Where an option is not known here, that word is a value unless it is a subcommand: a container whose creation is not
 * seen would be free.
 */
static int find_subcommand(int argc, char **argv) {
	static const char *const with_value[] = {"--root", "--log",	 "--log-format",
						 "--criu", "--rootless", "--cgroup-manager"};
	static const char *const without[] = {"--debug", "--systemd-cgroup"};
	static const char *const subcommands[] = {"checkpoint", "create", "delete", "events", "exec",  "features",
						  "kill",	"list",	  "mounts", "pause",  "ps",    "restore",
						  "resume",	"run",	  "spec",   "start",  "state", "update"};
	int i = 0;

	while (i < argc && argv[i][0] == '-') {
		const char *option = argv[i++];

		if (strchr(option, '=') || IS_AMONG(option, without) || i == argc)
			continue;
		if (IS_AMONG(option, with_value) || (argv[i][0] != '-' && !IS_AMONG(argv[i], subcommands)))
			i++;
	}
	return i < argc ? i : argc;
}

/* The bundle of the container that is to be created; NULL where none is. */
static const char *bundle_of(int argc, char **argv) {
	static const char *const creating[] = {"create", "run", "restore"};
	const char *bundle = ".";
	int i = find_subcommand(argc, argv);

	if (i == argc || !IS_AMONG(argv[i], creating))
		return NULL;
	for (; i < argc; i++)
		if (strncmp(argv[i], "--bundle=", 9) == 0)
			bundle = argv[i] + 9;
		else if ((strcmp(argv[i], "--bundle") == 0 || strcmp(argv[i], "-b") == 0) && i + 1 < argc)
			bundle = argv[++i];
	return bundle;
}

int oci_runtime_main(int argc, char **argv) {
	static const struct command_line line = {"oci-runtime", usage, "+:", table, take};
	int result = command_line_read(&line, argc, argv, NULL);
	char program[PATH_MAX];
	const char *bundle;
	ssize_t length;

	if (!result && optind == argc)
		result = command_line_wrong("oci-runtime", "the runtime is missing", "");
	if (result)
		return result < 0 ? EXIT_USAGE : 0;
	bundle = bundle_of(argc - optind - 1, argv + optind + 1);
	length = readlink("/proc/self/exe", program, sizeof(program) - 1);
	if (length < 0) {
		message_error("oci-runtime: cannot tell where snifence is: %s", strerror(errno));
		return EXIT_FAILED;
	}
	program[length] = '\0';
	if (bundle && oci_config_add_hook(bundle, program))
		return EXIT_FAILED;
	execvp(argv[optind], argv + optind);
	message_error("oci-runtime: cannot execute %s: %s", argv[optind], strerror(errno));
	return EXIT_NOT_FOUND;
}
