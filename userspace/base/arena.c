/* SPDX-License-Identifier: BSD-2-Clause */
/* Many small requests for memory ──► a few large ones. */
#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of the first block; each further one is twice as large, up to the limit. */
#define FIRST_BLOCK 4096U
#define LARGEST_BLOCK (1U << 20)

struct arena_block {
	struct arena_block *next;
	size_t size, used; /* of bytes[] */
	char bytes[];
};

static struct arena_block *add_block(struct arena *arena, size_t needed) {
	size_t size = arena->blocks ? arena->blocks->size * 2 : FIRST_BLOCK;
	struct arena_block *block;

	if (size > LARGEST_BLOCK)
		size = LARGEST_BLOCK;
	if (size < needed)
		size = needed;
	if (size > SIZE_MAX - sizeof(*block) || !(block = malloc(sizeof(*block) + size)))
		return NULL;
	*block = (struct arena_block){.next = arena->blocks, .size = size};
	arena->blocks = block;
	return block;
}

static void *take(struct arena *arena, size_t size, size_t alignment) {
	struct arena_block *block = arena->blocks;
	size_t at = block ? (block->used + alignment - 1) / alignment * alignment : 0;

	if (!block || at > block->size || size > block->size - at) {
		block = add_block(arena, size);
		at = 0;
	}
	if (!block)
		return NULL;
	block->used = at + size;
	return block->bytes + at;
}

void *arena_alloc(struct arena *arena, size_t size) {
	void *memory = take(arena, size, sizeof(void *));

	return memory ? memset(memory, 0, size) : NULL;
}

char *arena_text(struct arena *arena, const char *text, size_t length) {
	char *copy = length < SIZE_MAX ? take(arena, length + 1, 1) : NULL;

	if (!copy)
		return NULL;
	memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

void arena_free(struct arena *arena) {
	while (arena->blocks) {
		struct arena_block *block = arena->blocks;

		arena->blocks = block->next;
		free(block);
	}
}
