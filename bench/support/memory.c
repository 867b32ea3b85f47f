/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc ──► bytes. */
#include "memory.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../../tests/support/kernel_memory.h"
#include "../../tests/support/program_map.h"
#include "bench.h"

size_t memory_of_slot(const struct cell *cell, const char *outer, uint32_t slot) {
	int program = cell_program(cell, BPF_CGROUP_INET_EGRESS), map = program_map(program, outer);
	size_t bytes = map < 0 ? 0 : program_map_memory(map, slot);

	if (bytes == 0)
		bench_fail("nothing is in slot %u of %s", slot, outer);
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
