/* SPDX-License-Identifier: BSD-2-Clause */
/* A command line ──► the subcommand that does it. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/message.h"
#include "base/near_word.h"
#include "check/check.h"
#include "control/attach.h"
#include "control/detach.h"
#include "control/confirm.h"
#include "control/load.h"
#include "control/reload.h"
#include "control/status.h"
#include "control/unit.h"
#include "explain/explain.h"
#include "features/feature_command.h"
#include "init/init.h"
#include "inspect/inspect.h"
#include "learn/learn.h"
#include "monitor/monitor.h"
#include "oci/oci_hook.h"
#include "oci/oci_runtime.h"
#include "report/report.h"
#include "run/run.h"
#include "top/top.h"
#include "verify/verify.h"
#include "version.h"

struct subcommand {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
};

static int show_help(int argc, char **argv);

static int show_version(int argc, char **argv) {
	(void)argc;
	(void)argv;
	puts("snifence " SNIF_VERSION);
	return 0;
}

static const struct subcommand subcommands[] = {
	{"run", run_main, "run a command that can reach only what a policy allows"},
	{"init", init_main, "write a policy with comments to begin with"},
	{"attach", attach_main, "put running cgroups, processes or units under a policy"},
	{"detach", detach_main, "free cgroups, processes or units of their policy"},
	{"unit", unit_main, "have systemd confine each start of a service"},
	{"oci-hook", oci_hook_main, "for container runtimes: confine a container before it starts"},
	{"oci-runtime", oci_runtime_main, "a runtime around a runtime, for container engines that know no hooks"},
	{"confirm", confirm_main, "keep what was attached with --confirm-within"},
	{"reload", reload_main, "put a changed policy file in force wherever it is attached"},
	{"status", status_main, "show what is attached, under which policies, and whether it is whole"},
	{"monitor", monitor_main, "log what is attached, end what is refused, follow policies, serve metrics"},
	{"verify", verify_main, "compare what is in the kernel with what should be there"},
	{"load", load_main, "load the filter into the kernel before it is needed"},
	{"unload", unload_main, "detach everything and remove the filter"},
	{"check", check_main, "show what a policy means, and whether it allows a name, address or port"},
	{"inspect", inspect_main, "show the server names in captures, and what a policy says of them"},
	{"explain", explain_main, "say what the reason of a refusal means, and what to do"},
	{"features", features_main, "show what this machine offers, and what that means for a policy"},
	{"report", report_main, "read logs: what was refused, why, and who asked for it"},
	{"learn", learn_main, "make a policy of a log in audit mode, or add to one what it lacks"},
	{"top", top_main, "show a log live: what is refused and allowed, by name and by process"},
	{"version", show_version, "print the version"},
	{"help", show_help, "print this text"},
};

enum { SUBCOMMANDS = sizeof(subcommands) / sizeof(subcommands[0]) };

static void print_help(FILE *out) {
	fputs("Usage: snifence SUBCOMMAND [ARG…]\n\n", out);
	fputs("Confines programs to the TLS hostnames and addresses on an allowlist.\n\n", out);
	for (size_t i = 0; i < SUBCOMMANDS; i++)
		fprintf(out, "  %-12s%s\n", subcommands[i].name, subcommands[i].help);
	fputs("\n`snifence SUBCOMMAND --help` says more.\n", out);
}

static int show_help(int argc, char **argv) {
	(void)argc;
	(void)argv;
	print_help(stdout);
	return 0;
}

/* What was printed can have been lost. Those who have told so themselves come with EXIT_FAILED. */
static int finish(int code) {
	int error = code == EXIT_FAILED ? 0 : stream_flush(stdout);

	if (!error)
		return code;
	message_error("cannot write to standard output: %s", strerror(-error));
	return EXIT_FAILED;
}

static int refuse_subcommand(const char *name) {
	size_t least = near_word_limit(name);
	const char *closest = NULL;

	for (size_t i = 0; i < SUBCOMMANDS; i++)
		near_word_try(name, subcommands[i].name, &least, &closest);
	if (closest)
		message_error("there is no subcommand %s; did you mean %s? `snifence help` lists them", name, closest);
	else
		message_error("there is no subcommand %s; `snifence help` lists them", name);
	return EXIT_USAGE;
}

int main(int argc, char **argv) {
	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	const char *name = strcmp(argv[1], "--help") && strcmp(argv[1], "-h") ? argv[1] : "help";
	if (strcmp(name, "--version") == 0)
		name = "version";
	for (size_t i = 0; i < SUBCOMMANDS; i++)
		if (strcmp(name, subcommands[i].name) == 0)
			return finish(subcommands[i].run(argc - 1, argv + 1));
	return refuse_subcommand(name);
}
