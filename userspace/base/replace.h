/* SPDX-License-Identifier: BSD-2-Clause */
/* A file that is there whole or not at all. */
#ifndef SNIF_REPLACE_H
#define SNIF_REPLACE_H

#include <limits.h>
#include <stdio.h>

struct replacement {
	FILE *stream;
	const char *path; /* borrowed */
	char temporary[PATH_MAX];
};

/* Opens a temporary file beside `path`, to be written through `stream`. `path` is a regular file or not there yet.
 * Returns 0, or -errno: -EEXIST where it is something else, which is left alone. */
int replace_begin(struct replacement *replacement, const char *path);

/*
 * Puts what was written in the place of `path`, with the permissions of a new file; when `error` is set, or not all of
 * it could be written, removes it instead and leaves `path` as it was. Returns `error`, 0 or -errno.
 */
int replace_end(struct replacement *replacement, int error);

#endif
