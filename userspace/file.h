/* SPDX-License-Identifier: BSD-2-Clause */
/* Whole files in memory. */
#ifndef SNIF_FILE_H
#define SNIF_FILE_H

#include <stddef.h>

/*
 * Reads the regular file `path` of at most `limit` bytes. Returns its bytes with a NUL behind them, to be freed with
 * free(), and their number in `length`; or NULL and one line about why in `message` (static text), which goes on from
 * "cannot be read: ".
 */
char *file_read(const char *path, size_t limit, size_t *length, const char **message);

#endif
