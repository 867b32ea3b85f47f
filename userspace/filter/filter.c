/* SPDX-License-Identifier: BSD-2-Clause */
/* What all instances have: descriptors, the array of what is in force, and their end. */
#include "filter/filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/message.h"
#include "filter/filter_parts.h"
#include "snifence.skel.h"

const enum bpf_attach_type filter_attach_types[] = {
#define X(name, attach_type, ...) attach_type,
	SNIF_PROGRAMS(X)
#undef X
};

const char *const filter_program_names[] = {
#define X(name, ...) #name,
	SNIF_PROGRAMS(X)
#undef X
};

const char *const filter_map_names[] = {
#define X(constant, name) #name,
	FILTER_MAP_LIST(X)
#undef X
};

const int FILTER_WHOLE = (1 << FILTER_PROGRAMS) - 1;

enum {
	THREAD_STACK = 1 << 20,
	POLICIES_SIZE = sizeof(struct snif_active) * SNIF_POLICIES,
	SETTINGS_SIZE = sizeof(struct snif_settings) * SNIF_SLOTS,
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

struct filter *filter_new(void) {
	struct filter *filter = calloc(1, sizeof(*filter));
	int cpus;

	libbpf_set_print(getenv("SNIFENCE_DEBUG") ? tell_warnings : quiet);
	cpus = libbpf_num_possible_cpus();

	if (!filter) {
		message_error("out of memory");
		return NULL;
	}
	memset(filter->programs, 0xff, sizeof(filter->programs));
	memset(filter->maps, 0xff, sizeof(filter->maps));
	filter->ring_fd = -1;
	if (cpus < 0) {
		message_error(
			"cannot read how many CPUs there can be, in /sys/devices/system/cpu/possible: %s; is /sys "
			"mounted?",
			strerror(-cpus));
		free(filter);
		return NULL;
	}
	filter->cpus = cpus;
	return filter;
}

/* NULL with errno set. */
static void *map_array(const struct filter *filter, enum filter_map map, size_t size) {
	void *array = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, filter->maps[map], 0);

	return array == MAP_FAILED ? NULL : array;
}

int filter_map_arrays(struct filter *filter) {
	int error = 0;

	filter->policies = map_array(filter, FILTER_POLICIES, POLICIES_SIZE);
	if (filter->policies)
		filter->settings = map_array(filter, FILTER_SETTINGS, SETTINGS_SIZE);
	if (!filter->policies || !filter->settings) {
		error = -errno;
		message_error("cannot map the arrays of policies: %s", strerror(-error));
	}
	return error;
}

int filter_make_keys(struct filter *filter) {
	struct snif_settings *own = &filter->settings[0];

	if (getrandom(own->hash_key, sizeof(own->hash_key), 0) == (ssize_t)sizeof(own->hash_key))
		return 0;
	message_error("cannot get random bytes for a key: %s", strerror(errno));
	return -EIO;
}

struct snif_active filter_active(const struct filter *filter, uint32_t policy) {
	struct snif_active active;
	__u64 word = __atomic_load_n((__u64 *)&filter->policies[policy], __ATOMIC_ACQUIRE);

	memcpy(&active, &word, sizeof(active));
	return active;
}

/* Which no policy has had yet. For who holds the instance alone. */
static uint32_t next_generation(struct filter *filter) {
	return ++filter->policies[0].generation;
}

void filter_put_in_force(struct filter *filter, uint32_t policy, uint32_t slot) {
	struct snif_active active = {0};
	__u64 word;

	if (slot > 0)
		active = (struct snif_active){(__u16)slot, (__u16)policy, next_generation(filter)};
	memcpy(&word, &active, sizeof(word));
	__atomic_store_n((__u64 *)&filter->policies[policy], word, __ATOMIC_RELEASE);
}

bool filter_start_thread(pthread_t *thread, void *(*run)(void *), void *context) {
	pthread_attr_t attributes;
	bool begun;

	if (pthread_attr_init(&attributes))
		return false;
	pthread_attr_setstacksize(&attributes, THREAD_STACK);
	begun = pthread_create(thread, &attributes, run, context) == 0;
	pthread_attr_destroy(&attributes);
	return begun;
}

int filter_wait_for_programs(struct filter *filter) {
	/* the kernel waits behind each change of an outer map; slot 0 is never used */
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = SNIF_NAMES_FLAGS);
	int names = bpf_map_create(BPF_MAP_TYPE_ARRAY, "snif_names", sizeof(__u32), sizeof(struct snif_bucket), 1,
				   &options);
	__u32 slot = 0;
	int error;

	if (names < 0)
		return names;
	error = bpf_map_update_elem(filter->maps[FILTER_NAMES], &slot, &names, BPF_ANY);
	close(names);
	return error;
}

int filter_tag(const struct filter *filter, int socket, struct snif_tag *tag) {
	return bpf_map_lookup_elem(filter->maps[FILTER_TAGS], &socket, tag);
}

int filter_hello(const struct filter *filter, int socket, const struct snif_tag *tag, struct snif_hello *hello) {
	struct snif_inspection inspection;

	memset(hello, 0, sizeof(*hello));
	if (tag->name_length > 0) {
		hello->ech = tag->ech;
		hello->name_length = tag->name_length;
		memcpy(hello->name, tag->name, sizeof(tag->name));
		return 0;
	}
	if (bpf_map_lookup_elem(filter->maps[FILTER_INSPECTIONS], &socket, &inspection))
		return -ENOENT;
	*hello = inspection.hello;
	return 0;
}

uint32_t filter_tags_id(const struct filter *filter) {
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);

	return bpf_obj_get_info_by_fd(filter->maps[FILTER_TAGS], &info, &size) ? 0 : info.id;
}

static void close_pins(const int *descriptors, int count) {
	for (int i = 0; i < count; i++)
		if (descriptors[i] >= 0)
			close(descriptors[i]);
}

void filter_free(struct filter *filter) {
	if (!filter)
		return;
	if (filter->making_ring)
		pthread_join(filter->ring_maker, NULL);
	if (filter->loading)
		pthread_join(filter->loader, NULL);
	filter_close_events(filter);
	if (filter->policies)
		munmap(filter->policies, POLICIES_SIZE);
	if (filter->settings)
		munmap(filter->settings, SETTINGS_SIZE);
	if (filter->skeleton) {
		snifence_bpf__destroy(filter->skeleton);
	} else {
		close_pins(filter->programs, FILTER_PROGRAMS);
		close_pins(filter->maps, FILTER_MAPS);
	}
	free(filter);
}
