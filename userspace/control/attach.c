/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy and cgroups ──► attachments of a resident instance. */
#include "control/attach.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/command_line.h"
#include "base/message.h"
#include "base/moment.h"
#include "control/attach_one.h"
#include "control/confirm.h"
#include "control/drop_in.h"
#include "control/repair.h"
#include "control/source.h"
#include "control/targets.h"
#include "filter/ledger.h"

static const char usage[] =
	"Usage: snifence attach [OPTION…] POLICY (--cgroup PATH | --pid PID | --unit NAME)…\n"
	"\n"
	"Puts running cgroups under POLICY: all processes in them and below, and those to come. It holds\n"
	"until `snifence detach`, or until the cgroup is gone; no process of snifence has to go on.\n"
	"What is open already is judged by its address alone, as nobody saw it begin: a connection to where\n"
	"server names are checked is cut, with its next packet.\n"
	"\n"
	"  --cgroup PATH       a cgroup, by its directory or its path below the hierarchy's root\n"
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

static int take(int option, void *context) {
	struct attach *attach = context;
	int taken = targets_take(&attach->targets, "attach", option, optarg);

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

struct forgetting {
	const char *instance, *path;
	bool found;
};

static void forget_path(void *context, const struct ledger_attachment *entry) {
	struct forgetting *forgetting = context;

	if (strcmp(entry->path, forgetting->path) != 0)
		return;
	forgetting->found = true;
	ledger_forget_attachment(forgetting->instance, entry->cgroup_id);
}

/* What was attached at that path before the cgroup was made anew. */
static bool forget_gone(const char *path) {
	char name[INSTANCE_NAME];
	struct forgetting forgetting = {.instance = name, .path = path};

	for (unsigned i = 0; i < INSTANCES; i++)
		ledger_attachments(instance_name(i, name), NULL, forget_path, &forgetting);
	return forgetting.found;
}

/* Takes one cgroup out of its instance. Returns 0 or a negative errno, after saying why. */
static int detach_one(struct instances *instances, const struct found_cgroup *cgroup) {
	int number = instance_of(instances, cgroup->id), error;
	char name[INSTANCE_NAME];

	if (number == -ENOENT && forget_gone(cgroup->path))
		return 0;
	if (number == -ENOENT)
		message_error("%s is not attached; `snifence status` lists what is", cgroup->path);
	if (number < 0)
		return number;
	error = filter_detach(instance_open(instances, (unsigned)number), cgroup->fd, cgroup->id);
	if (!error)
		ledger_forget_attachment(instance_name((unsigned)number, name), cgroup->id);
	return error;
}

static int attach_all(struct attach *attach) {
	const struct existing existing = {.keep = attach->keep,
					  .only = attach->judge ? &attach->source.compiled : NULL};
	size_t done = 0;
	int error = repair(&attach->instances);

	for (; !error && done < attach->targets.count; done++) {
		struct target *target = &attach->targets.items[done];

		if (!attach->trial && attached_before(&attach->instances, &attach->source, &target->cgroup))
			printf("%s is attached under %s already\n", target->cgroup.path, attach->source.file);
		else
			error = attach_one(&attach->instances, &attach->source, target, &existing);
	}
	if (!error)
		return 0;
	while (done-- > 1)
		if (attach->targets.items[done - 1].attached)
			detach_one(&attach->instances, &attach->targets.items[done - 1].cgroup);
	repair(&attach->instances); /* a policy that nothing is attached under */
	return EXIT_FAILED;
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
	for (size_t i = 0; i < attach->targets.count && !code; i++)
		if (attach->targets.items[i].unit)
			drop_in_advise(attach->targets.items[i].unit, attach->source.file);
	source_free(&attach->source);
	return code;
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

/* ---- detach ---------------------------------------------------------------------------------------------------- */

static const char detach_usage[] =
	"Usage: snifence detach (--cgroup PATH | --pid PID | --unit NAME)…\n"
	"\n"
	"Frees cgroups of their policy. It stays loaded as long as something is attached under it.\n"
	"\n"
	"  --cgroup PATH       a cgroup, by its directory or its path below the hierarchy's root\n"
	"  --pid PID           the cgroup in which this process is\n"
	"  --unit NAME         the cgroup in which systemd has started this unit\n"
	"  --help              this text\n"
	"\n"
	"Exit status:\n"
	"  0    all of them are detached\n"
	"  2    the command line is wrong\n"
	"  125  snifence could not do its part, or one of them was not attached\n";

static const struct option detach_table[] = {
	TARGET_OPTIONS,
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int take_target(int option, void *context) {
	return targets_take(context, "detach", option, optarg);
}

int detach_targets(const struct targets *targets) {
	struct instances instances;
	int error = source_need_root("detach") ? -EPERM : instances_take(&instances, false), failed;

	if (error == -ENOENT)
		message_error("nothing is attached");
	if (error)
		return EXIT_FAILED;
	error = repair(&instances);
	for (size_t i = 0; i < targets->count; i++) {
		failed = detach_one(&instances, &targets->items[i].cgroup);
		error = error ? error : failed;
	}
	if (!error)
		error = repair(&instances);
	instances_release(&instances);
	return error ? EXIT_FAILED : 0;
}

int detach_main(int argc, char **argv) {
	static const struct command_line line = {"detach", detach_usage, ":", detach_table, take_target};
	struct targets targets = {0};
	int result = command_line_read(&line, argc, argv, &targets), code = result < 0 ? EXIT_USAGE : 0;

	if (!result && optind < argc)
		code = command_line_wrong("detach", "what is this: ", argv[optind]) ? EXIT_USAGE : 0;
	else if (!result && targets.count == 0)
		code = command_line_wrong("detach", "name a cgroup: --cgroup, --pid or --unit", "") ? EXIT_USAGE : 0;
	else if (!result)
		code = detach_targets(&targets);
	targets_free(&targets);
	return code;
}
