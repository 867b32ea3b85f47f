/* SPDX-License-Identifier: BSD-2-Clause */
/* Whatever a command that was ended has left half done ──► done or undone. */
#include "control/repair.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/message.h"
#include "base/sha256.h"
#include "cgroup/cgroup_find.h"
#include "cgroup/cgroup_place.h"

struct repairing {
	struct filter *filter;
	const char *name;
	int root_fd;
	bool used[SNIF_POLICIES]; /* something is attached under it */
	uint64_t *attached;	  /* cgroups; sorted once all are there */
	size_t count;
	int error;
};

static int finish(struct repairing *repairing, uint64_t cgroup_id, const struct snif_attachment *attachment) {
	struct found_cgroup cgroup;
	bool detaching = attachment->state == SNIF_DETACHING;
	int error = cgroup_find_id(repairing->root_fd, cgroup_id, &cgroup);

	if (error)
		return error == -ESTALE ? 0 : error; /* the cgroup is gone, and the attachment with it */
	if (detaching)
		error = filter_detach(repairing->filter, cgroup.fd, cgroup_id);
	else
		error = filter_attach(repairing->filter, cgroup.fd, cgroup_id, attachment->policy, attachment->ring);
	if (!error)
		message_error("%s %s, which a command that was ended had begun", detaching ? "detached" : "attached",
			      cgroup.path);
	cgroup_found_close(&cgroup);
	return error;
}

static int add_attached(struct repairing *repairing, uint64_t cgroup_id) {
	uint64_t *id = array_add(&repairing->attached, &repairing->count, sizeof(*id));

	if (!id)
		return -ENOMEM;
	*id = cgroup_id;
	return 0;
}

static void look_at(struct repairing *repairing, uint64_t cgroup_id) {
	struct snif_attachment attachment;
	int error = filter_attachment(repairing->filter, cgroup_id, &attachment);

	if (error) {
		repairing->error = error == -ENOENT ? repairing->error : error;
		return;
	}
	if (attachment.state != SNIF_ATTACHED)
		error = finish(repairing, cgroup_id, &attachment);
	if (attachment.state != SNIF_DETACHING) {
		repairing->used[attachment.policy % SNIF_POLICIES] = true;
		error = error ? error : add_attached(repairing, cgroup_id);
	}
	if (error)
		repairing->error = error;
}

static void end_unused(struct repairing *repairing) {
	for (uint32_t i = 1; i < SNIF_POLICIES; i++) {
		if (repairing->used[i] || !filter_active(repairing->filter, i).policy)
			continue;
		/* in this order: what is noted is in force, or forgotten the next time */
		ledger_forget_policy(repairing->name, i);
		filter_end_policy(repairing->filter, i);
	}
}

/* Whoever detached one of several cgroups has put their policy under another generation, whose events name its rules. */
static int renew_used(const struct repairing *repairing) {
	struct snif_active active;
	int error = 0;
	char digest[SHA256_HEX];

	for (uint32_t i = 1; i < SNIF_POLICIES && !error; i++) {
		active = filter_active(repairing->filter, i);
		if (!active.policy)
			continue;
		sha256_hex(filter_settings(repairing->filter, active.slot)->sha256, digest);
		error = ledger_renew_policy(repairing->name, i, active.generation, digest);
	}
	return error;
}

bool left_behind(const struct filter *filter, int root_fd, const struct ledger_attachment *entry) {
	struct snif_attachment attachment;
	struct stat status;

	return fstatat(root_fd, entry->path + 1, &status, 0) == 0 && status.st_ino != entry->cgroup_id &&
	       filter_attachment(filter, status.st_ino, &attachment) == -ENOENT;
}

static int compare_ids(const void *left, const void *right) {
	uint64_t first = *(const uint64_t *)left, second = *(const uint64_t *)right;

	return first < second ? -1 : first > second;
}

/* Of what look_at() has seen: to ask the kernel for each once more takes attach a system call each. */
static bool is_gone(void *context, uint64_t cgroup_id) {
	const struct repairing *repairing = context;

	return repairing->count == 0 ||
	       !bsearch(&cgroup_id, repairing->attached, repairing->count, sizeof(cgroup_id), compare_ids);
}

static void forget_gone(void *context, const struct ledger_attachment *entry) {
	struct repairing *repairing = context;

	if (!left_behind(repairing->filter, repairing->root_fd, entry))
		ledger_forget_attachment(repairing->name, entry->cgroup_id);
}

static int repair_one(struct instances *instances, unsigned number, int root_fd) {
	char name[INSTANCE_NAME];
	uint64_t *ids;
	size_t count;
	struct repairing repairing = {.name = instance_name(number, name), .root_fd = root_fd};

	repairing.filter = instance_open(instances, number);
	if (!repairing.filter)
		return errno == ENOENT ? 0 : -errno;
	/* what is not seen would be taken for unused */
	repairing.error = filter_attached(repairing.filter, &ids, &count);
	for (size_t i = 0; i < count; i++)
		look_at(&repairing, ids[i]);
	free(ids);
	if (!repairing.error) {
		end_unused(&repairing);
		if (repairing.count > 0)
			qsort(repairing.attached, repairing.count, sizeof(*repairing.attached), compare_ids);
		repairing.error = ledger_attachments(name, is_gone, forget_gone, &repairing);
		if (!repairing.error)
			repairing.error = renew_used(&repairing);
	}
	free(repairing.attached);
	return repairing.error;
}

int repair(struct instances *instances) {
	int root_fd = cgroup_place_root(), error = 0;

	if (root_fd < 0)
		return root_fd;
	for (unsigned i = 0; i < INSTANCES && !error; i++)
		error = repair_one(instances, i, root_fd);
	close(root_fd);
	if (error)
		message_error("cannot put in order what is attached: %s; `snifence status` shows it", strerror(-error));
	return error;
}
