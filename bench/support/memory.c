/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc ──► bytes. */
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "bench.h"

/* The sum of the numbers behind those `names` at the beginnings of lines. */
static size_t sum_of(const char *file, const char *const names[]) {
	FILE *in = fopen(file, "re");
	size_t sum = 0, value;
	char line[256];

	if (!in)
		bench_fail("%s: %s", file, strerror(errno));
	while (fgets(line, sizeof(line), in))
		for (size_t i = 0; names[i]; i++)
			if (strncmp(line, names[i], strlen(names[i])) == 0 &&
			    sscanf(line + strlen(names[i]), "%zu", &value) == 1)
				sum += value;
	fclose(in);
	return sum;
}

size_t memory_of_slot(const struct cell *cell, const char *outer, uint32_t slot) {
	int program = cell_program(cell, BPF_CGROUP_INET_EGRESS), map = program_map(program, outer), inner;
	char file[64];
	size_t bytes;
	__u32 id;

	if (bpf_map_lookup_elem(map, &slot, &id) || (inner = bpf_map_get_fd_by_id(id)) < 0)
		bench_fail("nothing is in slot %u of %s: %s", slot, outer, strerror(errno));
	snprintf(file, sizeof(file), "/proc/self/fdinfo/%d", inner);
	bytes = sum_of(file, (const char *const[]){"memlock:", NULL});
	close(inner);
	close(map);
	close(program);
	return bytes;
}

size_t memory_of_kernel(void) {
	int refresh = open("/proc/sys/vm/stat_refresh", O_WRONLY | O_CLOEXEC);

	/* what each CPU has counted for itself is added to what the file says */
	if (refresh < 0 || write(refresh, "1", 1) != 1)
		bench_fail("cannot have the kernel add up its memory: %s", strerror(errno));
	close(refresh);
	return 1024 * sum_of("/proc/meminfo", (const char *const[]){"SUnreclaim:", "Percpu:", NULL});
}
