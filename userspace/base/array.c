/* SPDX-License-Identifier: BSD-2-Clause */
/* One more item ──► a longer array. */
#include "base/array.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *array_add(void *items, size_t *count, size_t size) {
	char *array, *grown;
	void *item;

	memcpy(&array, items, sizeof(array));
	/* The room is the next power of two: it is used up exactly when the count is one. */
	if ((*count & (*count - 1)) == 0) {
		size_t room = *count ? *count * 2 : 1;

		if (room > SIZE_MAX / size)
			return NULL;
		grown = realloc(array, room * size);
		if (!grown)
			return NULL;
		array = grown;
		memcpy(items, &array, sizeof(array));
	}
	item = array + *count * size;
	memset(item, 0, size);
	(*count)++;
	return item;
}
