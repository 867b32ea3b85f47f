/* SPDX-License-Identifier: BSD-2-Clause */
/* What is resident ──► text, or JSON. */
#include "control/status.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analysis/reason_about.h"
#include "base/command_line.h"
#include "base/json.h"
#include "base/message.h"
#include "base/timestamp.h"
#include "control/found.h"
#include "control/inventory.h"
#include "control/source.h"
#include "event/event_words.h"

static const char usage[] =
	"Usage: snifence status [--json]\n"
	"\n"
	"Shows the policies that are in force in the kernel, and the cgroups that are attached under them; until\n"
	"when where that is for a trial; and where a policy binds names, at which addresses they were found, and\n"
	"how long that counts.\n"
	"\n"
	"  --json              print one JSON object\n"
	"  --help              this text\n"
	"\n"
	"Exit status:\n"
	"  0    all that was attached is, and whole\n"
	"  1    something is not whole, or an attached cgroup was made anew and is free, or what was noted of\n"
	"       an attachment or its policy is gone\n"
	"  2    the command line is wrong\n"
	"  125  snifence could not do its part\n";

static const char *const state_words[] = {
	[INVENTORY_LIVE] = "live", [INVENTORY_GONE] = "cgroup_gone", [INVENTORY_NOT_WHOLE] = "not_whole"};

static const char *const state_texts[] = {
	[INVENTORY_LIVE] = "",
	[INVENTORY_GONE] = "  NOT ATTACHED: the cgroup was made anew; attach it again",
	[INVENTORY_NOT_WHOLE] = "  NOT WHOLE: programs are missing; attach or detach it again",
};

static uint64_t count(const struct snif_counters *counters, bool allowed) {
	uint64_t sum = 0;

	for (int reason = SNIF_REASON_NONE + 1; reason < SNIF_REASON_COUNT; reason++)
		if ((reason_class((enum snif_reason)reason) == REASON_ALLOWED) == allowed)
			sum += counters->of[reason];
	return sum;
}

/* Seconds since 1970 as the log writes times. */
static const char *moment_text(struct timestamp *timestamp, int64_t since) {
	const struct timespec when = {.tv_sec = (time_t)since};

	return timestamp_write(timestamp, &when);
}

/* ---- text ------------------------------------------------------------------------------------------------------ */

static void print_attachment(const struct inventory_attachment *attachment) {
	struct timestamp timestamp = {0};

	fputs("    ", stdout);
	print_escaped(stdout, attachment->path, strlen(attachment->path));
	if (attachment->unit) {
		fputs(" (unit ", stdout);
		print_escaped(stdout, attachment->unit, strlen(attachment->unit));
		putchar(')');
	}
	if (attachment->trial_until)
		printf("  on trial until %.19s, unless `snifence confirm` comes before",
		       moment_text(&timestamp, attachment->trial_until));
	puts(attachment->state == INVENTORY_LIVE && attachment->note_lost
		     ? "  NOT NOTED: what " INSTANCE_ROOT " had of it is gone; detach it and attach it again"
		     : state_texts[attachment->state]);
}

static int print_policy(struct instances *instances, const struct inventory *inventory,
			const struct inventory_policy *policy) {
	struct timestamp timestamp = {0};
	const char *file = policy->noted       ? policy->entry.file
			   : policy->note_lost ? "a policy of a file that is not known any more"
					       : "a policy of `snifence run`";
	bool audit = policy->settings.options.mode == SNIF_AUDIT;

	print_escaped(stdout, file, strlen(file));
	printf("%s\n", audit ? "  (audit: nothing is refused)" : "");
	if (policy->noted)
		printf("    sha256 %s, since %.19s\n", policy->entry.sha256,
		       moment_text(&timestamp, policy->entry.since));
	if (policy->note_lost)
		puts("    NOT NOTED: what " INSTANCE_ROOT
		     " had of it is gone, so that it cannot be reloaded; detach and "
		     "attach again what is below");
	printf("    allowed %" PRIu64 ", %s %" PRIu64 ", events lost %" PRIu64 "\n", count(&policy->counters, true),
	       audit ? "would refuse" : "refused", count(&policy->counters, false),
	       (uint64_t)policy->counters.of[SNIF_COUNTER_LOST]);
	for (size_t i = 0; i < inventory->attachment_count; i++)
		if (inventory_is_under(&inventory->attachments[i], policy))
			print_attachment(&inventory->attachments[i]);
	return found_print(instances, policy);
}

static void print_other(void *context, const char *name) {
	(void)context;
	printf("of another build of snifence: " INSTANCE_ROOT "/bpf/%s; `snifence load --take-over` takes it over\n",
	       name);
}

static int print_status(struct instances *instances, const struct inventory *inventory, int reader) {
	int error = 0;

	for (size_t i = 0; i < inventory->policy_count && !error; i++)
		error = print_policy(instances, inventory, &inventory->policies[i]);
	if (error)
		return error;
	for (size_t i = 0; i < inventory->attachment_count; i++)
		if (inventory->attachments[i].state == INVENTORY_GONE)
			print_attachment(&inventory->attachments[i]);
	if (inventory->policy_count == 0)
		puts("nothing is attached");
	else if (reader)
		printf("events are read by process %d\n", reader);
	else
		puts("nobody reads the events: `snifence monitor` does");
	return instances ? instances_others(instances, print_other, NULL) : 0;
}

