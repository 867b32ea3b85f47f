/* SPDX-License-Identifier: BSD-2-Clause */
/* What is in the kernel, program by program and entry by entry, beside what should be. */
#include "filter/compare.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "filter/filter_parts.h"

enum { MOST_MAPS = 32, MOST_VALUE = 64 };

struct filter *compare_load(void) {
	struct filter *filter = filter_load(true);

	if (filter && filter_finish_loading(filter)) {
		filter_free(filter);
		return NULL;
	}
	return filter;
}

static bool is_own_map(const struct filter *filter, uint32_t id) {
	for (int i = 0; i < FILTER_MAPS; i++) {
		struct bpf_map_info info = {0};
		uint32_t size = sizeof(info);

		if (bpf_obj_get_info_by_fd(filter->maps[i], &info, &size) == 0 && info.id == id)
			return true;
	}
	return false;
}

/* The object's constants, which the kernel lets nobody change. */
static bool is_constant(uint32_t id) {
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);
	int fd = bpf_map_get_fd_by_id(id);
	bool constant = fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) == 0 &&
			(info.map_flags & BPF_F_RDONLY_PROG) && bpf_map_freeze(fd) &&
			(errno == EPERM || errno == EBUSY);

	if (fd >= 0)
		close(fd);
	return constant;
}

static bool uses_own_maps(const struct filter *filter, int program) {
	uint32_t ids[MOST_MAPS];
	struct bpf_prog_info info = {.nr_map_ids = MOST_MAPS, .map_ids = (uintptr_t)ids};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(filter->programs[program], &info, &size) || info.nr_map_ids > MOST_MAPS)
		return false;
	for (uint32_t i = 0; i < info.nr_map_ids; i++)
		if (!is_own_map(filter, ids[i]) && !is_constant(ids[i]))
			return false;
	return true;
}

static bool same_tag(int one, int other) {
	struct bpf_prog_info first = {0}, second = {0};
	uint32_t first_size = sizeof(first), second_size = sizeof(second);

	return bpf_obj_get_info_by_fd(one, &first, &first_size) == 0 &&
	       bpf_obj_get_info_by_fd(other, &second, &second_size) == 0 &&
	       memcmp(first.tag, second.tag, sizeof(first.tag)) == 0;
}

const char *compare_programs(const struct filter *filter, const struct filter *trusted) {
	for (int i = 0; i < FILTER_PROGRAMS; i++)
		if (!same_tag(filter->programs[i], trusted->programs[i]) || !uses_own_maps(filter, i))
			return filter_program_names[i];
	return NULL;
}

/* ---- tables ---------------------------------------------------------------------------------------------------- */

struct expected {
	const char *name;
	enum filter_map outer;
	const char *entries;
	size_t count, entry_size, value_at, value_size, key_size;
};

static int open_inner(const struct filter *filter, enum filter_map outer, uint32_t slot) {
	uint32_t id;

	return bpf_map_lookup_elem(filter->maps[outer], &slot, &id) ? -errno : bpf_map_get_fd_by_id(id);
}

static int count_entries(int fd, size_t key_size, uint64_t *count) {
	char key[MOST_VALUE] = {0}, next[MOST_VALUE];
	int error;

	*count = 0;
	while ((error = bpf_map_get_next_key(fd, *count ? key : NULL, next)) == 0) {
		memcpy(key, next, key_size);
		(*count)++;
	}
	return error == -ENOENT ? 0 : error;
}

/* Whether the entry is there and has its value. Returns 0 or a negative errno. */
static int compare_entry(int fd, const struct expected *expected, const char *entry, struct difference *difference) {
	char value[MOST_VALUE];
	int error = bpf_map_lookup_elem(fd, entry, value);

	if (error == -ENOENT)
		difference->missing++;
	else if (!error && memcmp(value, entry + expected->value_at, expected->value_size) != 0)
		difference->changed++;
	return error == -ENOENT ? 0 : error;
}

