/* SPDX-License-Identifier: BSD-2-Clause */
/* A word with a typing mistake in it. */
#ifndef SNIF_NEAR_WORD_H
#define SNIF_NEAR_WORD_H

#include <stddef.h>

/* Looks at one more known word. `*closest` is the one that `word` was probably meant to be, NULL as long as none is near;
 * `*least`, which begins as near_word_limit(), is how far it is away. */
void near_word_try(const char *word, const char *known, size_t *least, const char **closest);
size_t near_word_limit(const char *word);

/* The nearest of `words` (ended by NULL), or NULL. */
const char *near_word(const char *word, const char *const words[]);

#endif
