/* SPDX-License-Identifier: BSD-2-Clause */
/* Markup and texts ──► HTML in which texts stay texts. */
#include "report/html.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void put_character(FILE *out, unsigned char c) {
	if (strchr("&<>\"'", c))
		fprintf(out, "&#%u;", c);
	else if (c < 0x20 || c > 0x7e)
		fprintf(out, "\\x%02x", c);
	else
		fputc(c, out);
}

static void put_text(FILE *out, const char *text) {
	for (size_t i = 0; text[i]; i++) {
		if (i == HTML_TEXT_MAX) {
			fputs("&hellip;", out);
			return;
		}
		put_character(out, (unsigned char)text[i]);
	}
}

/* Writes what stands at a %. Returns its end. */
static const char *put_argument(FILE *out, const char *format, va_list *arguments) {
	if (strncmp(format, "%" PRIu64, strlen("%" PRIu64)) == 0) {
		fprintf(out, "%" PRIu64, va_arg(*arguments, uint64_t));
		return format + strlen("%" PRIu64);
	}
	if (format[1] == 's')
		put_text(out, va_arg(*arguments, const char *));
	else if (format[1] == '%')
		fputc('%', out);
	else
		abort(); /* no other conversion is known to be safe */
	return format + 2;
}

void html_print(FILE *out, const char *format, ...) {
	va_list arguments;

	va_start(arguments, format);
	while (*format) {
		size_t plain = strcspn(format, "%");

		fwrite(format, 1, plain, out);
		format += plain;
		if (*format)
			format = put_argument(out, format, &arguments);
	}
	va_end(arguments);
}
