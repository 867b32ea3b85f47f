/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes to a stream ──► text in memory, all of it or none. */
#ifndef SNIF_TEXT_H
#define SNIF_TEXT_H

#include <stddef.h>
#include <stdio.h>

/*
 * Opens a stream for writing, as open_memstream(3) does: `*text` is what was flushed, with a NUL behind, and `*length` how
 * long that is. Other than glibc's, which goes on behind a hole where there was no memory, it then has its error set
 * (ferror). It cannot be sought in. Returns NULL, and `*text` is NULL, when memory is out. Ends with text_close().
 */
FILE *text_open(char **text, size_t *length);

/* Closes the stream, which may be NULL. Returns 0, with `*text` to be freed; or -ENOMEM when it was NULL or anything is
 * missing, with nothing to free and `*text` NULL. */
int text_close(FILE *stream, char **text);

#endif
