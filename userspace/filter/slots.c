/* SPDX-License-Identifier: BSD-2-Clause */
/* Compiled tables ──► a slot ──► in force for a policy, by one store. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/message.h"
#include "filter/filter_parts.h"

/* inner maps of a slot; entries that go into one with a system call; slots that are kept although no policy uses them */
enum { TABLES = 3, BATCH = 4096, KEPT = 8 };

/* One inner map of a slot: what it is, and the compiled entries that go into it, each a key and then a value. */
struct table {
	int outer;
	enum bpf_map_type type;
	const char *name;
	const char *entries;
	size_t count, entry_size, key_size, value_at, value_size;
	uint32_t slot;
	int error;
};

/* Copies the entries into the kernel, many with each system call. */
static int fill(int fd, const struct table *table) {
	char *keys = malloc(BATCH * table->key_size), *values = malloc(BATCH * table->value_size);
	int error = keys && values ? 0 : -ENOMEM;
	uint32_t count;

	for (size_t done = 0; done < table->count && !error; done += count) {
		count = table->count - done < BATCH ? (uint32_t)(table->count - done) : BATCH;
		for (uint32_t i = 0; i < count; i++) {
			const char *entry = table->entries + (done + i) * table->entry_size;

			memcpy(keys + i * table->key_size, entry, table->key_size);
			memcpy(values + i * table->value_size, entry + table->value_at, table->value_size);
		}
		error = bpf_map_update_batch(fd, keys, values, &count, NULL);
	}
	free(keys);
	free(values);
	return error;
}

/* Buckets are there already as the kernel is to have them. */
static int copy(int fd, const struct table *table) {
	size_t size = table->count * table->entry_size;
	void *there = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (there == MAP_FAILED)
		return -errno;
	memcpy(there, table->entries, size);
	munmap(there, size);
	return 0;
}

/* Makes the inner map, fills it and puts it into its outer map. */
static void *make_table(void *context) {
	struct table *table = context;
	bool is_trie = table->type == BPF_MAP_TYPE_LPM_TRIE;
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = is_trie ? BPF_F_NO_PREALLOC : SNIF_NAMES_FLAGS);
	int fd = bpf_map_create(table->type, table->name, (uint32_t)table->key_size, (uint32_t)table->value_size,
				table->count > 0 ? (uint32_t)table->count : 1, &options);

	table->error = fd < 0 ? fd : is_trie ? fill(fd, table) : copy(fd, table);
	if (!table->error)
		table->error = bpf_map_update_elem(table->outer, &table->slot, &fd, BPF_ANY);
	if (fd >= 0)
		close(fd);
	return NULL;
}

/*
 * Each table has a thread of its own: after a change to an outer map the kernel waits until no program can see the old
 * one (an RCU grace period, 8 to 20 ms), and these waits can be one. Returns 0 or the error of one that failed.
 */
static int make_tables(struct table *tables, size_t count) {
	pthread_t threads[TABLES];
	bool started[TABLES];
	int error = 0;

	for (size_t i = 0; i < count; i++) {
		started[i] = filter_start_thread(&threads[i], make_table, &tables[i]);
		if (!started[i])
			make_table(&tables[i]);
	}
	for (size_t i = 0; i < count; i++) {
		if (started[i])
			pthread_join(threads[i], NULL);
		error = error ? error : tables[i].error;
	}
	return error;
}

#define TABLE_OF(map_type, outer_map, map, items, item_count, key_member, value_member)                                \
	{                                                                                                              \
		.outer = filter->maps[outer_map], .type = map_type, .name = "snif_" #map,                              \
		.entries = (const char *)(items), .count = item_count, .entry_size = sizeof(*(items)),                 \
		.key_size = sizeof((items)->key_member), .value_at = offsetof(typeof(*(items)), value_member),         \
		.value_size = sizeof((items)->value_member), .slot = slot,                                             \
	}

/* A table of what a policy has found or asked, which stays as long as it has its number. Returns 0 or a negative errno. */
static int make_table_of(struct filter *filter, enum filter_map outer, uint32_t policy, const char *name,
			 uint32_t key_size, uint32_t value_size, uint32_t entries) {
	uint32_t id;
	int fd, error;

	if (bpf_map_lookup_elem(filter->maps[outer], &policy, &id) == 0)
		return 0;
	fd = bpf_map_create(BPF_MAP_TYPE_LRU_HASH, name, key_size, value_size, filter_room(filter, entries), NULL);
	error = fd < 0 ? fd : bpf_map_update_elem(filter->maps[outer], &policy, &fd, BPF_ANY);
	if (fd >= 0)
		close(fd);
	return error;
}

