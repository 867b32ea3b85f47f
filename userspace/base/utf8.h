/* SPDX-License-Identifier: BSD-2-Clause */
/* Characters in UTF-8 text. */
#ifndef SNIF_UTF8_H
#define SNIF_UTF8_H

#include <stddef.h>

/* How many bytes the first `characters` characters take, of `length` at most. Bytes that are no UTF-8 count as they come. */
size_t utf8_bytes(const char *text, size_t length, size_t characters);

#endif