/* ---- JSON ------------------------------------------------------------------------------------------------------ */

static struct json_object *counters_json(const struct snif_counters *counters) {
	struct json_object *object = json_object_new_object();
	int error = 0;

	for (int reason = SNIF_REASON_NONE + 1; reason < SNIF_REASON_COUNT; reason++)
		if (counters->of[reason])
			error |= json_put_number(object, reason_code((enum snif_reason)reason), counters->of[reason]);
	return json_checked(object, error);
}

static struct json_object *policy_json(struct instances *instances, const struct inventory_policy *policy) {
	struct json_object *object = json_object_new_object();
	struct timestamp timestamp = {0};
	int error = json_put_number(object, "instance", policy->instance);

	error |= json_put_number(object, "number", policy->number);
	error |= json_put_text(object, "file", policy->noted ? policy->entry.file : NULL);
	error |= json_put_text(object, "policy", policy->noted ? policy->entry.name : NULL);
	error |= json_put_text(object, "policy_sha256", policy->noted ? policy->entry.sha256 : NULL);
	error |= json_put(object, "note_lost", json_object_new_boolean(policy->note_lost));
	error |= json_put_text(object, "mode", policy->settings.options.mode == SNIF_AUDIT ? "audit" : "enforce");
	error |= json_put_number(object, "generation", policy->active.generation);
	error |= json_put_text(object, "since", policy->noted ? moment_text(&timestamp, policy->entry.since) : NULL);
	error |= json_put_number(object, "attachments", policy->attachments);
	error |= json_put_number(object, "lost", policy->counters.of[SNIF_COUNTER_LOST]);
	error |= json_put(object, "counters", counters_json(&policy->counters));
	error |= found_put_json(object, instances, policy);
	return json_checked(object, error);
}

static struct json_object *attachment_json(const struct inventory_attachment *attachment) {
	struct json_object *object = json_object_new_object();
	struct timestamp timestamp = {0};
	int error = json_put_number(object, "instance", attachment->instance);

	error |= json_put_number(object, "policy", attachment->attachment.policy);
	error |= json_put_text(object, "path", attachment->path);
	error |= json_put_number(object, "id", attachment->cgroup_id);
	error |= json_put_text(object, "unit", attachment->unit);
	error |= json_put_text(object, "state", state_words[attachment->state]);
	error |= json_put(object, "note_lost", json_object_new_boolean(attachment->note_lost));
	error |= json_put_text(object, "since", attachment->since ? moment_text(&timestamp, attachment->since) : NULL);
	error |= json_put_text(object, "trial_until",
			       attachment->trial_until ? moment_text(&timestamp, attachment->trial_until) : NULL);
	return json_checked(object, error);
}

static void add_other(void *context, const char *name) {
	json_add(context, json_object_new_string(name));
}

static int print_json(struct instances *instances, const struct inventory *inventory, int reader) {
	struct json_object *object = json_object_new_object(), *policies = json_object_new_array(),
			   *attachments = json_object_new_array(), *others = json_object_new_array();
	int error = 0;

	for (size_t i = 0; i < inventory->policy_count; i++)
		error |= json_add(policies, policy_json(instances, &inventory->policies[i]));
	for (size_t i = 0; i < inventory->attachment_count; i++)
		error |= json_add(attachments, attachment_json(&inventory->attachments[i]));
	if (instances)
		error |= instances_others(instances, add_other, others);
	error |= json_put(object, "policies", policies);
	error |= json_put(object, "attachments", attachments);
	error |= json_put(object, "others", others);
	error |= json_put_number(object, "reader", (uint64_t)reader);
	error = json_write(object, error, stdout);
	if (error)
		message_error("cannot write what is attached: %s", strerror(-error));
	return error;
}

static bool all_well(const struct inventory *inventory) {
	for (size_t i = 0; i < inventory->policy_count; i++)
		if (inventory->policies[i].note_lost)
			return false;
	for (size_t i = 0; i < inventory->attachment_count; i++)
		if (inventory->attachments[i].state != INVENTORY_LIVE || inventory->attachments[i].note_lost)
			return false;
	return true;
}

/* Returns 0 or a negative errno, after saying why. */
static int print(struct instances *instances, const struct inventory *inventory, bool json) {
	int reader = instances_reader();

	if (reader < 0) {
		message_error("cannot see who reads the events, in " INSTANCE_READER ": %s", strerror(-reader));
		return reader;
	}
	return json ? print_json(instances, inventory, reader) : print_status(instances, inventory, reader);
}

static int show_status(bool json) {
	struct inventory inventory = {0};
	struct instances instances;
	int error = instances_take(&instances, false), code = 0;
	bool resident = error != -ENOENT;

	if (resident && !error)
		error = inventory_read(&instances, &inventory);
	if ((resident && error) || print(resident ? &instances : NULL, &inventory, json))
		code = EXIT_FAILED;
	else if (!all_well(&inventory))
		code = EXIT_MISSING;
	inventory_free(&inventory);
	if (resident)
		instances_release(&instances);
	return code;
}

int status_main(int argc, char **argv) {
	bool json = false;
	int result = command_line_read_flag("status", usage, "json", argc, argv, &json);

	if (result)
		return result < 0 ? EXIT_USAGE : 0;
	return source_need_root("status") ? EXIT_FAILED : show_status(json);
}
