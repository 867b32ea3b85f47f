/* SPDX-License-Identifier: BSD-2-Clause */
/* A run ──► the programs and maps that it has in the kernel, by their numbers, and which of these are left later. */
#ifndef SNIF_SUPERVISOR_KERNEL_H
#define SNIF_SUPERVISOR_KERNEL_H

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "../support/lab.h"

/* Numbers are given to others only after all others were given. */
struct in_kernel {
	struct {
		bool map;
		__u32 id;
	} * found;
	size_t programs, maps; /* how many of each there are in `found` */
};

static void in_kernel_add(struct in_kernel *kernel, bool map, __u32 id) {
	size_t count = kernel->programs + kernel->maps;

	kernel->found = realloc(kernel->found, (count + 1) * sizeof(*kernel->found));
	assert_non_null(kernel->found);
	kernel->found[count].map = map;
	kernel->found[count].id = id;
	*(map ? &kernel->maps : &kernel->programs) += 1;
}

/* A map of maps, and those in it. */
static void in_kernel_add_map(struct in_kernel *kernel, __u32 id) {
	struct bpf_map_info info = {0};
	__u32 size = sizeof(info), inner;
	int fd = bpf_map_get_fd_by_id(id);

	assert_true(fd >= 0);
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
	in_kernel_add(kernel, true, id);
	for (__u32 key = 0; info.type == BPF_MAP_TYPE_ARRAY_OF_MAPS && key < info.max_entries; key++)
		if (bpf_map_lookup_elem(fd, &key, &inner) == 0)
			in_kernel_add(kernel, true, inner);
	close(fd);
}

/* Adds what is in the kernel by a descriptor of this process. */
static void in_kernel_note(struct in_kernel *kernel, pid_t pid) {
	char path[300], line[128];
	struct dirent *entry;
	DIR *folder;
	__u32 id;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo", pid);
	folder = opendir(path);
	assert_non_null(folder);
	while ((entry = readdir(folder))) {
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", pid, entry->d_name);
		file = *entry->d_name == '.' ? NULL : fopen(path, "re");
		while (file && fgets(line, sizeof(line), file))
			if (sscanf(line, "prog_id: %u", &id) == 1)
				in_kernel_add(kernel, false, id);
			else if (sscanf(line, "map_id: %u", &id) == 1)
				in_kernel_add_map(kernel, id);
		if (file)
			fclose(file);
	}
	closedir(folder);
	assert_true(kernel->programs > 0 && kernel->maps > 0);
}

/* How many of them there still are. */
static size_t in_kernel_left(const struct in_kernel *kernel) {
	size_t left = 0;

	for (size_t i = 0; i < kernel->programs + kernel->maps; i++) {
		__u32 id = kernel->found[i].id;
		int fd = kernel->found[i].map ? bpf_map_get_fd_by_id(id) : bpf_prog_get_fd_by_id(id);

		left += fd >= 0;
		if (fd >= 0)
			close(fd);
	}
	return left;
}

/* How many there are after at most `ms` milliseconds. */
static size_t in_kernel_await_end(const struct in_kernel *kernel, double ms) {
	double end = lab_now_ms() + ms;
	size_t left;

	while ((left = in_kernel_left(kernel)) > 0 && lab_now_ms() < end)
		lab_sleep_ms(20);
	return left;
}

#endif
