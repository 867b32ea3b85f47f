/* SPDX-License-Identifier: BSD-2-Clause */
/* A loaded program ──► its maps. */
#ifndef SNIF_PROGRAM_MAP_H
#define SNIF_PROGRAM_MAP_H

#include <stddef.h>
#include <stdint.h>

/* The program's map of this name, as a descriptor to be closed. Negative errno; -ENOENT: it uses none of that name. */
int program_map(int program, const char *name);

/*
 * Bytes of the map that a map of maps has under a number, as the kernel accounts them (memlock in fdinfo; of a trie
 * without its inner nodes). 0: there is none.
 */
size_t program_map_memory(int outer, uint32_t number);

#endif