/* What lookups need: where names are bound to addresses, and the questions that wait. */
static int make_lookups(struct filter *filter, uint32_t policy, const struct snif_dns_rules *rules) {
	int error = 0;

	if (rules->bind != SNIF_BIND_OFF)
		error = make_table_of(filter, FILTER_BINDINGS, policy, "snif_bindings", sizeof(struct snif_binding_key),
				      sizeof(struct snif_binding), SNIF_BINDINGS);
	if (!error && (rules->bind != SNIF_BIND_OFF || rules->log_answers))
		error = make_table_of(filter, FILTER_QUESTIONS, policy, "snif_questions", sizeof(struct snif_question),
				      sizeof(struct snif_asked), SNIF_QUESTIONS);
	return error;
}

static int fill_slot(struct filter *filter, const struct compiled *compiled, uint32_t slot) {
	struct table tables[TABLES] = {
		TABLE_OF(BPF_MAP_TYPE_LPM_TRIE, FILTER_ADDRESSES, addresses, compiled->addresses,
			 compiled->address_count, key, class),
		TABLE_OF(BPF_MAP_TYPE_LPM_TRIE, FILTER_PORTS, ports, compiled->ports, compiled->port_count, key, dest),
		{.outer = filter->maps[FILTER_NAMES],
		 .type = BPF_MAP_TYPE_ARRAY,
		 .name = "snif_names",
		 .entries = (const char *)compiled->buckets,
		 .count = compiled->settings.buckets,
		 .entry_size = sizeof(struct snif_bucket),
		 .key_size = sizeof(__u32),
		 .value_size = sizeof(struct snif_bucket),
		 .slot = slot},
	};

	return make_tables(tables, TABLES);
}

/* ---- which slot ------------------------------------------------------------------------------------------------ */

struct slot {
	bool filled, used; /* used: it is in force for a policy */
	__u32 generation;
};

const struct snif_settings *filter_settings(const struct filter *filter, uint32_t slot) {
	return &filter->settings[slot % SNIF_SLOTS];
}

static bool is_filled(const struct snif_settings *settings) {
	static const __u8 none[sizeof(settings->sha256)];

	return memcmp(settings->sha256, none, sizeof(none)) != 0;
}

static void look_at_slots(const struct filter *filter, struct slot slots[SNIF_SLOTS]) {
	memset(slots, 0, sizeof(*slots) * SNIF_SLOTS);
	for (uint32_t i = 1; i < SNIF_SLOTS; i++) {
		slots[i].filled = is_filled(&filter->settings[i]);
		slots[i].generation = filter->settings[i].generation;
	}
	for (uint32_t i = 1; i < SNIF_POLICIES; i++)
		slots[filter_active(filter, i).slot % SNIF_SLOTS].used = true;
}

/* The slot that holds these tables already; 0: none does. */
static uint32_t same_slot(const struct filter *filter, const struct snif_settings *wanted) {
	for (uint32_t i = 1; i < SNIF_SLOTS; i++)
		if (memcmp(filter->settings[i].sha256, wanted->sha256, sizeof(wanted->sha256)) == 0 &&
		    memcmp(&filter->settings[i].options, &wanted->options, sizeof(wanted->options)) == 0 &&
		    memcmp(&filter->settings[i].dns, &wanted->dns, sizeof(wanted->dns)) == 0)
			return i;
	return 0;
}

static uint32_t free_slot(const struct slot slots[SNIF_SLOTS]) {
	for (uint32_t i = 1; i < SNIF_SLOTS; i++)
		if (!slots[i].filled && !slots[i].used)
			return i;
	return 0;
}

/* The slot that has been out of force for longest, of more than `kept`; 0: there are not that many. */
static uint32_t oldest_slot(const struct slot slots[SNIF_SLOTS], unsigned kept) {
	uint32_t oldest = 0;
	unsigned count = 0;

	for (uint32_t i = 1; i < SNIF_SLOTS; i++) {
		if (!slots[i].filled || slots[i].used)
			continue;
		count++;
		if (oldest == 0 || slots[i].generation < slots[oldest].generation)
			oldest = i;
	}
	return count > kept ? oldest : 0;
}

