/* SPDX-License-Identifier: BSD-2-Clause */
/* The streams of tests/vectors, which are written in hexadecimal. */
#ifndef SNIF_VECTOR_H
#define SNIF_VECTOR_H

#include "hello_maker.h"

/*
 * Reads hexadecimal digits in a file; a # and what follows on its line is a comment. Replaces what is in `out`. Returns 0
 * or a negative errno: -EINVAL where there is something else in the file.
 */
int vector_read(const char *path, struct bytes *out);

#endif
