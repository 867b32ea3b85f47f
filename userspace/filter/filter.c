/* SPDX-License-Identifier: BSD-2-Clause */
/* Compiled tables ──► maps and programs in the kernel. */
#include "filter/filter.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/message.h"
#include "filter/devices.h"
#include "snifence.skel.h"

enum { TABLES = 3, BATCH = 4096 }; /* inner maps of a slot; entries that go into one with a system call */

struct filter {
	struct snifence_bpf *skeleton;
	struct snif_active *policies; /* the kernel's array itself */
	struct ring_buffer *ring;
	filter_event callback;
	void *context;
	int delivered; /* of the batch that is being delivered */
	uint32_t next_slot;
	unsigned attachments; /* made so far */
	pthread_t loader;     /* while `loading` */
	bool loading;
	int load_error;
	__u64 *per_cpu; /* one value for each possible CPU, to read a counter into */
};

/* libbpf tells of a refused program in hundreds of lines of verifier log: worth it only to who asks for it. */
static int quiet(enum libbpf_print_level level, const char *format, va_list arguments) {
	(void)level;
	(void)format;
	(void)arguments;
	return 0;
}

static int tell_warnings(enum libbpf_print_level level, const char *format, va_list arguments) {
	return level == LIBBPF_WARN ? vfprintf(stderr, format, arguments) : 0;
}

/* What libbpf goes on without when its own probe of it has failed, so that an error later says nothing of it. */
static const char *what_lacks(const struct filter *filter) {
	const struct snifence_bpf *skeleton = filter->skeleton;

	if (skeleton && !skeleton->bss)
		return "the kernel has refused an array in memory that it shares with them";
	if (filter->load_error == -EINVAL && bpf_object__btf_fd(skeleton->obj) < 0)
		return "the kernel has refused their types (BTF)";
	if (filter->load_error == -E2BIG)
		return "the kernel's verifier gave up, as it does where their types (BTF) are refused";
	return NULL;
}

static void tell_load(const struct filter *filter, int error) {
	const char *what = what_lacks(filter);

	message_error("cannot load the BPF programs: %s (needs root and Linux 6.1 or newer; with SNIFENCE_DEBUG=1 in "
		      "the environment the kernel's reason is shown)",
		      what ? what : strerror(-error));
}

/* Makes an outer map as its definition says, so that it can be filled before libbpf has loaded everything. */
static int make_outer(struct bpf_map *outer) {
	struct bpf_map *inner = bpf_map__inner_map(outer);
	LIBBPF_OPTS(bpf_map_create_opts, inner_options, .map_flags = bpf_map__map_flags(inner));
	int model = bpf_map_create(bpf_map__type(inner), NULL, bpf_map__key_size(inner), bpf_map__value_size(inner),
				   bpf_map__max_entries(inner), &inner_options);
	LIBBPF_OPTS(bpf_map_create_opts, options, .inner_map_fd = (uint32_t)model);
	int fd, error;

	if (model < 0)
		return model;
	fd = bpf_map_create(bpf_map__type(outer), bpf_map__name(outer), bpf_map__key_size(outer),
			    bpf_map__value_size(outer), bpf_map__max_entries(outer), &options);
	close(model);
	if (fd < 0)
		return fd;
	error = bpf_map__reuse_fd(outer, fd);
	close(fd);
	return error;
}

static void *load(void *context) {
	struct filter *filter = context;

	filter->load_error = snifence_bpf__load(filter->skeleton);
	if (!filter->load_error && !filter->skeleton->bss)
		filter->load_error = -EOPNOTSUPP;
	return NULL;
}

/* Begins to load the object. Returns 0 or a negative errno. */
static int start_loading(struct filter *filter) {
	int error;

	filter->skeleton = snifence_bpf__open();
	if (!filter->skeleton)
		return -errno;
	error = make_outer(filter->skeleton->maps.addresses);
	if (!error)
		error = make_outer(filter->skeleton->maps.ports);
	if (!error)
		error = make_outer(filter->skeleton->maps.names);
	if (error)
		return error;
	filter->loading = pthread_create(&filter->loader, NULL, load, filter) == 0;
	if (!filter->loading)
		load(filter);
	return 0;
}