/* No policy may use the slot, nor a program that began when one did: filter_wait_for_programs(). */
static void empty_slot(struct filter *filter, uint32_t slot) {
	memset(&filter->settings[slot], 0, sizeof(filter->settings[slot]));
	bpf_map_delete_elem(filter->maps[FILTER_ADDRESSES], &slot);
	bpf_map_delete_elem(filter->maps[FILTER_PORTS], &slot);
	bpf_map_delete_elem(filter->maps[FILTER_NAMES], &slot);
}

static int empty_old_slots(struct filter *filter, struct slot slots[SNIF_SLOTS], unsigned kept) {
	uint32_t slot = oldest_slot(slots, kept);
	int error = slot ? filter_wait_for_programs(filter) : 0;

	for (; slot && !error; slot = oldest_slot(slots, kept)) {
		empty_slot(filter, slot);
		slots[slot].filled = false;
	}
	return error;
}

/* Fills a slot with the policy's tables. Returns the slot or a negative errno. */
static int fill_free_slot(struct filter *filter, const struct compiled *compiled) {
	struct slot slots[SNIF_SLOTS];
	uint32_t slot;
	int error = 0;

	/* while this process's own object loads, its first slot is free, and the rest of the maps is not there yet */
	if (!filter->settings) {
		error = fill_slot(filter, compiled, 1);
		return error ? error : 1;
	}
	look_at_slots(filter, slots);
	if (!free_slot(slots))
		error = empty_old_slots(filter, slots, 0);
	slot = free_slot(slots);
	if (!error)
		error = slot ? fill_slot(filter, compiled, slot) : -ENOSPC;
	return error ? error : (int)slot;
}

int filter_set_policy(struct filter *filter, uint32_t policy, const struct compiled *compiled) {
	const struct snif_settings *settings = &compiled->settings;
	struct slot slots[SNIF_SLOTS];
	int slot, error;
	bool same;

	slot = filter->settings ? (int)same_slot(filter, settings) : 0;
	same = slot > 0;
	if (!same)
		slot = policy > 0 && policy < SNIF_POLICIES ? fill_free_slot(filter, compiled) : -EINVAL;
	error = filter_finish_loading(filter);
	if (error)
		return error;
	if (slot >= 0) {
		error = make_lookups(filter, policy, &settings->dns);
		if (error)
			slot = error;
	}
	if (slot < 0) {
		message_error("cannot copy the policy into the kernel: %s",
			      slot == -ENOSPC ? "as many policies as it has room for are in force" : strerror(-slot));
		return slot;
	}
	if (!same)
		filter->settings[slot] = *settings;
	filter->settings[slot].generation = filter->policies[0].generation + 1;
	filter_put_in_force(filter, policy, (uint32_t)slot);
	/* what it replaces stays for a while; in the end that is a matter of memory only */
	look_at_slots(filter, slots);
	empty_old_slots(filter, slots, KEPT);
	return 0;
}

void filter_distrust_tables(struct filter *filter, uint32_t policy) {
	struct snif_settings *settings = &filter->settings[filter_active(filter, policy).slot % SNIF_SLOTS];

	/* by its digest a slot is found again; without one it is free as soon as nobody uses it */
	memset(settings->sha256, 0, sizeof(settings->sha256));
}

uint32_t filter_free_policy(struct filter *filter) {
	struct snif_counters *none = calloc((size_t)filter->cpus, sizeof(*none));
	uint32_t policy = 1;

	while (policy < SNIF_POLICIES && filter_active(filter, policy).policy != 0)
		policy++;
	if (!none || policy == SNIF_POLICIES ||
	    bpf_map_update_elem(filter->maps[FILTER_COUNTERS], &policy, none, BPF_ANY))
		policy = 0;
	free(none);
	return policy;
}

int filter_end_policy(struct filter *filter, uint32_t policy) {
	struct slot slots[SNIF_SLOTS];

	filter_put_in_force(filter, policy, 0);
	bpf_map_delete_elem(filter->maps[FILTER_BINDINGS], &policy);
	bpf_map_delete_elem(filter->maps[FILTER_QUESTIONS], &policy);
	look_at_slots(filter, slots);
	return empty_old_slots(filter, slots, KEPT);
}
