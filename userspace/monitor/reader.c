/* SPDX-License-Identifier: BSD-2-Clause */
/* The shared rings of all resident instances ──► events. */
#include "monitor/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/message.h"
#include "cgroup/cgroup_find.h"
#include "cgroup/cgroup_place.h"
#include "filter/ledger.h"

enum { SHARED_RING = 0, MEANINGS = 64, PLACES = 256, LOCK_PATIENCE_MS = 2000 };

/* What the numbers of a policy mean under a generation, as the ledger has it. */
struct meaning {
	unsigned instance;
	struct snif_active active;
	struct policy *policy; /* NULL: nothing is known of it */
	char sha256[SHA256_HEX];
};

/* Where a cgroup is. */
struct place {
	uint64_t id;
	char *path;
};

struct source_of_events {
	struct reader *reader;
	unsigned number;
	struct filter *filter;
	char name[INSTANCE_NAME];
	int fd;
};

struct reader {
	reader_event each;
	void *to;
	int epoll, lock, root_fd;
	struct source_of_events sources[INSTANCES];
	/* the last ones that were asked for; a new one takes the place of another */
	struct meaning meanings[MEANINGS];
	struct place places[PLACES];
};

static const char *place_of(struct reader *reader, uint64_t cgroup_id) {
	struct place *place = &reader->places[cgroup_id % PLACES];
	struct found_cgroup cgroup;

	if (place->id == cgroup_id && place->path)
		return place->path;
	if (cgroup_id == 0 || cgroup_find_id(reader->root_fd, cgroup_id, &cgroup))
		return "";
	free(place->path);
	place->id = cgroup_id;
	place->path = strdup(cgroup.path);
	cgroup_found_close(&cgroup);
	return place->path ? place->path : "";
}

static const struct meaning *meaning_of(const struct source_of_events *source, const struct snif_active *active) {
	struct meaning *meaning = &source->reader->meanings[(active->policy + 7 * active->generation) % MEANINGS];

	if (meaning->policy && meaning->instance == source->number &&
	    memcmp(&meaning->active, active, sizeof(*active)) == 0)
		return meaning;
	policy_free(meaning->policy);
	*meaning = (struct meaning){.instance = source->number, .active = *active};
	meaning->policy = ledger_rules(source->name, active->policy, active->generation, meaning->sha256);
	return meaning;
}

static void on_event(void *context, const struct snif_event *event) {
	struct source_of_events *source = context;
	const struct meaning *meaning = meaning_of(source, &event->active);
	const struct event_context words = {
		.policy = meaning->policy,
		.policy_sha256 = meaning->sha256,
		.cgroup_path = place_of(source->reader, event->process.cgroup_id),
	};

	source->reader->each(source->reader->to, event, &words);
}

/*
 * Locks the place of the one reader, and says there who it is. Some have the lock for a moment: who asks whether there is a
 * reader, and what a reader that was killed had just forked.
 */
static int take_lock(void) {
	char pid[16];
	int fd, error;

	error = instances_make_root();
	if (error)
		return error;
	fd = open(INSTANCE_READER, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	error = lock_within(fd, LOCK_PATIENCE_MS);
	if (!error) {
		snprintf(pid, sizeof(pid), "%d\n", getpid());
		if (ftruncate(fd, 0) == 0 && write(fd, pid, strlen(pid)) > 0)
			return fd;
		error = -errno;
	}
	close(fd);
	return error;
}

struct reader *reader_new(reader_event each, void *to) {
	struct reader *reader = calloc(1, sizeof(*reader));

	if (!reader) {
		message_error("out of memory");
		return NULL;
	}
	reader->each = each;
	reader->to = to;
	for (unsigned i = 0; i < INSTANCES; i++)
		reader->sources[i] = (struct source_of_events){.reader = reader, .number = i, .fd = -1};
	reader->epoll = epoll_create1(EPOLL_CLOEXEC);
	reader->root_fd = cgroup_place_root();
	reader->lock = take_lock();
	if (reader->lock == -EBUSY)
		message_error("another monitor is at work: " INSTANCE_ROOT "/monitor has its number");
	else if (reader->lock < 0)
		message_error("cannot lock " INSTANCE_ROOT "/monitor: %s", strerror(-reader->lock));
	if (reader->lock >= 0 && reader->root_fd >= 0 && reader->epoll >= 0)
		return reader;
	reader_free(reader);
	return NULL;
}

static void forget(struct reader *reader, struct source_of_events *source) {
	if (source->fd >= 0)
		epoll_ctl(reader->epoll, EPOLL_CTL_DEL, source->fd, NULL);
	filter_free(source->filter);
	source->filter = NULL;
	source->fd = -1;
}

static int open_source(struct reader *reader, struct instances *instances, struct source_of_events *source) {
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = source->number};

	instance_name(source->number, source->name);
	source->filter = instance_open(instances, source->number);
	if (!source->filter)
		return errno == ENOENT ? 0 : -errno;
	instance_keep(instances, source->number);
	source->fd = filter_events(source->filter, SHARED_RING, on_event, source);
	if (source->fd >= 0 && epoll_ctl(reader->epoll, EPOLL_CTL_ADD, source->fd, &event) == 0)
		return 0;
	message_error("cannot read the events of %s: %s", source->name, strerror(source->fd < 0 ? -source->fd : errno));
	return -EIO;
}

int reader_look(struct reader *reader) {
	struct instances instances;
	int error = instances_peek(&instances);
	char name[INSTANCE_NAME];

	for (unsigned i = 0; i < INSTANCES; i++) {
		struct source_of_events *source = &reader->sources[i];
		bool there = !error && faccessat(instances.root_fd, instance_name(i, name), F_OK, 0) == 0;

		if (source->filter && !there)
			forget(reader, source);
		if (!source->filter && there)
			error = open_source(reader, &instances, source);
	}
	if (error == -ENOENT)
		return 0;
	instances_release(&instances);
	return error;
}

const struct filter *reader_filter(const struct reader *reader, unsigned instance) {
	return reader->sources[instance].filter;
}

int reader_fd(const struct reader *reader) {
	return reader->epoll;
}

unsigned reader_turn(struct reader *reader) {
	unsigned sum = 0;

	for (unsigned i = 0; i < INSTANCES; i++) {
		int count = reader->sources[i].filter ? filter_consume(reader->sources[i].filter) : 0;

		sum += count > 0 ? (unsigned)count : 0;
	}
	return sum;
}

void reader_free(struct reader *reader) {
	if (!reader)
		return;
	for (unsigned i = 0; i < INSTANCES; i++)
		forget(reader, &reader->sources[i]);
	for (size_t i = 0; i < MEANINGS; i++)
		policy_free(reader->meanings[i].policy);
	for (size_t i = 0; i < PLACES; i++)
		free(reader->places[i].path);
	if (reader->epoll >= 0)
		close(reader->epoll);
	if (reader->root_fd >= 0)
		close(reader->root_fd);
	if (reader->lock >= 0)
		close(reader->lock);
	free(reader);
}
