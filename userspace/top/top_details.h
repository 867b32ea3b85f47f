/* SPDX-License-Identifier: BSD-2-Clause */
/* All that `snifence top` knows of one row. */
#ifndef SNIF_TOP_DETAILS_H
#define SNIF_TOP_DETAILS_H

#include <stdio.h>

#include "top/top_model.h"
#include "top/top_view.h"

/* Writes the key of an event, and of a name that was found, for top_view.key; a group's key is its own. */
void top_key_of_event(char key[TOP_KEY_SIZE], uint64_t number);
void top_key_of_found(char key[TOP_KEY_SIZE], const struct top_found *found);

/*
 * Writes what is known of the row of `view->tab` with `view->key`, in lines of ASCII that `width` columns have room for.
 * Of an event that is not kept any more it says so. Returns 0 or -ENOMEM.
 */
int top_details_print(const struct top_model *model, const struct top_view *view, unsigned width, FILE *out);

#endif
