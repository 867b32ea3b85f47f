/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy and cgroups ──► attachments of a resident instance. */
#include "control/attach.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/command_line.h"
#include "base/file.h"
#include "base/message.h"
#include "base/moment.h"
#include "cgroup/cgroup_place.h"
#include "control/attach_one.h"
#include "control/confirm.h"
#include "control/detach.h"
#include "control/drop_in.h"
#include "control/repair.h"
#include "control/source.h"
#include "control/targets.h"

static const char usage[] =
	"Usage: snifence attach [OPTION…] POLICY (--cgroup PATH | --pid PID | --unit NAME)…\n"
	"\n"
	"Puts running cgroups under POLICY: all processes in them and below, and those to come. It holds\n"
	"until `snifence detach`, or until the cgroup is gone; no process of snifence has to go on.\n"
	"What is open already is judged by its address alone, as nobody saw it begin: a connection to where\n"
	"server names are checked is cut, with its next packet.\n"
	"\n"
	"  --cgroup PATH       a cgroup, by its directory or its path below the hierarchy's root, like\n"
	"                      /system.slice/cron.service. The root itself, which has all processes of the\n"
	"                      machine below it, is attached only as `/`\n"
	"  --pid PID           the cgroup in which this process is\n"
	"  --unit NAME         the cgroup in which systemd has started this unit\n"
	"  --existing HOW      what becomes of open TCP connections and connected UDP sockets: `cut` (default)\n"
	"                      is that; `judge` is that, listed, and what a `direct` rule allows is kept;\n"
	"                      `keep` keeps and lists all. What is kept goes on until it ends, or a `deny`\n"
	"                      covers it\n"
	"  --confirm-within N  detach them again after N seconds, unless `snifence confirm` comes before\n"
	"  --audit             refuse nothing, and tell what would be refused\n"
	"  --sha256 HEX        refuse POLICY unless `snifence check` shows this digest of it\n"
	"  --help              this text\n"
	"\n"
	"Exit status:\n"
	"  0    all of them are attached\n"
	"  2    the command line or the policy is wrong; nothing was attached\n"
	"  125  snifence could not do its part; what it had attached is detached again\n";

