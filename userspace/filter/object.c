/* SPDX-License-Identifier: BSD-2-Clause */
/* The BPF object ──► an instance of this process's own. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "base/message.h"
#include "filter/devices.h"
#include "filter/filter_parts.h"
#include "snifence.skel.h"

/* What libbpf goes on without when its own probe of it has failed, so that an error later says nothing of it. */
static const char *what_lacks(const struct filter *filter) {
	const struct snifence_bpf *skeleton = filter->skeleton;

	if (filter->load_error == -EPROTO || (filter->load_error == -EINVAL && bpf_object__btf_fd(skeleton->obj) < 0))
		return "the kernel has refused their types (BTF), or those of functions";
	return NULL;
}

static void tell_load(const struct filter *filter, int error) {
	const char *what = what_lacks(filter);

	message_error("cannot load the BPF programs: %s (needs root and Linux 6.1 or newer; with SNIFENCE_DEBUG=1 in "
		      "the environment the kernel's reason is shown)",
		      what ? what : strerror(-error));
}

/* Makes an outer map as its definition says, so that it can be filled before libbpf has loaded everything. */
static int make_outer(struct filter *filter, enum filter_map number, struct bpf_map *outer) {
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
	if (!error)
		filter->maps[number] = bpf_map__fd(outer);
	return error;
}

static void *load(void *context) {
	struct filter *filter = context;

	filter->load_error = snifence_bpf__load(filter->skeleton);
	return NULL;
}

/* Beside the rest: the kernel waits when it is put in its place. */
static void *make_ring(void *context) {
	struct filter *filter = context;

	filter->ring_error = filter_make_ring(filter, 0);
	return NULL;
}

/* Whether what the kernel has of the object's types says that functions are to be verified each by itself. */
static bool has_global_functions(int types_fd) {
	struct bpf_btf_info info = {0};
	uint32_t size = sizeof(info);
	struct btf *types =
		bpf_obj_get_info_by_fd(types_fd, &info, &size) ? NULL : btf__load_from_kernel_by_id(info.id);
	bool found = false;

	for (uint32_t i = 1; types && i < btf__type_cnt(types) && !found; i++) {
		const struct btf_type *type = btf__type_by_id(types, i);

		found = btf_is_func(type) && btf_vlen(type) == BTF_FUNC_GLOBAL;
	}
	btf__free(types);
	return found;
}

/* Called before the program is loaded. */
static int refuse_without_types(struct bpf_program *program, struct bpf_prog_load_opts *options, long unused) {
	(void)program;
	(void)unused;
	return options->prog_btf_fd > 0 && has_global_functions((int)options->prog_btf_fd) ? 0 : -EPROTO;
}

/*
 * libbpf goes on where it believes that the kernel knows less of types, after a probe that has failed for whatever
 * reason. The verifier then follows egress, the longest program, into each call of each function, and gives up after
 * ten seconds and a million instructions. Returns 0 or a negative errno.
 */
static int begin_with_types(void) {
	static int handler;
	LIBBPF_OPTS(libbpf_prog_handler_opts, options, .prog_prepare_load_fn = refuse_without_types);

	if (handler <= 0)
		handler = libbpf_register_prog_handler("cgroup_skb/egress", BPF_PROG_TYPE_CGROUP_SKB,
						       BPF_CGROUP_INET_EGRESS, &options);
	return handler > 0 ? 0 : handler;
}

/* Begins to load the object. Returns 0 or a negative errno. */
static int start_loading(struct filter *filter, bool reads_dns) {
	int error = begin_with_types();
	struct snifence_bpf *skeleton = filter->skeleton = error ? NULL : snifence_bpf__open();

	if (error)
		return error;
	if (!skeleton)
		return -errno;
	skeleton->rodata->reads_dns = reads_dns;
	error = bpf_map__set_max_entries(skeleton->maps.workspaces,
					 SNIF_WORKSPACES_OF_CPU * (reads_dns ? (uint32_t)filter->cpus : 1));
	if (!error)
		error = make_outer(filter, FILTER_ADDRESSES, skeleton->maps.addresses);
	if (!error)
		error = make_outer(filter, FILTER_PORTS, skeleton->maps.ports);
	if (!error)
		error = make_outer(filter, FILTER_NAMES, skeleton->maps.names);
	if (!error)
		error = make_outer(filter, FILTER_RINGS, skeleton->maps.rings);
	if (error)
		return error;
	filter->loading = filter_start_thread(&filter->loader, load, filter);
	if (!filter->loading)
		load(filter);
	filter->making_ring = filter_start_thread(&filter->ring_maker, make_ring, filter);
	if (!filter->making_ring)
		make_ring(filter);
	return 0;
}

static void take_descriptors(struct filter *filter) {
	const struct snifence_bpf *skeleton = filter->skeleton;
	const struct bpf_program *const programs[] = {
#define X(name, ...) skeleton->progs.name,
		SNIF_PROGRAMS(X)
#undef X
	};
	const struct bpf_map *const maps[] = {
#define X(constant, name) skeleton->maps.name,
		FILTER_MAP_LIST(X)
#undef X
	};

	for (int i = 0; i < FILTER_PROGRAMS; i++)
		filter->programs[i] = bpf_program__fd(programs[i]);
	for (int i = 0; i < FILTER_MAPS; i++)
		filter->maps[i] = bpf_map__fd(maps[i]);
}

int filter_finish_loading(struct filter *filter) {
	if (filter->loading)
		pthread_join(filter->loader, NULL);
	filter->loading = false;
	if (filter->making_ring)
		pthread_join(filter->ring_maker, NULL);
	filter->making_ring = false;
	if (!filter->load_error)
		filter->load_error = filter->ring_error;
	if (filter->load_error)
		tell_load(filter, filter->load_error);
	if (filter->load_error || filter->policies)
		return filter->load_error;
	take_descriptors(filter);
	filter->load_error = devices_allow(filter->maps[FILTER_DEVICES]);
	if (filter->load_error) {
		message_error("cannot tell the kernel which devices may be opened: %s", strerror(-filter->load_error));
		return filter->load_error;
	}
	filter->load_error = filter_map_arrays(filter);
	if (!filter->load_error)
		filter->load_error = filter_make_keys(filter);
	return filter->load_error;
}

struct filter *filter_load(bool reads_dns) {
	struct filter *filter = filter_new();
	int error;

	if (!filter)
		return NULL;
	error = start_loading(filter, reads_dns);
	if (!error)
		return filter;
	tell_load(filter, error);
	filter_free(filter);
	return NULL;
}
