/* SPDX-License-Identifier: BSD-2-Clause */
/* What another build of snifence has attached ──► attached by this one. */
#include "control/take_over.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/message.h"
#include "cgroup/cgroup_find.h"
#include "cgroup/cgroup_place.h"
#include "control/attach_one.h"
#include "filter/ledger.h"

enum { MOST_NAMES = 32 };

struct taking {
	struct instances *instances;
	const char *name; /* of the other instance */
	struct other *other;
	int root_fd;
	bool left; /* something stays in it */
};

/* Attaches a cgroup as it is noted in the other instance. Returns 0 or a negative errno, after saying why. */
static int attach_as_noted(struct taking *taking, struct found_cgroup *cgroup, const struct ledger_attachment *entry) {
	const struct existing existing = {.keep = true, .before = taking->other};
	struct target target = {.cgroup = *cgroup, .unit = entry->unit};
	struct ledger_policy policy;
	struct source source;
	int error = ledger_read_policy(taking->name, entry->policy, &policy);

	if (error) {
		message_error("nothing is noted of the policy of %s in " INSTANCE_ROOT "/%s", cgroup->path,
			      taking->name);
		return error;
	}
	error = source_load(&source, policy.file, NULL, policy.audit) ? -EINVAL : 0;
	ledger_policy_free(&policy);
	if (error)
		return error;
	error = attach_one(taking->instances, &source, &target, &existing);
	source_free(&source);
	return error;
}

static int take_cgroup(struct taking *taking, struct found_cgroup *cgroup) {
	struct ledger_attachment entry;
	int error;

	/* of a run, which goes on under what it was started with */
	error = ledger_read_attachment(taking->name, cgroup->id, &entry);
	if (error == -ENOENT) {
		taking->left = true;
		return 0;
	}
	if (error)
		return error;
	error = instance_of(taking->instances, cgroup->id);
	if (error == -ENOENT)
		error = attach_as_noted(taking, cgroup, &entry);
	ledger_attachment_free(&entry);
	if (error < 0)
		return error;
	error = other_detach(taking->other, cgroup->fd);
	if (error)
		message_error("cannot detach a program of %s from %s: %s", taking->name, cgroup->path,
			      strerror(-error));
	else
		ledger_forget_attachment(taking->name, cgroup->id);
	return error;
}

/* Returns 0, also where the cgroup is gone, or a negative errno, after saying why. */
static int take_id(struct taking *taking, uint64_t id) {
	struct found_cgroup cgroup;
	int error = cgroup_find_id(taking->root_fd, id, &cgroup), attached;

	if (error == -ESTALE)
		return 0;
	if (error) {
		message_error("cannot open the cgroup %" PRIu64 ", which %s has attached: %s", id, taking->name,
			      strerror(-error));
		return error;
	}
	attached = other_is_attached(taking->other, cgroup.fd);
	if (attached < 0)
		message_error("cannot see what %s has attached to %s: %s", taking->name, cgroup.path,
			      strerror(-attached));
	error = attached > 0 ? take_cgroup(taking, &cgroup) : attached;
	cgroup_found_close(&cgroup);
	return error;
}

/* Each by itself: where the file of one is wrong, the others come under this build all the same. */
static int take_cgroups(struct taking *taking) {
	uint64_t *ids;
	size_t count;
	int error = other_attached(taking->other, &ids, &count);

	if (error) {
		message_error("cannot see what %s has attached: %s", taking->name, strerror(-error));
		return error;
	}
	for (size_t i = 0; i < count; i++) {
		int one = take_id(taking, ids[i]);

		error = error ? error : one;
	}
	free(ids);
	return error;
}

static int take_instance(struct taking *taking) {
	int error;

	taking->left = false;
	taking->other = other_open(taking->name);
	if (!taking->other)
		return -EIO;
	error = take_cgroups(taking);
	other_close(taking->other);
	if (error)
		return error;
	if (taking->left) {
		message_error("commands of `snifence run` go on in %s; once they have ended, this removes it",
			      taking->name);
		return 0;
	}
	instance_remove_other(taking->instances, taking->name);
	ledger_remove(taking->name);
	message_error("took over what %s had, and removed it", taking->name);
	return 0;
}

struct names {
	char names[MOST_NAMES][INSTANCE_NAME];
	size_t count;
};

static void note_name(void *context, const char *name) {
	struct names *names = context;

	if (names->count < MOST_NAMES && strlen(name) < INSTANCE_NAME)
		strcpy(names->names[names->count++], name);
}

int take_over(struct instances *instances) {
	struct taking taking = {.instances = instances, .root_fd = cgroup_place_root()};
	struct names names = {.count = 0};
	int error = taking.root_fd < 0 ? taking.root_fd : instances_others(instances, note_name, &names);

	for (size_t i = 0; i < names.count; i++) {
		int one;

		taking.name = names.names[i];
		one = take_instance(&taking);
		error = error ? error : one;
	}
	if (taking.root_fd >= 0)
		close(taking.root_fd);
	return error;
}
