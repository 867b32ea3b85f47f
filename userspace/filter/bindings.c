/* SPDX-License-Identifier: BSD-2-Clause */
/* Names at addresses ──► the kernel's bindings of a policy. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "filter/filter_parts.h"

/* The number of this network namespace, as the kernel's side knows it; 0: not to be had. */
static uint64_t own_namespace(void) {
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(uint64_t);
	uint64_t cookie = 0;

	if (fd < 0)
		return 0;
	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size))
		cookie = 0;
	close(fd);
	return cookie;
}

static int open_bindings(const struct filter *filter, uint32_t policy) {
	uint32_t id;

	return bpf_map_lookup_elem(filter->maps[FILTER_BINDINGS], &policy, &id) ? -errno : bpf_map_get_fd_by_id(id);
}

/* What was bound for longer, by another name at the address or before, stays as long: as the kernel's side does it. */
static int bind_one(int fd, const struct snif_binding_key *key, struct snif_binding binding) {
	struct snif_binding before;

	if (bpf_map_lookup_elem(fd, key, &before) == 0 && before.expires > binding.expires)
		binding.expires = before.expires;
	return bpf_map_update_elem(fd, key, &binding, BPF_ANY);
}

uint64_t filter_binding_name(const struct filter *filter, const char *name, size_t length) {
	return snif_bound_name(snif_name_hash(filter->settings[0].hash_key, name, length));
}

int filter_binder_open(struct filter_binder *binder, const struct filter *filter, uint32_t policy) {
	const struct snif_active active = filter_active(filter, policy);

	*binder = (struct filter_binder){
		.filter = filter,
		.generation = active.generation,
		.group_rules = filter_settings(filter, active.slot)->group_rules,
		.netns_cookie = own_namespace(),
		.map = open_bindings(filter, policy),
	};
	return binder->map < 0 ? binder->map : 0;
}

int filter_bind(const struct filter_binder *binder, const char *name, size_t length, const __u8 address[16],
		const struct snif_name_rule *rule, uint64_t expires) {
	const __u64 keys[] = {SNIF_BOUND_ANY, filter_binding_name(binder->filter, name, length),
			      snif_bound_group(binder->group_rules, rule->zone)};
	const struct snif_binding binding = {.expires = expires, .rule = rule->rule, .generation = binder->generation};
	struct snif_binding_key key = {.netns_cookie = binder->netns_cookie};
	int error = 0;

	memcpy(key.address, address, 16);
	/* the last only where a `direct` rule has the name: those have a group */
	for (int i = 0; i < (rule->zone ? 3 : 2) && !error; i++) {
		key.name = keys[i];
		error = bind_one(binder->map, &key, binding);
	}
	return error;
}

void filter_binder_close(struct filter_binder *binder) {
	close(binder->map);
}

int filter_add_bindings(const struct filter *filter, uint32_t policy, const struct filter_binding *bindings,
			size_t count) {
	int fd = count ? open_bindings(filter, policy) : -1, error = 0;

	if (count && fd < 0)
		return fd;
	for (size_t i = 0; i < count && !error; i++)
		error = bind_one(fd, &bindings[i].key, bindings[i].value);
	if (fd >= 0)
		close(fd);
	return error;
}

bool filter_was_bound(const struct filter *filter, uint32_t policy, const struct snif_binding_key *key) {
	int fd = open_bindings(filter, policy);
	struct snif_binding binding;
	bool found = fd >= 0 && bpf_map_lookup_elem(fd, key, &binding) == 0;

	if (fd >= 0)
		close(fd);
	return found;
}

/* Of each name its own entry: not the one by which it is known that any was found there, nor that of its group. */
static size_t keep_names(const struct snif_binding_key *keys, const struct snif_binding *values, size_t count,
			 struct filter_binding *out) {
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (keys[i].name != SNIF_BOUND_ANY && !(keys[i].name & SNIF_BOUND_GROUP))
			out[kept++] = (struct filter_binding){keys[i], values[i]};
	return kept;
}

int filter_bindings(const struct filter *filter, uint32_t policy, struct filter_binding **out, size_t *count) {
	__u32 found = filter_room(filter, SNIF_BINDINGS), behind;
	struct snif_binding_key *keys = calloc(found, sizeof(*keys));
	struct snif_binding *values = calloc(found, sizeof(*values));
	int fd = open_bindings(filter, policy), error = 0;

	*out = calloc(found, sizeof(**out));
	*count = 0;
	if (!keys || !values || !*out)
		error = -ENOMEM;
	else if (fd < 0 && fd != -ENOENT)
		error = fd;
	else if (fd >= 0 && bpf_map_lookup_batch(fd, NULL, &behind, keys, values, &found, NULL) && errno != ENOENT)
		error = -errno;
	else if (fd >= 0)
		*count = keep_names(keys, values, found, *out);
	if (fd >= 0)
		close(fd);
	free(keys);
	free(values);
	if (error) {
		free(*out);
		*out = NULL;
		*count = 0;
	}
	return error;
}
