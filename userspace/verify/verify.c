/* SPDX-License-Identifier: BSD-2-Clause */
/* What is in the kernel beside what the files say ──► findings. */
#include "verify/verify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/command_line.h"
#include "base/message.h"
#include "cgroup/cgroup_find.h"
#include "cgroup/cgroup_place.h"
#include "control/inventory.h"
#include "control/source.h"
#include "filter/compare.h"
#include "verify/findings.h"
#include "verify/verify_processes.h"

static const char usage[] =
	"Usage: snifence verify [--json]\n"
	"\n"
	"Compares what is in the kernel with what should be there: programs, attachments, and each entry of\n"
	"each table with the policy's file, compiled again; and looks for what an attached process could get\n"
	"around the filter with. Each finding is one line, with what to do.\n"
	"\n"
	"  --json              print one JSON object\n"
	"  --help              this text\n"
	"\n"
	"Exit status:\n"
	"  0    all is as it should be\n"
	"  1    there are findings\n"
	"  2    the command line is wrong\n"
	"  125  snifence could not do its part\n";

struct verify {
	struct instances instances;
	struct inventory inventory;
	struct filter *trusted; /* loaded just now */
	struct findings findings;
	int root_fd;
};

/* ---- policies -------------------------------------------------------------------------------------------------- */

static void compare_entries(struct verify *verify, const struct inventory_policy *policy,
			    const struct compiled *compiled) {
	const struct filter *filter = instance_open(&verify->instances, policy->instance);
	const char *file = policy->entry.file;
	struct difference difference;
	int error = compare_tables(filter, policy->active.slot, compiled, &difference);

	if (error == -ESTALE)
		findings_add(&verify->findings, FINDING_SETTINGS_DIFFER, file, "`snifence reload` puts them right",
			     "its options in the kernel are not those of the file");
	else if (error && error != -ENOENT)
		verify->findings.incomplete = true;
	else if (error)
		findings_add(&verify->findings, FINDING_TABLE_MISSING, file, "`snifence reload` makes it anew",
			     "a table of it is not in the kernel");
	else if (difference.table)
		findings_add(&verify->findings, FINDING_ENTRY_DIFFERS, file,
			     "find out who did that, then `snifence reload` it",
			     "somebody has changed its %s in the kernel: %" PRIu64 " added, %" PRIu64
			     " changed, %" PRIu64 " missing",
			     difference.table, difference.added, difference.changed, difference.missing);
}

static void tell_lost_note(struct verify *verify, const struct inventory_policy *policy) {
	char name[INSTANCE_NAME], about[64];

	snprintf(about, sizeof(about), INSTANCE_ROOT "/%s/policy-%" PRIu32, instance_name(policy->instance, name),
		 policy->number);
	findings_add(
		&verify->findings, FINDING_NOTE_MISSING, about,
		"find out who did that, then detach and attach again what is under it, as `snifence status` lists it",
		"what was noted of a policy is gone: it cannot be compared with its file, nor reloaded");
}

static void verify_policy(struct verify *verify, const struct inventory_policy *policy) {
	struct compiled compiled = {0};
	struct source source;

	if (policy->note_lost)
		tell_lost_note(verify, policy);
	if (!policy->noted)
		return; /* that of a run, whose file nobody else knows */
	if (source_look(&source, policy->entry.file, policy->entry.audit)) {
		findings_add(&verify->findings, FINDING_FILE_UNREADABLE, policy->entry.file,
			     "put it right, `snifence check` shows where; what was read before is in force",
			     "the policy's file cannot be read as a policy now");
		return;
	}
	if (memcmp(policy->settings.sha256, source.compiled.settings.sha256, sizeof(policy->settings.sha256)) != 0)
		findings_add(&verify->findings, FINDING_FILE_DIFFERS, policy->entry.file, "`snifence reload` it",
			     "the file is another policy than the one in force");
	else if (compile_policy(source.policy, policy->settings.hash_key, &compiled) == 0)
		compare_entries(verify, policy, &compiled);
	else
		verify->findings.incomplete = true;
	compiled_free(&compiled);
	source_free(&source);
}

/* ---- attachments ----------------------------------------------------------------------------------------------- */

static void verify_programs(struct verify *verify, const struct inventory_attachment *attachment) {
	for (int i = 0; filter_program_name(i); i++)
		if (!(attachment->programs >> i & 1))
			findings_add(&verify->findings, FINDING_PROGRAM_MISSING, attachment->path,
				     "detach and attach it again", "the program %s is not attached to it any more",
				     filter_program_name(i));
	if (attachment->attachment.state != SNIF_ATTACHED)
		findings_add(&verify->findings, FINDING_HALF_DONE, attachment->path,
			     "any command that changes something "
			     "finishes it, like `snifence load`",
			     "a command that was ended has left it half done");
}