static const struct option table[] = {
	TARGET_OPTIONS,
	{"confirm-within", required_argument, NULL, 'w'},
	{"existing", required_argument, NULL, 'e'},
	{"audit", no_argument, NULL, 'a'},
	{"sha256", required_argument, NULL, 's'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

struct attach {
	struct targets targets;
	bool audit, keep, judge; /* keep: of what is open; judge: what the policy's address rules allow */
	unsigned trial;		 /* seconds; 0: it is none */
	const char *sha256;
	struct source source;
	struct instances instances;
};

static int take_trial(const char *text, unsigned *seconds) {
	int64_t number;

	if (!moment_read_span(text, &number) || number == 0 || number > 86400)
		return command_line_wrong(
			"attach", "--confirm-within takes a time of at most a day, like 60s or 10m, not ", text);
	*seconds = (unsigned)number;
	return 0;
}

static int take_existing(struct attach *attach, const char *how) {
	attach->judge = strcmp(how, "judge") == 0;
	attach->keep = attach->judge || strcmp(how, "keep") == 0;
	if (attach->keep || strcmp(how, "cut") == 0)
		return 0;
	return command_line_wrong("attach", "--existing is cut, judge or keep, not ", how);
}

/* An empty variable behind a mount's path, or a process in no cgroup of its own, would confine the machine. */
static int refuse_root(const struct target *target, int option, const char *value) {
	if (target->cgroup.id != CGROUP_ROOT_ID || (option == 'c' && strcmp(value, "/") == 0))
		return 0;
	return command_line_wrong("attach",
				  "all processes of the machine are below the hierarchy's root; where you mean that, "
				  "write --cgroup /, not ",
				  value);
}

static int take_target(struct targets *targets, int option, const char *value) {
	const size_t count = targets->count;
	int taken = targets_take(targets, "attach", option, value);

	return taken || targets->count == count ? taken : refuse_root(&targets->items[count], option, value);
}

static int take(int option, void *context) {
	struct attach *attach = context;
	int taken = take_target(&attach->targets, option, optarg);

	if (taken <= 0)
		return taken;
	if (option == 'w')
		return take_trial(optarg, &attach->trial);
	if (option == 'e')
		return take_existing(attach, optarg);
	if (option == 'a')
		attach->audit = true;
	else
		attach->sha256 = optarg;
	return 0;
}

static int attach_all(struct attach *attach) {
	const struct existing existing = {.keep = attach->keep,
					  .only = attach->judge ? &attach->source.compiled : NULL};
	const uint64_t trial = attach->trial ? clock_boot_ns() : 0;
	const int64_t trial_until = attach->trial ? time(NULL) + attach->trial : 0;
	size_t done = 0;
	int error = repair(&attach->instances);

	for (; !error && done < attach->targets.count; done++) {
		struct target *target = &attach->targets.items[done];
		int before;

		target->trial = trial;
		target->trial_until = trial_until;
		before = attached_before(&attach->instances, &attach->source, target);
		error = before < 0 ? before : 0;
		if (before == 0)
			error = attach_one(&attach->instances, &attach->source, target, &existing);
	}
	if (!error)
		return 0;
	while (done-- > 1)
		if (attach->targets.items[done - 1].attached)
			detach_cgroup(&attach->instances, &attach->targets.items[done - 1].cgroup);
	repair(&attach->instances); /* a policy that nothing is attached under */
	return EXIT_FAILED;
}

/* Returns an exit code. */
static int tell_all(void) {
	int error = stream_flush(stdout);

	if (error)
		message_error("cannot write to standard output: %s; what was attached stays so", strerror(-error));
	return error ? EXIT_FAILED : 0;
}

static int do_attach(struct attach *attach, const char *policy) {
	int code = source_need_root("attach");

	if (code)
		return code;
	code = source_load(&attach->source, policy, attach->sha256, attach->audit);
	if (code)
		return code;
	code = instances_take(&attach->instances, true) ? EXIT_FAILED : attach_all(attach);
	instances_release(&attach->instances);
	if (!code && attach->trial && confirm_await(&attach->targets, attach->trial)) {
		detach_targets(&attach->targets);
		code = EXIT_FAILED;
	}
	if (!code && attach->trial)
		printf("detached again in %u seconds, unless `snifence confirm` comes before\n", attach->trial);
	for (size_t i = 0; i < attach->targets.count && !code; i++)
		if (attach->targets.items[i].unit)
			drop_in_advise(attach->targets.items[i].unit, attach->source.file);
	source_free(&attach->source);
	return code ? code : tell_all();
}

int attach_targets(const struct targets *targets, const char *policy) {
	struct attach attach = {.targets = *targets, .instances = {.root_fd = -1}};

	return do_attach(&attach, policy);
}

int attach_main(int argc, char **argv) {
	static const struct command_line line = {"attach", usage, ":", table, take};
	struct attach attach = {.instances = {.root_fd = -1}};
	int result = command_line_read(&line, argc, argv, &attach), code = result < 0 ? EXIT_USAGE : 0;

	if (!result && optind + 1 != argc)
		code = command_line_wrong("attach",
					  optind < argc ? "one policy at a time; what is this: "
							: "the policy is missing",
					  optind < argc ? argv[optind + 1] : "")
			       ? EXIT_USAGE
			       : 0;
	else if (!result && attach.targets.count == 0)
		code = command_line_wrong("attach", "name a cgroup: --cgroup, --pid or --unit", "") ? EXIT_USAGE : 0;
	else if (!result)
		code = do_attach(&attach, argv[optind]);
	targets_free(&attach.targets);
	return code;
}
