/* SPDX-License-Identifier: BSD-2-Clause */
/* How much memory of the kernel something takes. */
#ifndef SNIF_BENCH_MEMORY_H
#define SNIF_BENCH_MEMORY_H

#include <stddef.h>

#include "cell.h"

/*
 * Bytes of the map that holds a slot's part of the filter's `outer` map, as the kernel accounts them (memlock in
 * fdinfo; of a trie without its inner nodes).
 */
size_t memory_of_slot(const struct cell *cell, const char *outer, uint32_t slot);

/* Bytes that the whole kernel has from its allocators of small objects and of per-CPU memory, now. */
size_t memory_of_kernel(void);

#endif
