/* SPDX-License-Identifier: BSD-2-Clause */
/* `snifence features`: this machine ──► probes ──► what it offers, and what that means. */
#include "features/feature_command.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "base/command_line.h"
#include "base/message.h"
#include "features/feature_print.h"
#include "snifence.skel.h"

static const char usage[] =
	"Usage: snifence features [--json]\n"
	"\n"
	"Tries what snifence uses of this kernel and machine, and tells in plain words what is here and what that\n"
	"means for a policy or a run. Run it as root, in the place where you mean to use `snifence run`: without root\n"
	"most cannot be told. It makes an empty cgroup, loads the programs, and takes both away again.\n"
	"\n"
	"  --json  print one JSON object: `kernel`, `machine`, `run` (true, false, or null: not known) and `features`,\n"
	"          an object that has for each feature `here` (true, false, or null: not known), `name`,\n"
	"          `need` (needed, helpful, noted), `means` and `detail` (null: nothing to say)\n"
	"  --help  this text\n"
	"\n"
	"Exit status:\n"
	"  0    everything is here that `snifence run` needs\n"
	"  1    something is missing that it needs, or could not be tried; the last line says what\n"
	"  2    the command line is wrong\n"
	"  125  snifence could not do its part, such as for want of memory\n";

static const struct option table[] = {
	{"json", no_argument, NULL, 'j'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int take(int option, void *context) {
	(void)option;
	*(bool *)context = true;
	return 0;
}

static struct finding find(const struct feature *feature, struct machine *machine) {
	if (feature->root && geteuid() != 0)
		return (struct finding){FEATURE_UNKNOWN, "only root can tell"};
	return feature->probe(machine, feature->argument);
}

static int tell(struct finding findings[], bool json) {
	struct machine machine = {.object = snifence_bpf__open(), .cgroup.fd = -1};
	int error;

	for (size_t i = 0; i < feature_count; i++)
		findings[i] = find(&feature_table[i], &machine);
	snifence_bpf__destroy(machine.object);
	cgroup_remove(&machine.cgroup);
	error = json ? feature_print_json(stdout, findings) : feature_print(stdout, findings);
	if (!error)
		return feature_verdict(findings) == FEATURE_HERE ? 0 : EXIT_MISSING;
	message_error("cannot print what was found: %s", strerror(-error));
	return EXIT_FAILED;
}

int features_main(int argc, char **argv) {
	static const struct command_line line = {"features", usage, ":", table, take};
	struct finding *findings;
	bool json = false;
	int code = command_line_read(&line, argc, argv, &json);

	if (!code && optind < argc)
		code = command_line_wrong("features", "it takes no operands: ", argv[optind]);
	if (code)
		return code < 0 ? EXIT_USAGE : 0;
	/* What a probe provokes is told by its finding. */
	libbpf_set_print(NULL);
	findings = calloc(feature_count, sizeof(*findings));
	if (!findings) {
		message_error("out of memory");
		return EXIT_FAILED;
	}
	code = tell(findings, json);
	free(findings);
	return code;
}
