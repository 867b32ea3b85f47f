/* SPDX-License-Identifier: BSD-2-Clause */
/* Pins of another build ──► its programs, its cgroups and what it allows. */
#include "filter/other.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "base/file.h"
#include "base/message.h"
#include "filter/filter_parts.h"
#include "filter/instance.h"

enum { PATH_SIZE = 320, MOST_PROGRAMS = 32, MOST_ATTACHED = 64 };

struct other {
	int programs[MOST_PROGRAMS];
	uint32_t ids[MOST_PROGRAMS];
	size_t count;
	int tags, attachments; /* maps; -1: there is none of that name */
	size_t tag_size, verdict_at;
	bool knows_verdict;
};

static bool is_program(int fd) {
	char path[40], target[32] = "";

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return readlink(path, target, sizeof(target) - 1) > 0 && strstr(target, "bpf-prog");
}

/* Takes what is pinned under a name, as a descriptor. Returns 0 or a negative errno. */
static int take(struct other *other, const char *name, int fd) {
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	if (fd < 0)
		return -errno;
	if (is_program(fd) && other->count < MOST_PROGRAMS && bpf_obj_get_info_by_fd(fd, &info, &size) == 0) {
		other->ids[other->count] = info.id;
		other->programs[other->count++] = fd;
	} else if (strcmp(name, "tags") == 0) {
		other->tags = fd;
	} else if (strcmp(name, "attachments") == 0) {
		other->attachments = fd;
	} else {
		close(fd);
	}
	return 0;
}

/* Where a tag has its verdict, by the types that the kernel was given with the map. */
static void find_verdict(struct other *other) {
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);
	const struct btf_type *tag;
	struct btf *types;

	if (other->tags < 0 || bpf_obj_get_info_by_fd(other->tags, &info, &size) || info.btf_id == 0)
		return;
	types = btf__load_from_kernel_by_id(info.btf_id);
	tag = types ? btf__type_by_id(types, info.btf_value_type_id) : NULL;
	other->tag_size = info.value_size;
	for (uint32_t i = 0; tag && btf_is_struct(tag) && i < btf_vlen(tag); i++) {
		const struct btf_member *member = &btf_members(tag)[i];

		if (strcmp(btf__name_by_offset(types, member->name_off), "verdict") != 0)
			continue;
		other->verdict_at = btf_member_bit_offset(tag, i) / 8;
		other->knows_verdict = btf__resolve_size(types, member->type) == 1;
	}
	btf__free(types);
}

/* Opens what is in its folder. Returns 0 or a negative errno. */
static int open_all(struct other *other, const char *name, DIR *folder) {
	char path[PATH_SIZE];
	struct dirent *entry;
	int error = 0;

	while (!error && (entry = next_entry(folder, &error))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), INSTANCE_PINS "/%s/%s", name, entry->d_name);
		error = take(other, entry->d_name, bpf_obj_get(path));
	}
	if (!error && (other->count == 0 || other->attachments < 0))
		error = -ENOENT;
	return error;
}

struct other *other_open(const char *name) {
	struct other *other = calloc(1, sizeof(*other));
	char path[PATH_SIZE];
	DIR *folder;
	int error;

	snprintf(path, sizeof(path), INSTANCE_PINS "/%s", name);
	folder = other ? opendir(path) : NULL;
	error = folder ? 0 : -errno;
	if (folder) {
		other->tags = other->attachments = -1;
		error = open_all(other, name, folder);
		closedir(folder);
	}
	if (!error) {
		find_verdict(other);
		return other;
	}
	message_error("cannot open %s: %s; the snifence that has loaded it can `unload` it", path, strerror(-error));
	if (folder)
		other_close(other);
	else
		free(other);
	return NULL;
}

void other_close(struct other *other) {
	if (!other)
		return;
	for (size_t i = 0; i < other->count; i++)
		close(other->programs[i]);
	if (other->tags >= 0)
		close(other->tags);
	if (other->attachments >= 0)
		close(other->attachments);
	free(other);
}

bool other_allows(const struct other *other, int socket) {
	unsigned char *tag = other->knows_verdict ? malloc(other->tag_size) : NULL;
	bool allows =
		tag && bpf_map_lookup_elem(other->tags, &socket, tag) == 0 && tag[other->verdict_at] == SNIF_ALLOW;

	free(tag);
	return allows;
}

/* Its program of an id, as a descriptor; -1: it has none. */
static int program_of(const struct other *other, uint32_t id) {
	for (size_t i = 0; i < other->count; i++)
		if (other->ids[i] == id)
			return other->programs[i];
	return -1;
}

/* Those of its programs that are attached by a hook, and then detached or not. Returns how many, or a negative errno; none
 * where cgroups have no such hook, and the descriptor is taken for that of something else. */
static int visit_hook(const struct other *other, int cgroup_fd, enum bpf_attach_type type, bool detach) {
	uint32_t ids[MOST_ATTACHED], count = MOST_ATTACHED;
	int found = 0, program;

	if (bpf_prog_query(cgroup_fd, type, 0, NULL, ids, &count))
		return errno == EINVAL || errno == ENODEV ? 0 : -errno;
	for (uint32_t i = 0; i < count; i++) {
		program = program_of(other, ids[i]);
		if (program >= 0 && detach && bpf_prog_detach2(program, cgroup_fd, type))
			return -errno;
		found += program >= 0;
	}
	return found;
}

static int visit_hooks(const struct other *other, int cgroup_fd, bool detach) {
	int sum = 0, found = 0;

	for (int type = 0; type < __MAX_BPF_ATTACH_TYPE && found >= 0; type++) {
		found = visit_hook(other, cgroup_fd, (enum bpf_attach_type)type, detach);
		sum += found;
	}
	return found < 0 ? found : sum;
}

int other_is_attached(const struct other *other, int cgroup_fd) {
	int count = visit_hooks(other, cgroup_fd, false);

	return count < 0 ? count : count > 0;
}

int other_detach(const struct other *other, int cgroup_fd) {
	int count = visit_hooks(other, cgroup_fd, true);

	return count < 0 ? count : 0;
}

int other_attached(const struct other *other, uint64_t **ids, size_t *count) {
	return attached_cgroups(other->attachments, ids, count);
}