static int compare_table(const struct filter *filter, uint32_t slot, const struct expected *expected,
			 struct difference *difference) {
	int fd = open_inner(filter, expected->outer, slot);
	uint64_t found, count;
	int error = 0;

	if (fd < 0)
		return fd;
	*difference = (struct difference){0};
	for (size_t i = 0; i < expected->count && !error; i++)
		error = compare_entry(fd, expected, expected->entries + i * expected->entry_size, difference);
	if (!error)
		error = count_entries(fd, expected->key_size, &count);
	close(fd);
	if (error)
		return error;
	found = expected->count - difference->missing;
	difference->added = count > found ? count - found : 0;
	if (difference->missing || difference->changed || difference->added)
		difference->table = expected->name;
	return 0;
}

static void compare_bucket(const struct snif_bucket *found, const struct snif_bucket *wanted,
			   struct difference *difference) {
	for (int i = 0; i < SNIF_BUCKET_NAMES; i++) {
		const struct snif_bucket_name *a = &found->names[i], *b = &wanted->names[i];

		if (memcmp(a, b, sizeof(*a)) == 0)
			continue;
		if (!b->says)
			difference->added++;
		else if (!a->says)
			difference->missing++;
		else
			difference->changed++;
	}
	/* names behind it that would be overlooked, or found where there are none */
	difference->changed += found->full != wanted->full;
}

/* The table of names is the same byte by byte, under the same key. Returns as compare_tables(). */
static int compare_names(const struct filter *filter, uint32_t slot, const struct compiled *compiled,
			 struct difference *difference) {
	int fd = open_inner(filter, FILTER_NAMES, slot);
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);
	struct snif_bucket *found;
	size_t bytes = compiled->settings.buckets * sizeof(*found);

	if (fd < 0)
		return fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) || info.max_entries != compiled->settings.buckets) {
		close(fd);
		return -ENOENT;
	}
	found = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (found == MAP_FAILED)
		return -errno;
	for (size_t i = 0; i < compiled->settings.buckets; i++)
		compare_bucket(&found[i], &compiled->buckets[i], difference);
	munmap(found, bytes);
	if (difference->missing || difference->changed || difference->added)
		difference->table = "names";
	return 0;
}

#define EXPECTED(outer_map, items, number, key_member, value_member)                                                   \
	{                                                                                                              \
		.name = #items, .outer = outer_map, .entries = (const char *)compiled->items,                          \
		.count = compiled->number, .entry_size = sizeof(*compiled->items),                                     \
		.value_at = offsetof(typeof(*compiled->items), value_member),                                          \
		.value_size = sizeof(compiled->items->value_member), .key_size = sizeof(compiled->items->key_member),  \
	}

/* What matters of the settings: not when they were put in force. */
static bool same_settings(const struct snif_settings *a, const struct snif_settings *b) {
	return a->buckets == b->buckets && memcmp(a->lengths, b->lengths, sizeof(a->lengths)) == 0 &&
	       memcmp(&a->any, &b->any, sizeof(a->any)) == 0 && memcmp(&a->dns, &b->dns, sizeof(a->dns)) == 0 &&
	       memcmp(&a->options, &b->options, sizeof(a->options)) == 0;
}

int compare_tables(const struct filter *filter, uint32_t slot, const struct compiled *compiled,
		   struct difference *difference) {
	const struct expected tables[] = {
		EXPECTED(FILTER_ADDRESSES, addresses, address_count, key, class),
		EXPECTED(FILTER_PORTS, ports, port_count, key, dest),
	};
	int error;

	*difference = (struct difference){0};
	if (!same_settings(filter_settings(filter, slot), &compiled->settings))
		return -ESTALE;
	error = compare_names(filter, slot, compiled, difference);
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && !error && !difference->table; i++)
		error = compare_table(filter, slot, &tables[i], difference);
	return error;
}
