/* SPDX-License-Identifier: BSD-2-Clause */
/* Cgroups ──► out of their instances. */
#include "control/detach.h"

#include <errno.h>
#include <string.h>

#include "base/command_line.h"
#include "base/message.h"
#include "control/repair.h"
#include "control/source.h"
#include "filter/ledger.h"

static const char usage[] =
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

static const struct option table[] = {
	TARGET_OPTIONS,
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int take(int option, void *context) {
	return targets_take(context, "detach", option, optarg);
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

/* What was attached at that path before the cgroup was made anew. Returns 0; -ENOENT: nothing; or a negative errno; after
 * saying why. */
static int forget_gone(const char *path) {
	char name[INSTANCE_NAME];
	struct forgetting forgetting = {.instance = name, .path = path};
	int error = 0;

	for (unsigned i = 0; i < INSTANCES && !error; i++)
		error = ledger_attachments(instance_name(i, name), NULL, forget_path, &forgetting);
	if (error)
		message_error("cannot read what is noted in " INSTANCE_ROOT "/%s: %s", name, strerror(-error));
	else if (!forgetting.found)
		message_error("%s is not attached; `snifence status` lists what is", path);
	return error || forgetting.found ? error : -ENOENT;
}

int detach_cgroup(struct instances *instances, const struct found_cgroup *cgroup) {
	int number = instance_of(instances, cgroup->id), error;
	char name[INSTANCE_NAME];

	if (number < 0)
		return number == -ENOENT ? forget_gone(cgroup->path) : number;
	error = filter_detach(instance_open(instances, (unsigned)number), cgroup->fd, cgroup->id);
	if (!error)
		ledger_forget_attachment(instance_name((unsigned)number, name), cgroup->id);
	return error;
}

/* Whether what was attached for a trial was detached meanwhile, or attached anew. */
static bool is_over(struct instances *instances, const struct target *target) {
	int number = target->trial ? instance_of(instances, target->cgroup.id) : 0;
	struct ledger_attachment entry;
	char name[INSTANCE_NAME];
	bool same;

	if (!target->trial)
		return false;
	if (number < 0 || ledger_read_attachment(instance_name((unsigned)number, name), target->cgroup.id, &entry))
		return number == -ENOENT;
	same = entry.trial == target->trial;
	ledger_attachment_free(&entry);
	return !same;
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
		failed = is_over(&instances, &targets->items[i]) ? 0
								 : detach_cgroup(&instances, &targets->items[i].cgroup);
		error = error ? error : failed;
	}
	if (!error)
		error = repair(&instances);
	instances_release(&instances);
	return error ? EXIT_FAILED : 0;
}

int detach_main(int argc, char **argv) {
	static const struct command_line line = {"detach", usage, ":", table, take};
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
