/* SPDX-License-Identifier: BSD-2-Clause */
/* A map of attachments ──► the cgroups that it knows, each of them. */
#include <errno.h>
#include <stdlib.h>

#include <bpf/bpf.h>

#include "base/array.h"
#include "filter/filter_parts.h"

struct walk {
	int map;
	void *value; /* room for one */
	uint64_t *ids;
	size_t count;
};

/* Returns 1, 0 or a negative errno. */
static int is_there(const struct walk *walk, uint64_t id) {
	int error = bpf_map_lookup_elem(walk->map, &id, walk->value);

	return error == -ENOENT ? 0 : error ? error : 1;
}

static int add(struct walk *walk, uint64_t id) {
	uint64_t *item = array_add(&walk->ids, &walk->count, sizeof(*item));

	if (!item)
		return -ENOMEM;
	*item = id;
	return 1;
}

/* Behind the last one there is none, if that is there; otherwise it goes on from the one before. */
static int at_end(struct walk *walk) {
	int there = walk->count ? is_there(walk, walk->ids[walk->count - 1]) : 1;

	if (there == 0)
		walk->count--;
	return there < 0 ? there : !there;
}

/*
 * Looks behind the last one that was found. Returns 1, or 0 at the end, or a negative errno. New ones come in before the
 * first; but any can go meanwhile, and the kernel says the same of one that is gone as of the last. Before Linux 7.1 it
 * has an id behind that, always the same, which is nobody's.
 */
static int step(struct walk *walk) {
	const uint64_t *last = walk->count ? &walk->ids[walk->count - 1] : NULL;
	uint64_t next, again;
	int error = bpf_map_get_next_key(walk->map, last, &next), there;

	if (error)
		return error == -ENOENT ? at_end(walk) : error;
	there = is_there(walk, next);
	if (there)
		return there < 0 ? there : add(walk, next);
	error = bpf_map_get_next_key(walk->map, last, &again);
	if (error)
		return error == -ENOENT ? at_end(walk) : error;
	return again != next;
}

int attached_cgroups(int map, uint64_t **ids, size_t *count) {
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);
	struct walk walk = {.map = map};
	int more = bpf_obj_get_info_by_fd(map, &info, &size) ? -errno : 1;

	walk.value = more > 0 ? malloc(info.value_size) : NULL;
	if (more > 0 && !walk.value)
		more = -ENOMEM;
	while (more > 0)
		more = step(&walk);
	free(walk.value);
	if (more < 0)
		free(walk.ids);
	*ids = more < 0 ? NULL : walk.ids;
	*count = more < 0 ? 0 : walk.count;
	return more;
}

int filter_attached(const struct filter *filter, uint64_t **ids, size_t *count) {
	return attached_cgroups(filter->maps[FILTER_ATTACHMENTS], ids, count);
}
