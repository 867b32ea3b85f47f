/* SPDX-License-Identifier: BSD-2-Clause */
/* A number of characters ──► how many bytes they take. */
#include "base/utf8.h"

size_t utf8_bytes(const char *text, size_t length, size_t characters) {
	size_t at = 0;

	for (; at < length && characters > 0; characters--)
		do
			at++;
		while (at < length && ((unsigned char)text[at] & 0xc0) == 0x80);
	return at;
}
