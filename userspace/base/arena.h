/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory for many small things that live and die together. */
#ifndef SNIF_ARENA_H
#define SNIF_ARENA_H

#include <stddef.h>

struct arena_block;

/* All zero is an empty arena. */
struct arena {
	struct arena_block *blocks; /* the newest first */
};

/* `size` bytes, all zero, aligned for any pointer. They live until arena_free(). NULL: out of memory. */
void *arena_alloc(struct arena *arena, size_t size);

/* A copy of `length` bytes of text, with a NUL behind. It lives until arena_free(). NULL: out of memory. */
char *arena_text(struct arena *arena, const char *text, size_t length);

/* Frees all that is in the arena, which is then an empty one. */
void arena_free(struct arena *arena);

#endif