/* Waits until the object is loaded. Returns 0 or a negative errno, after saying why. */
static int finish_loading(struct filter *filter) {
	void *policies;

	if (filter->loading)
		pthread_join(filter->loader, NULL);
	filter->loading = false;
	if (filter->load_error)
		tell_load(filter, filter->load_error);
	if (filter->load_error || filter->policies)
		return filter->load_error;
	filter->load_error = devices_allow(bpf_map__fd(filter->skeleton->maps.devices));
	if (filter->load_error) {
		message_error("cannot tell the kernel which devices may be opened: %s", strerror(-filter->load_error));
		return filter->load_error;
	}
	policies = mmap(NULL, sizeof(struct snif_active) * SNIF_POLICIES, PROT_READ | PROT_WRITE, MAP_SHARED,
			bpf_map__fd(filter->skeleton->maps.policies), 0);
	if (policies == MAP_FAILED) {
		int error = -errno;

		message_error("cannot map the policies' array: %s", strerror(-error));
		return error;
	}
	filter->policies = policies;
	return 0;
}

struct filter *filter_load(void) {
	struct filter *filter = calloc(1, sizeof(*filter));
	int error, cpus;

	libbpf_set_print(getenv("SNIFENCE_DEBUG") ? tell_warnings : quiet);
	cpus = libbpf_num_possible_cpus();
	if (cpus < 0) {
		message_error(
			"cannot read how many CPUs there can be, in /sys/devices/system/cpu/possible: %s; is /sys "
			"mounted?",
			strerror(-cpus));
		free(filter);
		return NULL;
	}
	if (!filter || !(filter->per_cpu = calloc((size_t)cpus, sizeof(*filter->per_cpu)))) {
		message_error("out of memory");
		filter_free(filter);
		return NULL;
	}
	filter->next_slot = 1;
	error = start_loading(filter);
	if (!error)
		return filter;
	tell_load(filter, error);
	filter_free(filter);
	return NULL;
}

