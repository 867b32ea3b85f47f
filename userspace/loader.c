/* SPDX-License-Identifier: BSD-2-Clause */
/* Compiled tables ──► maps and programs in the kernel. */
#include "loader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "message.h"
#include "snifence.skel.h"

struct filter {
	struct snifence_bpf *skeleton;
	struct snif_active *policies; /* the kernel's array itself */
	struct ring_buffer *ring;
	filter_event callback;
	void *context;
	uint32_t next_slot;
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

struct filter *filter_load(void) {
	struct filter *filter = calloc(1, sizeof(*filter));
	int error, cpus = libbpf_num_possible_cpus();

	if (!filter || cpus < 0 || !(filter->per_cpu = calloc((size_t)cpus, sizeof(*filter->per_cpu)))) {
		message_error("out of memory");
		filter_free(filter);
		return NULL;
	}
	libbpf_set_print(getenv("SNIFENCE_DEBUG") ? tell_warnings : quiet);
	filter->next_slot = 1;
	filter->skeleton = snifence_bpf__open_and_load();
	if (!filter->skeleton) {
		error = errno;
		message_error(
			"cannot load the BPF programs: %s (needs root and Linux 6.1 or newer; with SNIFENCE_DEBUG=1 in "
			"the environment the kernel's reason is shown)",
			strerror(error));
		filter_free(filter);
		return NULL;
	}
	filter->policies = mmap(NULL, sizeof(struct snif_active) * SNIF_POLICIES, PROT_READ | PROT_WRITE, MAP_SHARED,
				bpf_map__fd(filter->skeleton->maps.policies), 0);
	if (filter->policies == MAP_FAILED) {
		message_error("cannot map the policies' array: %s", strerror(errno));
		filter->policies = NULL;
		filter_free(filter);
		return NULL;
	}
	return filter;
}

/* Makes an inner map with room for `count` entries and puts it into `outer` at `slot`. Returns its descriptor. */
static int inner_map(struct bpf_map *outer, enum bpf_map_type type, const char *name, uint32_t key_size,
		     uint32_t value_size, size_t count, uint32_t slot) {
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = type == BPF_MAP_TYPE_LPM_TRIE ? BPF_F_NO_PREALLOC : 0);
	int fd = bpf_map_create(type, name, key_size, value_size, count > 0 ? (uint32_t)count : 1, &options);
	int error;

	if (fd < 0)
		return fd;
	error = bpf_map_update_elem(bpf_map__fd(outer), &slot, &fd, BPF_ANY);
	if (error) {
		close(fd);
		return error;
	}
	return fd;
}

static int fill_addresses(struct filter *filter, const struct compiled *compiled, uint32_t slot) {
	int fd = inner_map(filter->skeleton->maps.addresses, BPF_MAP_TYPE_LPM_TRIE, "snif_addresses",
			   sizeof(struct snif_address_key), sizeof(__u32), compiled->address_count, slot);
	int error = fd < 0 ? fd : 0;

	for (size_t i = 0; i < compiled->address_count && !error; i++)
		error = bpf_map_update_elem(fd, &compiled->addresses[i].key, &compiled->addresses[i].class,
					    BPF_NOEXIST);
	if (fd >= 0)
		close(fd);
	return error;
}

static int fill_ports(struct filter *filter, const struct compiled *compiled, uint32_t slot) {
	int fd = inner_map(filter->skeleton->maps.ports, BPF_MAP_TYPE_LPM_TRIE, "snif_ports",
			   sizeof(struct snif_port_key), sizeof(struct snif_dest), compiled->port_count, slot);
	int error = fd < 0 ? fd : 0;

	for (size_t i = 0; i < compiled->port_count && !error; i++)
		error = bpf_map_update_elem(fd, &compiled->ports[i].key, &compiled->ports[i].dest, BPF_NOEXIST);
	if (fd >= 0)
		close(fd);
	return error;
}