static void verify_unit(struct verify *verify, const struct inventory_attachment *attachment) {
	if (attachment->unit)
		findings_add(&verify->findings, FINDING_UNIT_RESTARTED, attachment->path,
			     "attach it again, by ExecStartPre=+ in the unit so that it holds for each start",
			     "the unit %s was started anew, and its cgroup is not attached", attachment->unit);
	else
		findings_add(&verify->findings, FINDING_CGROUP_RECREATED, attachment->path,
			     "attach it again, or detach it", "the cgroup was made anew, and is not attached");
}

static void verify_attachment(struct verify *verify, const struct inventory_attachment *attachment) {
	const struct filter *filter = instance_open(&verify->instances, attachment->instance);

	if (attachment->state == INVENTORY_GONE) {
		verify_unit(verify, attachment);
		return;
	}
	verify_programs(verify, attachment);
	if (attachment->note_lost)
		findings_add(&verify->findings, FINDING_NOTE_MISSING, attachment->path, "detach and attach it again",
			     "what was noted of it is gone: it cannot be told whether its unit is started anew");
	if (filter_active(filter, attachment->attachment.policy).slot == 0)
		findings_add(&verify->findings, FINDING_NO_POLICY, attachment->path, "attach it again",
			     "no policy is in force for it: all is refused");
}

static void verify_inside(struct verify *verify, const struct inventory_attachment *attachment) {
	const struct filter *filter = instance_open(&verify->instances, attachment->instance);
	struct found_cgroup cgroup;
	int error;

	if (attachment->state == INVENTORY_GONE)
		return;
	error = cgroup_find_id(verify->root_fd, attachment->cgroup_id, &cgroup);
	if (error) {
		verify->findings.incomplete |= error != -ESTALE;
		return;
	}
	verify_processes(filter, attachment, cgroup.fd, &verify->findings);
	cgroup_found_close(&cgroup);
}

/* ---- all of it ------------------------------------------------------------------------------------------------- */

static void verify_instance(struct verify *verify, unsigned number) {
	struct filter *filter = instance_open(&verify->instances, number);
	char name[INSTANCE_NAME];
	const char *program = filter ? compare_programs(filter, verify->trusted) : NULL;

	if (program)
		findings_add(&verify->findings, FINDING_PROGRAM_DIFFERS, instance_name(number, name),
			     "`snifence unload`, and attach anew",
			     "the program %s is not the one that this snifence loads, or uses other maps", program);
}

static int look_at_all(struct verify *verify) {
	int error = inventory_read(&verify->instances, &verify->inventory);

	if (error)
		return error;
	for (unsigned i = 0; i < INSTANCES; i++)
		verify_instance(verify, i);
	for (size_t i = 0; i < verify->inventory.policy_count; i++)
		verify_policy(verify, &verify->inventory.policies[i]);
	for (size_t i = 0; i < verify->inventory.attachment_count; i++)
		verify_attachment(verify, &verify->inventory.attachments[i]);
	/* a process can hold the lock of its socket for ever, at which this one would wait, deaf to SIGKILL */
	instances_let_go(&verify->instances);
	for (size_t i = 0; i < verify->inventory.attachment_count; i++)
		verify_inside(verify, &verify->inventory.attachments[i]);
	return 0;
}

static int tell(const struct findings *findings, bool json) {
	if (!json)
		findings_print(findings);
	else if (findings_print_json(findings))
		return EXIT_FAILED;
	if (findings->incomplete)
		message_error("not everything could be looked at: what is told is not all");
	return findings->count ? EXIT_MISSING : findings->incomplete ? EXIT_FAILED : 0;
}

/* Loads what it compares with before it takes the instances, for which other commands wait then. Returns 0 or a
 * negative errno; -ENOENT: nothing is loaded. */
static int take_instances(struct verify *verify) {
	int error = instances_peek(&verify->instances);

	instances_release(&verify->instances);
	if (error)
		return error;
	verify->trusted = compare_load();
	return verify->trusted ? instances_take(&verify->instances, false) : -EIO;
}

static int verify_all(bool json) {
	struct verify verify = {.instances.root_fd = -1, .root_fd = cgroup_place_root()};
	int error = verify.root_fd < 0 ? verify.root_fd : take_instances(&verify);
	int code = EXIT_FAILED;

	if (!error)
		error = look_at_all(&verify);
	if (!error || error == -ENOENT)
		code = tell(&verify.findings, json);
	filter_free(verify.trusted);
	inventory_free(&verify.inventory);
	instances_release(&verify.instances);
	findings_free(&verify.findings);
	if (verify.root_fd >= 0)
		close(verify.root_fd);
	return code;
}

int verify_main(int argc, char **argv) {
	bool json = false;
	int result = command_line_read_flag("verify", usage, "json", argc, argv, &json);

	if (result)
		return result < 0 ? EXIT_USAGE : 0;
	return source_need_root("verify") ? EXIT_FAILED : verify_all(json);
}
