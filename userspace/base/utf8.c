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

/* Not longer than it has to be, no surrogate, and not beyond the last one. */
size_t utf8_length(const char *text, size_t length) {
	static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char first = length > 0 ? (unsigned char)*text : 0xff;
	size_t size = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : first >> 3 == 30 ? 4 : 0;
	unsigned code = size > 1 ? first & (0x7fU >> size) : first;

	if (size == 0 || size > length)
		return 0;
	for (size_t i = 1; i < size; i++) {
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | ((unsigned char)text[i] & 0x3f);
	}
	return code < least[size] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : size;
}