static int fill_names(struct filter *filter, const struct compiled *compiled, uint32_t slot) {
	int fd = inner_map(filter->skeleton->maps.names, BPF_MAP_TYPE_HASH, "snif_names", sizeof(__u64),
			   sizeof(struct snif_name_rules), compiled->name_count, slot);
	int error = fd < 0 ? fd : 0;

	for (size_t i = 0; i < compiled->name_count && !error; i++)
		error = bpf_map_update_elem(fd, &compiled->names[i].hash, &compiled->names[i].rules, BPF_NOEXIST);
	if (fd >= 0)
		close(fd);
	return error;
}

int filter_set_policy(struct filter *filter, uint32_t policy, const struct compiled *compiled) {
	struct snif_active active = {.slot = filter->next_slot};
	__u64 word;
	int error;

	if (policy == 0 || policy >= SNIF_POLICIES || active.slot >= SNIF_SLOTS)
		return -ENOSPC;
	error = fill_addresses(filter, compiled, active.slot);
	if (!error)
		error = fill_ports(filter, compiled, active.slot);
	if (!error)
		error = fill_names(filter, compiled, active.slot);
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

/* Egress comes first: until the attachment is written all refuse, and no socket escapes it. */
struct hook {
	const struct bpf_program *program;
	enum bpf_attach_type type;
};

#define HOOKS 7

static void list_hooks(const struct snifence_bpf *skeleton, struct hook hooks[HOOKS]) {
	hooks[0] = (struct hook){skeleton->progs.snif_egress, BPF_CGROUP_INET_EGRESS};
	hooks[1] = (struct hook){skeleton->progs.snif_accepted, BPF_CGROUP_SOCK_OPS};
	hooks[2] = (struct hook){skeleton->progs.snif_connect4, BPF_CGROUP_INET4_CONNECT};
	hooks[3] = (struct hook){skeleton->progs.snif_connect6, BPF_CGROUP_INET6_CONNECT};
	hooks[4] = (struct hook){skeleton->progs.snif_sendmsg4, BPF_CGROUP_UDP4_SENDMSG};
	hooks[5] = (struct hook){skeleton->progs.snif_sendmsg6, BPF_CGROUP_UDP6_SENDMSG};
	hooks[6] = (struct hook){skeleton->progs.snif_socket, BPF_CGROUP_INET_SOCK_CREATE};
}

int filter_attach(struct filter *filter, int cgroup_fd, uint64_t cgroup_id, uint32_t policy) {
	struct snif_attachment attachment = {.policy = policy};
	struct hook hooks[HOOKS];
	int error = 0, attached = 0;

	list_hooks(filter->skeleton, hooks);
	while (attached < HOOKS && !error) {
		error = bpf_prog_attach(bpf_program__fd(hooks[attached].program), cgroup_fd, hooks[attached].type,
					BPF_F_ALLOW_MULTI);
		if (!error)
			attached++;
	}
	if (error)
		message_error("cannot attach %s to the cgroup: %s", bpf_program__name(hooks[attached].program),
			      strerror(-error));
	else if ((error = bpf_map_update_elem(bpf_map__fd(filter->skeleton->maps.attachments), &cgroup_id, &attachment,
					      BPF_ANY)))
		message_error("cannot bind the policy to the cgroup: %s", strerror(-error));
	while (error && attached-- > 0)
		bpf_prog_detach2(bpf_program__fd(hooks[attached].program), cgroup_fd, hooks[attached].type);
	return error;
}

static int on_record(void *context, void *record, size_t size) {
	struct filter *filter = context;

	if (size >= sizeof(struct snif_event))
		filter->callback(filter->context, record);
	return 0;
}

int filter_events(struct filter *filter, filter_event callback, void *context) {
	filter->callback = callback;
	filter->context = context;
	filter->ring = ring_buffer__new(bpf_map__fd(filter->skeleton->maps.events), on_record, filter, NULL);
	return filter->ring ? ring_buffer__epoll_fd(filter->ring) : -errno;
}

int filter_consume(struct filter *filter) {
	return ring_buffer__consume(filter->ring);
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

void filter_free(struct filter *filter) {
	if (!filter)
		return;
	ring_buffer__free(filter->ring);
	if (filter->policies)
		munmap(filter->policies, sizeof(struct snif_active) * SNIF_POLICIES);
	snifence_bpf__destroy(filter->skeleton);
	free(filter->per_cpu);
	free(filter);
}
