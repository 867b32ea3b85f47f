/* SPDX-License-Identifier: BSD-2-Clause */
/* Arrays that grow by one item at a time. */
#ifndef SNIF_ARRAY_H
#define SNIF_ARRAY_H

#include <stddef.h>

/*
 * Adds a zeroed item to an array. `items` is the address of the array's pointer (a T **), `count` its number of
 * items, `size` that of one item. The memory doubles, so that n additions cost n, and the array must only have grown
 * through this function. Returns the new item, or NULL when memory is out (then nothing has changed). The array is
 * freed with free().
 */
void *array_add(void *items, size_t *count, size_t size);

#endif
