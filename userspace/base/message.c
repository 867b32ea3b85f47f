/* SPDX-License-Identifier: BSD-2-Clause */
/* Anything that goes wrong ──► one line on stderr. */
#include "base/message.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

size_t escape_bytes(char *out, const void *bytes, size_t length) {
	static const char digits[] = "0123456789abcdef";
	const unsigned char *byte = bytes;
	char *end = out;

	for (size_t i = 0; i < length; i++) {
		if (byte[i] >= 0x20 && byte[i] < 0x7f && byte[i] != '\\') {
			*end++ = (char)byte[i];
			continue;
		}
		*end++ = '\\';
		*end++ = 'x';
		*end++ = digits[byte[i] >> 4];
		*end++ = digits[byte[i] & 15];
	}
	*end = '\0';
	return (size_t)(end - out);
}

void print_escaped(FILE *out, const void *bytes, size_t length) {
	const char *byte = bytes;
	char text[ESCAPED_SIZE(1)];

	for (size_t i = 0; i < length; i++) {
		escape_bytes(text, byte + i, 1);
		fputs(text, out);
	}
}

static FILE *redirected;

void message_redirect(FILE *to) {
	redirected = to;
}

void message_error(const char *format, ...) {
	FILE *out = redirected ? redirected : stderr;
	char *line = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&line, format, arguments) < 0)
		line = NULL;
	va_end(arguments);
	fputs("snifence: ", out);
	if (line)
		print_escaped(out, line, strlen(line));
	else
		fputs("out of memory", out);
	fputc('\n', out);
	free(line);
}
