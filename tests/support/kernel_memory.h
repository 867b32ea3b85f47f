/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of /proc ──► bytes. */
#ifndef SNIF_KERNEL_MEMORY_H
#define SNIF_KERNEL_MEMORY_H

#include <stddef.h>

/* The sum of the numbers behind those names at the beginnings of lines; `names` ends with NULL. 0 where the file cannot
 * be read. */
size_t numbers_sum(const char *file, const char *const names[]);

/*
 * Bytes that the whole kernel has from some of its allocators now, by the names that /proc/meminfo has for them. 0 where
 * that cannot be read.
 */
size_t kernel_memory(const char *const names[]);

#endif
