/* SPDX-License-Identifier: BSD-2-Clause */
/* Unified diffs, by diff(1) of diffutils. */
#ifndef SNIF_TEXT_DIFF_H
#define SNIF_TEXT_DIFF_H

#include <stddef.h>

/*
 * Prints what makes `before` into `after` to standard output, as a unified diff of the file `name`; nothing when they
 * are the same. Returns 0; -ENOENT when there is no diff(1); -EIO when it failed, which it has explained; or another
 * negative errno.
 */
int text_diff(const char *name, const char *before, size_t before_length, const char *after, size_t after_length);

#endif
