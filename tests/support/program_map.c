/* SPDX-License-Identifier: BSD-2-Clause */
/* A loaded program ──► its maps. */
#include "program_map.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "kernel_memory.h"

enum { MOST_MAPS = 64 };

int program_map(int program, const char *name) {
	__u32 ids[MOST_MAPS];
	struct bpf_prog_info info = {.nr_map_ids = MOST_MAPS, .map_ids = (uintptr_t)ids};
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(program, &info, &size))
		return -errno;
	for (__u32 i = 0; i < info.nr_map_ids && i < MOST_MAPS; i++) {
		struct bpf_map_info map = {0};
		int fd = bpf_map_get_fd_by_id(ids[i]), error;

		size = sizeof(map);
		if (fd < 0)
			return -errno;
		error = bpf_obj_get_info_by_fd(fd, &map, &size) ? -errno : 0;
		if (!error && strcmp(map.name, name) == 0)
			return fd;
		close(fd);
		if (error)
			return error;
	}
	return -ENOENT;
}

size_t program_map_memory(int outer, uint32_t number) {
	char file[64];
	size_t bytes;
	__u32 id;
	int inner;

	if (bpf_map_lookup_elem(outer, &number, &id) || (inner = bpf_map_get_fd_by_id(id)) < 0)
		return 0;
	snprintf(file, sizeof(file), "/proc/self/fdinfo/%d", inner);
	bytes = numbers_sum(file, (const char *const[]){"memlock:", NULL});
	close(inner);
	return bytes;
}
