/* SPDX-License-Identifier: BSD-2-Clause */
/* A cgroup and a policy ──► an attachment of a resident instance, which is noted. */
#include "control/attach_one.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/message.h"
#include "filter/ledger.h"

/* The number under which the policy is in force already. 0: it is not; or a negative errno, after saying why. */
static int find_policy(const struct source *source, const char *instance, const struct filter *filter) {
	struct ledger_policy entry;
	int number = ledger_find_policy(instance, filter, source->file), error;
	bool same;

	if (number <= 0)
		return number;
	error = ledger_read_policy(instance, (uint32_t)number, &entry);
	if (error)
		return error;
	same = strcmp(entry.sha256, source->compiled.sha256) == 0 && entry.mode == source->policy->mode;
	ledger_policy_free(&entry);
	if (same)
		return number;
	message_error("%s is in force in another form: `snifence reload` it first", source->file);
	return -ESTALE;
}

/* Its number in the instance, where it is put in force if it is not. Or a negative errno, after saying why. */
static int policy_in(const struct source *source, const char *instance, struct filter *filter) {
	int number = find_policy(source, instance, filter), error;

	if (number)
		return number;
	number = (int)filter_free_policy(filter);
	if (number == 0) {
		message_error("%d policies are in force, which is all there can be", SNIF_POLICIES - 1);
		return -ENOSPC;
	}
	error = filter_set_policy(filter, (uint32_t)number, &source->compiled);
	if (!error)
		error = source_note(source, instance, filter, (uint32_t)number);
	if (error)
		filter_end_policy(filter, (uint32_t)number);
	return error ? error : number;
}

static int note_attachment(const char *instance, const struct target *target, uint32_t policy) {
	struct ledger_attachment entry = {
		.cgroup_id = target->cgroup.id,
		.policy = policy,
		.path = target->cgroup.path,
		.unit = (char *)target->unit,
		.trial = target->trial,
		.trial_until = target->trial_until,
		.since = time(NULL),
	};
	int error = ledger_note_attachment(instance, &entry);

	if (error)
		message_error("cannot note the attachment in " INSTANCE_ROOT "/%s: %s", instance, strerror(-error));
	return error;
}

/* Programs that are there stay. Returns 0 or a negative errno, after saying why. */
static int attach_missing(struct filter *filter, const struct found_cgroup *cgroup,
			  const struct snif_attachment *attachment) {
	int programs = filter_attached_programs(filter, cgroup->fd), error;

	if (programs == FILTER_WHOLE)
		return 0;
	error = filter_attach(filter, cgroup->fd, cgroup->id, attachment->policy, attachment->ring);
	if (!error)
		printf("attached what was missing of %s\n", cgroup->path);
	return error;
}

/* Whoever waits for a confirmation has nothing to detach any more. */
static int end_trial(const char *instance, const struct target *target, uint32_t policy) {
	struct ledger_attachment entry;
	int error = ledger_read_attachment(instance, target->cgroup.id, &entry);
	bool trial = !error && entry.trial;

	if (!error)
		ledger_attachment_free(&entry);
	return trial || error == -ENOENT ? note_attachment(instance, target, policy) : error;
}

int attached_before(struct instances *instances, const struct source *source, const struct target *target) {
	const struct found_cgroup *cgroup = &target->cgroup;
	int number = target->trial ? -ENOENT : instance_of(instances, cgroup->id), policy, error;
	struct filter *filter = number < 0 ? NULL : instance_open(instances, (unsigned)number);
	struct snif_attachment attachment;
	char name[INSTANCE_NAME];

	if (!filter || filter_attachment(filter, cgroup->id, &attachment))
		return 0;
	policy = find_policy(source, instance_name((unsigned)number, name), filter);
	if (policy != (int)attachment.policy)
		return policy < 0 ? policy : 0;
	error = attach_missing(filter, cgroup, &attachment);
	if (!error)
		error = end_trial(name, target, attachment.policy);
	if (error)
		return error;
	printf("%s is attached under %s already\n", cgroup->path, source->file);
	return 1;
}

static int attach_keeping(const struct instances *instances, struct filter *filter, const struct found_cgroup *cgroup,
			  uint32_t policy, const struct existing *existing) {
	struct keep keep = {.filter = filter,
			    .policy = policy,
			    .existing = existing,
			    .visits = {.cgroup_fd = cgroup->fd, .lock_fd = instances->root_fd}};
	int error;

	keep_begin(&keep);
	error = filter_attach_keeping(filter, cgroup->fd, cgroup->id, policy, 0, keep_connections, &keep);
	keep_end(&keep);
	return error;
}

/* Returns -EEXIST, or another negative errno, after saying under which policy the cgroup is attached. */
static int refuse_attached(struct instances *instances, unsigned number, const struct found_cgroup *cgroup) {
	struct snif_attachment attachment;
	struct ledger_policy entry;
	char name[INSTANCE_NAME];
	int error = filter_attachment(instance_open(instances, number), cgroup->id, &attachment);

	if (error) {
		message_error("cannot see what is attached to %s: %s", cgroup->path, strerror(-error));
		return error;
	}
	error = ledger_read_policy(instance_name(number, name), attachment.policy, &entry);
	if (error == -ENOENT)
		message_error("%s is attached already, under a policy that nothing is noted of: `snifence detach` it "
			      "first",
			      cgroup->path);
	if (error)
		return error;
	message_error("%s is attached already, under %s: `snifence detach` it first, or `snifence reload` that policy",
		      cgroup->path, entry.file);
	ledger_policy_free(&entry);
	return -EEXIST;
}

/* The instance to attach it in. Or a negative errno, after saying why. */
static int find_instance(struct instances *instances, const struct found_cgroup *cgroup) {
	int attached = instance_of(instances, cgroup->id);

	if (attached >= 0)
		return refuse_attached(instances, (unsigned)attached, cgroup);
	return attached == -ENOENT ? instance_for(instances, cgroup->fd) : attached;
}

int attach_one(struct instances *instances, const struct source *source, struct target *target,
	       const struct existing *existing) {
	const struct found_cgroup *cgroup = &target->cgroup;
	int number = find_instance(instances, cgroup), policy, error;
	char name[INSTANCE_NAME];
	struct filter *filter;

	if (number < 0)
		return number;
	filter = instance_open(instances, (unsigned)number);
	instance_name((unsigned)number, name);
	policy = policy_in(source, name, filter);
	if (policy < 0)
		return policy;
	/* what is noted and not attached is forgotten, what is attached and not noted would be nameless */
	error = note_attachment(name, target, (uint32_t)policy);
	if (!error && existing->keep)
		error = attach_keeping(instances, filter, cgroup, (uint32_t)policy, existing);
	else if (!error)
		error = filter_attach(filter, cgroup->fd, cgroup->id, (uint32_t)policy, 0);
	if (error)
		return error;
	target->attached = true;
	printf("attached %s under %s\n", cgroup->path, source->file);
	return 0;
}
