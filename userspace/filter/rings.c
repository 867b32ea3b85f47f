/* SPDX-License-Identifier: BSD-2-Clause */
/* Ring buffers and counters ──► events, numbers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "filter/filter_parts.h"

enum { RING_SIZE = 1 << 20 };

int filter_make_ring(struct filter *filter, uint32_t ring) {
	int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "snif_ring", 0, 0, RING_SIZE, NULL), error;

	if (fd < 0)
		return fd;
	error = bpf_map_update_elem(filter->maps[FILTER_RINGS], &ring, &fd, BPF_ANY);
	close(fd);
	return error;
}

/* A ring's descriptor, or a negative errno. */
static int open_ring(const struct filter *filter, uint32_t ring) {
	__u32 id;
	int fd = bpf_map_lookup_elem(filter->maps[FILTER_RINGS], &ring, &id) ? -errno : bpf_map_get_fd_by_id(id);

	return fd;
}

bool filter_has_ring(const struct filter *filter, uint32_t ring) {
	__u32 id;

	return bpf_map_lookup_elem(filter->maps[FILTER_RINGS], &ring, &id) == 0;
}

static int on_record(void *context, void *record, size_t size) {
	struct filter *filter = context;
	struct snif_event event;

	if (size < SNIF_EVENT_NAMELESS)
		return 0;
	/* the record ends in the name */
	if (size > sizeof(event))
		size = sizeof(event);
	memcpy(&event, record, size);
	memset((char *)&event + size, 0, sizeof(event) - size);
	filter->callback(filter->context, &event);
	/* libbpf ends at -EAGAIN; the next call goes on behind it */
	return ++filter->delivered < FILTER_EVENTS_AT_ONCE ? 0 : -EAGAIN;
}

int filter_events(struct filter *filter, uint32_t ring, filter_event callback, void *context) {
	int fd = open_ring(filter, ring), error;

	if (fd < 0)
		return fd;
	filter->callback = callback;
	filter->context = context;
	filter->ring = ring_buffer__new(fd, on_record, filter, NULL);
	error = -errno;
	filter->ring_fd = fd;
	return filter->ring ? ring_buffer__epoll_fd(filter->ring) : error;
}

void filter_close_events(struct filter *filter) {
	ring_buffer__free(filter->ring);
	if (filter->ring_fd >= 0)
		close(filter->ring_fd);
	filter->ring = NULL;
	filter->ring_fd = -1;
}

int filter_consume(struct filter *filter) {
	int count;

	filter->delivered = 0;
	count = ring_buffer__consume(filter->ring);
	return count == -EAGAIN ? filter->delivered : count;
}

int filter_counters(const struct filter *filter, uint32_t policy, struct snif_counters *counters) {
	struct snif_counters *all = calloc((size_t)filter->cpus, sizeof(*all));
	int error = all ? bpf_map_lookup_elem(filter->maps[FILTER_COUNTERS], &policy, all) : -ENOMEM;

	memset(counters, 0, sizeof(*counters));
	for (int cpu = 0; cpu < filter->cpus && !error; cpu++)
		for (int i = 0; i < SNIF_COUNTERS; i++)
			counters->of[i] += all[cpu].of[i];
	free(all);
	return error;
}

uint64_t filter_counter(const struct filter *filter, uint32_t policy, uint32_t counter) {
	struct snif_counters counters;

	return counter < SNIF_COUNTERS && filter_counters(filter, policy, &counters) == 0 ? counters.of[counter] : 0;
}
