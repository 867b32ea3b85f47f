/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc ──► bytes. */
#include "memory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "../../tests/support/kernel_memory.h"
#include "bench.h"

size_t memory_of_slot(const struct cell *cell, const char *outer, uint32_t slot) {
	int program = cell_program(cell, BPF_CGROUP_INET_EGRESS), map = program_map(program, outer), inner;
	char file[64];
	size_t bytes;
	__u32 id;

	if (bpf_map_lookup_elem(map, &slot, &id) || (inner = bpf_map_get_fd_by_id(id)) < 0)
		bench_fail("nothing is in slot %u of %s: %s", slot, outer, strerror(errno));
	snprintf(file, sizeof(file), "/proc/self/fdinfo/%d", inner);
	bytes = numbers_sum(file, (const char *const[]){"memlock:", NULL});
	close(inner);
	close(map);
	close(program);
	return bytes;
}

size_t memory_of_kernel(void) {
	size_t bytes = kernel_memory((const char *const[]){"SUnreclaim:", "Percpu:", NULL});

	if (bytes == 0)
		bench_fail("cannot have the kernel add up its memory: %s", strerror(errno));
	return bytes;
}