/* One inner map of a slot: what it is, and the compiled entries that go into it, each a key and then a value. */
struct table {
	struct bpf_map *outer;
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

/* Makes the inner map, fills it and puts it into its outer map. */
static void *make_table(void *context) {
	struct table *table = context;
	LIBBPF_OPTS(bpf_map_create_opts, options,
		    .map_flags = table->type == BPF_MAP_TYPE_LPM_TRIE ? BPF_F_NO_PREALLOC : 0);
	int fd = bpf_map_create(table->type, table->name, (uint32_t)table->key_size, (uint32_t)table->value_size,
				table->count > 0 ? (uint32_t)table->count : 1, &options);

	table->error = fd < 0 ? fd : fill(fd, table);
	if (!table->error)
		table->error = bpf_map_update_elem(bpf_map__fd(table->outer), &table->slot, &fd, BPF_ANY);
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
		started[i] = pthread_create(&threads[i], NULL, make_table, &tables[i]) == 0;
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

#define TABLE_OF(map_type, map, items, item_count, key_member, value_member)                                           \
	{                                                                                                              \
		.outer = filter->skeleton->maps.map, .type = map_type, .name = "snif_" #map,                           \
		.entries = (const char *)(items), .count = item_count, .entry_size = sizeof(*(items)),                 \
		.key_size = sizeof((items)->key_member), .value_at = offsetof(typeof(*(items)), value_member),         \
		.value_size = sizeof((items)->value_member), .slot = slot,                                             \
	}

static int fill_slot(struct filter *filter, const struct compiled *compiled, uint32_t slot) {
	struct table tables[TABLES] = {
		TABLE_OF(BPF_MAP_TYPE_LPM_TRIE, addresses, compiled->addresses, compiled->address_count, key, class),
		TABLE_OF(BPF_MAP_TYPE_LPM_TRIE, ports, compiled->ports, compiled->port_count, key, dest),
		TABLE_OF(BPF_MAP_TYPE_HASH, names, compiled->names, compiled->name_count, hash, rules),
	};

	return make_tables(tables, TABLES);
}

int filter_set_policy(struct filter *filter, uint32_t policy, const struct compiled *compiled) {
	struct snif_active active = {.slot = filter->next_slot};
	__u64 word;
	int error, loaded;

	if (policy == 0 || policy >= SNIF_POLICIES || active.slot >= SNIF_SLOTS)
		return -ENOSPC;
	error = fill_slot(filter, compiled, active.slot);
	loaded = finish_loading(filter);
	if (loaded)
		return loaded;
	if (!error)
		error = bpf_map_update_elem(bpf_map__fd(filter->skeleton->maps.settings), &active.slot,
					    &compiled->settings, BPF_ANY);
	if (error) {
		message_error("cannot copy the policy into the kernel: %s", strerror(-error));
		return error;
	}
	filter->next_slot++;
	active.generation = filter->policies[policy].generation + 1;
	memcpy(&word, &active, sizeof(word));
	__atomic_store_n((__u64 *)&filter->policies[policy], word, __ATOMIC_RELEASE);
	return 0;
}

int filter_attach(struct filter *filter, int cgroup_fd, uint64_t cgroup_id, uint32_t policy) {
	struct snif_attachment attachment = {.policy = policy};
	const struct snifence_bpf *skeleton = filter->skeleton;
	const struct {
		const struct bpf_program *program;
		enum bpf_attach_type type;
	} hooks[] = {
#define X(name, attach_type, ...) {skeleton->progs.name, attach_type},
		SNIF_PROGRAMS(X)
#undef X
	};
	size_t attached = 0;
	int error = 0;

	/* from the second attachment on, all of them have to ask under which policy they run */
	skeleton->bss->only_policy = 0;
	while (attached < sizeof(hooks) / sizeof(hooks[0]) && !error) {
		error = bpf_prog_attach(bpf_program__fd(hooks[attached].program), cgroup_fd, hooks[attached].type,
					BPF_F_ALLOW_MULTI);
		if (!error)
			attached++;
	}
	if (error)
		message_error("cannot attach %s to the cgroup: %s", bpf_program__name(hooks[attached].program),
			      strerror(-error));
	else if ((error = bpf_map_update_elem(bpf_map__fd(skeleton->maps.attachments), &cgroup_id, &attachment,
					      BPF_ANY)))
		message_error("cannot bind the policy to the cgroup: %s", strerror(-error));
	while (error && attached-- > 0)
		bpf_prog_detach2(bpf_program__fd(hooks[attached].program), cgroup_fd, hooks[attached].type);
	if (!error && filter->attachments++ == 0)
		skeleton->bss->only_policy = policy;
	return error;
}

enum { EVENTS_AT_ONCE = 1024 };

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
	return ++filter->delivered < EVENTS_AT_ONCE ? 0 : -EAGAIN;
}

int filter_events(struct filter *filter, filter_event callback, void *context) {
	filter->callback = callback;
	filter->context = context;
	filter->ring = ring_buffer__new(bpf_map__fd(filter->skeleton->maps.events), on_record, filter, NULL);
	return filter->ring ? ring_buffer__epoll_fd(filter->ring) : -errno;
}

int filter_consume(struct filter *filter) {
	int count;

	filter->delivered = 0;
	count = ring_buffer__consume(filter->ring);
	return count == -EAGAIN ? filter->delivered : count;
}

uint64_t filter_counter(const struct filter *filter, uint32_t counter) {
	int cpus = libbpf_num_possible_cpus();
	uint64_t sum = 0;

	if (bpf_map_lookup_elem(bpf_map__fd(filter->skeleton->maps.counters), &counter, filter->per_cpu))
		return 0;
	for (int i = 0; i < cpus; i++)
		sum += filter->per_cpu[i];
	return sum;
}

uint32_t filter_tags_id(const struct filter *filter) {
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);

	return bpf_obj_get_info_by_fd(bpf_map__fd(filter->skeleton->maps.tags), &info, &size) ? 0 : info.id;
}

void filter_free(struct filter *filter) {
	if (!filter)
		return;
	if (filter->loading)
		pthread_join(filter->loader, NULL);
	ring_buffer__free(filter->ring);
	if (filter->policies)
		munmap(filter->policies, sizeof(struct snif_active) * SNIF_POLICIES);
	snifence_bpf__destroy(filter->skeleton);
	free(filter->per_cpu);
	free(filter);
}
