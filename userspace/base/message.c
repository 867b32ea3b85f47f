/* SPDX-License-Identifier: BSD-2-Clause */
/* Anything that goes wrong ──► one line on stderr. */
#include "base/message.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

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

/* The last errors that differ, and when each was said. */
static struct {
	char *line;
	long said_ms;
} said[16];
static bool hold_repeats;

enum { REPEAT_MS = 3600 * 1000, SAID = sizeof(said) / sizeof(said[0]) };

void message_hold_repeats(void) {
	hold_repeats = true;
}

/* Whether it was said already; otherwise it is now, in place of the oldest. Takes the line over. */
static bool was_said(char *line) {
	long now = clock_ms();
	int oldest = 0;

	for (int i = 0; i < SAID; i++) {
		if (said[i].line && strcmp(said[i].line, line) == 0 && now - said[i].said_ms < REPEAT_MS) {
			free(line);
			return true;
		}
		if (!said[i].line || (said[oldest].line && said[i].said_ms < said[oldest].said_ms))
			oldest = i;
	}
	free(said[oldest].line);
	said[oldest].line = line;
	said[oldest].said_ms = now;
	return false;
}

void message_redirect(FILE *to) {
	redirected = to;
}

static FILE *output(void) {
	return redirected ? redirected : stderr;
}

void message_lines(const char *lines) {
	char *copy = hold_repeats ? strdup(lines) : NULL;

	if (!copy || !was_said(copy))
		fputs(lines, output());
}

static void say(bool again, const char *format, va_list arguments) {
	FILE *out = output();
	char *line = NULL;

	if (vasprintf(&line, format, arguments) < 0)
		line = NULL;
	if (line && !again && was_said(line))
		return;
	fputs("snifence: ", out);
	if (line)
		print_escaped(out, line, strlen(line));
	else
		fputs("out of memory", out);
	fputc('\n', out);
	if (again)
		free(line);
}

void message_error(const char *format, ...) {
	va_list arguments;

	va_start(arguments, format);
	say(!hold_repeats, format, arguments);
	va_end(arguments);
}

void message_event(const char *format, ...) {
	va_list arguments;

	va_start(arguments, format);
	say(true, format, arguments);
	va_end(arguments);
}
