/* SPDX-License-Identifier: BSD-2-Clause */
/* Characters in UTF-8 text. */
#ifndef SNIF_UTF8_H
#define SNIF_UTF8_H

#include <stddef.h>

/* How many bytes the first `characters` characters take, of `length` at most. Bytes that are no UTF-8 count as they
 * come. */
size_t utf8_bytes(const char *text, size_t length, size_t characters);

/* How many bytes the character at the beginning of `length` bytes takes (RFC 3629); 0: there is none, or no whole one. */
size_t utf8_length(const char *text, size_t length);

#endif
