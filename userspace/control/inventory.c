/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel holds and the ledger says ──► one list of policies and attachments. */
#include "control/inventory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/message.h"
#include "cgroup/cgroup_find.h"
#include "cgroup/cgroup_place.h"
#include "control/repair.h"

struct reading {
	struct inventory *inventory;
	struct filter *filter;
	unsigned instance;
	const char *name;
	int root_fd, error;
};

static void read_policy(struct reading *reading, uint32_t number) {
	struct snif_active active = filter_active(reading->filter, number);
	struct inventory_policy *policy;
	int error;

	if (active.policy == 0)
		return;
	policy = array_add(&reading->inventory->policies, &reading->inventory->policy_count, sizeof(*policy));
	if (!policy) {
		reading->error = -ENOMEM;
		return;
	}
	policy->instance = reading->instance;
	policy->number = number;
	policy->active = active;
	policy->settings = *filter_settings(reading->filter, active.slot);
	error = filter_counters(reading->filter, number, &policy->counters);
	if (!error)
		error = ledger_read_policy(reading->name, number, &policy->entry);
	policy->noted = !error;
	if (error && error != -ENOENT)
		reading->error = error;
}

static struct inventory_attachment *add_attachment(struct reading *reading, uint64_t cgroup_id) {
	struct inventory *inventory = reading->inventory;
	struct inventory_attachment *attachment =
		array_add(&inventory->attachments, &inventory->attachment_count, sizeof(*attachment));

	if (!attachment) {
		reading->error = -ENOMEM;
		return NULL;
	}
	attachment->instance = reading->instance;
	attachment->cgroup_id = cgroup_id;
	return attachment;
}

/* A run has a ring of its own, and notes nothing. */
static bool is_of_run(const struct inventory_attachment *attachment) {
	return attachment->attachment.ring != 0;
}

static int read_note(struct reading *reading, struct inventory_attachment *attachment) {
	struct ledger_attachment entry;
	int error = ledger_read_attachment(reading->name, attachment->cgroup_id, &entry);

	attachment->note_lost = error == -ENOENT && !is_of_run(attachment);
	if (error)
		return error == -ENOENT ? 0 : error;
	attachment->since = entry.since;
	/* once that is over, and it is attached still, it stays: nobody has waited */
	if (entry.trial_until > time(NULL))
		attachment->trial_until = entry.trial_until;
	attachment->unit = entry.unit;
	entry.unit = NULL;
	ledger_attachment_free(&entry);
	return 0;
}

static int fill_in(struct reading *reading, struct inventory_attachment *attachment,
		   const struct found_cgroup *cgroup) {
	attachment->programs = filter_attached_programs(reading->filter, cgroup->fd);
	if (attachment->programs < 0)
		return attachment->programs;
	attachment->state = attachment->attachment.state == SNIF_ATTACHED && attachment->programs == FILTER_WHOLE
				    ? INVENTORY_LIVE
				    : INVENTORY_NOT_WHOLE;
	attachment->path = strdup(cgroup->path);
	return attachment->path ? read_note(reading, attachment) : -ENOMEM;
}

static void read_attachment(struct reading *reading, uint64_t cgroup_id) {
	struct inventory_attachment *attachment;
	struct snif_attachment value;
	struct found_cgroup cgroup;
	int error = filter_attachment(reading->filter, cgroup_id, &value);

	if (!error)
		error = cgroup_find_id(reading->root_fd, cgroup_id, &cgroup);
	if (error) {
		/* it was detached, or is gone */
		if (error != -ENOENT && error != -ESTALE)
			reading->error = error;
		return;
	}
	attachment = add_attachment(reading, cgroup_id);
	if (attachment) {
		attachment->attachment = value;
		error = fill_in(reading, attachment, &cgroup);
		if (error)
			reading->error = error;
	}
	cgroup_found_close(&cgroup);
}

/* The kernel may have the value of a cgroup that is gone for a moment more. */
static bool is_not_listed(void *context, uint64_t cgroup_id) {
	const struct reading *reading = context;
	const struct inventory *inventory = reading->inventory;

	for (size_t i = 0; i < inventory->attachment_count; i++)
		if (inventory->attachments[i].instance == reading->instance &&
		    inventory->attachments[i].cgroup_id == cgroup_id)
			return false;
	return true;
}

/* Of those that were attached: the cgroup is gone, and another one has its path. */
static void read_gone(void *context, const struct ledger_attachment *entry) {
	struct reading *reading = context;
	struct inventory_attachment *attachment;

	if (!left_behind(reading->filter, reading->root_fd, entry))
		return;
	attachment = add_attachment(reading, entry->cgroup_id);
	if (!attachment)
		return;
	attachment->state = INVENTORY_GONE;
	attachment->attachment.policy = (__u16)entry->policy;
	attachment->since = entry->since;
	attachment->path = strdup(entry->path);
	attachment->unit = entry->unit ? strdup(entry->unit) : NULL;
	if (!attachment->path)
		reading->error = -ENOMEM;
}

bool inventory_is_under(const struct inventory_attachment *attachment, const struct inventory_policy *policy) {
	return attachment->state != INVENTORY_GONE && attachment->instance == policy->instance &&
	       attachment->attachment.policy == policy->number;
}

static void count_attachments(const struct inventory *inventory, struct inventory_policy *policy) {
	for (size_t i = 0; i < inventory->attachment_count; i++) {
		if (!inventory_is_under(&inventory->attachments[i], policy))
			continue;
		policy->attachments++;
		policy->note_lost |= !policy->noted && !is_of_run(&inventory->attachments[i]);
	}
}

static void read_attachments(struct reading *reading) {
	uint64_t *ids;
	size_t count;

	reading->error = filter_attached(reading->filter, &ids, &count);
	for (size_t i = 0; i < count; i++)
		read_attachment(reading, ids[i]);
	free(ids);
}

static void read_instance(struct instances *instances, struct reading *reading) {
	char name[INSTANCE_NAME];

	reading->name = instance_name(reading->instance, name);
	reading->filter = instance_open(instances, reading->instance);
	if (!reading->filter) {
		reading->error = errno == ENOENT ? 0 : -errno;
		return;
	}
	for (uint32_t i = 1; i < SNIF_POLICIES; i++)
		read_policy(reading, i);
	if (!reading->error)
		read_attachments(reading);
	if (!reading->error)
		reading->error = ledger_attachments(name, is_not_listed, read_gone, reading);
}

int inventory_read(struct instances *instances, struct inventory *inventory) {
	struct reading reading = {.inventory = inventory, .root_fd = cgroup_place_root()};

	*inventory = (struct inventory){0};
	if (reading.root_fd < 0)
		return reading.root_fd;
	for (; reading.instance < INSTANCES && !reading.error; reading.instance++)
		read_instance(instances, &reading);
	close(reading.root_fd);
	for (size_t i = 0; i < inventory->policy_count; i++)
		count_attachments(inventory, &inventory->policies[i]);
	if (!reading.error)
		return 0;
	if (reading.error != -EBADMSG) /* of which the ledger has said where */
		message_error("cannot read what is attached: %s", strerror(-reading.error));
	inventory_free(inventory);
	return reading.error;
}

void inventory_free(struct inventory *inventory) {
	for (size_t i = 0; i < inventory->policy_count; i++)
		if (inventory->policies[i].noted)
			ledger_policy_free(&inventory->policies[i].entry);
	for (size_t i = 0; i < inventory->attachment_count; i++) {
		free(inventory->attachments[i].path);
		free(inventory->attachments[i].unit);
	}
	free(inventory->policies);
	free(inventory->attachments);
	*inventory = (struct inventory){0};
}
