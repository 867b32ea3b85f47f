/* SPDX-License-Identifier: BSD-2-Clause */
/* Anything that goes wrong ──► one line on stderr. */
#include "message.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void print_escaped(FILE *out, const void *bytes, size_t length) {
	const unsigned char *byte = bytes;

	for (size_t i = 0; i < length; i++) {
		if (byte[i] >= 0x20 && byte[i] < 0x7f && byte[i] != '\\')
			fputc(byte[i], out);
		else
			fprintf(out, "\\x%02x", byte[i]);
	}
}

void message_error(const char *format, ...) {
	char *line = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&line, format, arguments) < 0)
		line = NULL;
	va_end(arguments);
	fputs("snifence: ", stderr);
	if (line)
		print_escaped(stderr, line, strlen(line));
	else
		fputs("out of memory", stderr);
	fputc('\n', stderr);
	free(line);
}
