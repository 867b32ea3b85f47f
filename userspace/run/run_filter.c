/* SPDX-License-Identifier: BSD-2-Clause */
/* The filter of a run: the resident instance, where there is one, or an instance of its own. */
#include "run/run_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/message.h"

enum { OWN_POLICY = 1, OWN_RING = 0 };

/* For others to be done, in milliseconds: before there is a word of it, then as long as anybody can be (visit.c); and in
 * the end. */
enum { SILENT_MS = 1000, BEGIN_MS = 20000, END_MS = 1000, STEP_MS = 100 };

static void release(struct run_filter *run) {
	if (run->holding)
		instances_release(&run->instances);
	run->holding = false;
}

/* ---- rings ----------------------------------------------------------------------------------------------------- */

/* Locks the file that stands for a ring. Returns its descriptor, or a negative errno: somebody else reads that ring. */
static int lock_ring(const char *instance, uint32_t ring) {
	char path[128];
	int fd, error;

	snprintf(path, sizeof(path), INSTANCE_ROOT "/%s", instance);
	if (mkdir(path, 0700) && errno != EEXIST)
		return -errno;
	snprintf(path, sizeof(path), INSTANCE_ROOT "/%s/ring-%u", instance, ring);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd < 0 ? -errno : fd;
	error = -errno;
	close(fd);
	return error;
}

/* A cgroup that is still attached writes to its ring, although the run that made it was killed. */
static int find_written(const struct filter *filter, bool written[SNIF_RINGS]) {
	struct snif_attachment attachment;
	uint64_t *ids;
	size_t count;
	int error = filter_attached(filter, &ids, &count), found;

	for (size_t i = 0; i < count && !error; i++) {
		found = filter_attachment(filter, ids[i], &attachment);
		if (!found)
			written[attachment.ring % SNIF_RINGS] = true;
		else if (found != -ENOENT)
			error = found;
	}
	free(ids);
	return error;
}

static void forget_event(void *context, const struct snif_event *event) {
	(void)context;
	(void)event;
}

/* What the last run has left unread there would be taken for this one's. */
static int drain(struct filter *filter, uint32_t ring) {
	int fd = filter_events(filter, ring, forget_event, NULL), count = fd < 0 ? fd : 1;

	while (count > 0)
		count = filter_consume(filter);
	filter_close_events(filter);
	return count;
}

static int take_ring(struct run_filter *run) {
	bool written[SNIF_RINGS] = {false};
	char name[INSTANCE_NAME];
	int error = find_written(run->filter, written);

	if (error)
		return error;
	instance_name(run->number, name);
	for (run->ring = 1; run->ring < SNIF_RINGS; run->ring++) {
		run->ring_lock = written[run->ring] ? -EBUSY : lock_ring(name, run->ring);
		if (run->ring_lock >= 0)
			break;
	}
	if (run->ring == SNIF_RINGS)
		return -EBUSY;
	if (!filter_has_ring(run->filter, run->ring))
		error = filter_make_ring(run->filter, run->ring);
	return error ? error : drain(run->filter, run->ring);
}

/* ---- a resident instance --------------------------------------------------------------------------------------- */

/* As run_filter_begin(); -ENOENT, without a word: nothing is resident. */
static int take_instances(struct run_filter *run, const struct signals *signals) {
	const long begin = clock_ms();
	bool told = false;
	int error, signal;

	while ((error = instances_take_within(&run->instances, STEP_MS)) == -EBUSY) {
		long waited = clock_ms() - begin;

		signal = signals_early(signals);
		if (signal)
			return 128 + signal;
		if (waited >= BEGIN_MS) {
			message_error("another command of snifence still holds what is resident: end it; `lslocks` "
				      "shows which one has locked " INSTANCE_ROOT "/bpf");
			return -ETIMEDOUT;
		}
		if (!told && waited >= SILENT_MS) {
			message_error(
				"another command of snifence changes what is resident: waiting for it, %d s at most",
				BEGIN_MS / 1000);
			told = true;
		}
	}
	return error;
}

/* The same, with all that the run has of it. */
static int begin_resident(struct run_filter *run, const struct cgroup *cgroup, const struct signals *signals) {
	int error = take_instances(run, signals), number;

	if (error)
		return error;
	run->holding = true;
	number = instance_open(&run->instances, 0) ? instance_for(&run->instances, cgroup->fd) : -ENOENT;
	if (number >= 0) {
		run->number = (unsigned)number;
		run->filter = instance_open(&run->instances, run->number);
		run->resident = true;
		error = take_ring(run);
		if (!error && (run->policy = filter_free_policy(run->filter)) == 0)
			error = -ENOSPC;
		if (error)
			message_error("cannot use the resident filter: %s; `snifence unload` lets runs load their own",
				      error == -EBUSY ? "all its rings are in use" : strerror(-error));
		return error;
	}
	release(run);
	return number;
}

int run_filter_begin(struct run_filter *run, const struct cgroup *cgroup, bool reads_dns,
		     const struct signals *signals) {
	int error;

	*run = (struct run_filter){.ring_lock = -1};
	error = begin_resident(run, cgroup, signals);
	if (error != -ENOENT)
		return error;
	run->policy = OWN_POLICY;
	run->ring = OWN_RING;
	run->filter = filter_load(reads_dns);
	return run->filter ? 0 : -EIO;
}

int run_filter_attach(struct run_filter *run, int cgroup_fd, uint64_t cgroup_id, const struct compiled *compiled) {
	int error = filter_set_policy(run->filter, run->policy, compiled);

	if (!error)
		error = filter_attach(run->filter, cgroup_fd, cgroup_id, run->policy, run->ring);
	if (run->resident) {
		/* others may go on; the instance stays open here */
		instance_keep(&run->instances, run->number);
		release(run);
	}
	return error;
}

void run_filter_end(struct run_filter *run) {
	struct instances instances;

	/* where this does not succeed, the next command that looks finds a policy under which nothing is attached */
	if (run->resident && run->filter && (run->holding || instances_take_within(&instances, END_MS) == 0)) {
		filter_end_policy(run->filter, run->policy);
		if (!run->holding)
			instances_release(&instances);
	}
	if (run->resident && run->holding)
		instance_keep(&run->instances, run->number);
	release(run);
	filter_free(run->filter);
	if (run->ring_lock >= 0)
		close(run->ring_lock);
	*run = (struct run_filter){.ring_lock = -1};
}
