/* SPDX-License-Identifier: BSD-2-Clause */
/* A text, the columns of a terminal ──► lines. */
#include "base/paragraph.h"

#include <stdint.h>
#include <string.h>

enum { LEAST_WIDTH = 20 };

/* As much of `text` as a line of `room` has, ended between words where there are any. */
static size_t line_of(const char *text, size_t room) {
	size_t length = strlen(text), end;

	if (length <= room)
		return length;
	for (end = room; end > 0 && text[end] != ' ';)
		end--;
	return end > 0 ? end : room;
}

static size_t room_of(unsigned width, size_t used) {
	if (width == 0)
		return SIZE_MAX;
	return width > used + LEAST_WIDTH ? width - used : LEAST_WIDTH;
}

void paragraph_print(FILE *out, unsigned width, unsigned indent, const char *title, const char *text) {
	size_t used = indent + strlen(title) + (*title ? 1 : 0);

	fprintf(out, "%*s%s%s", (int)indent, "", title, *title ? " " : "");
	for (;;) {
		size_t length = line_of(text, room_of(width, used));

		fprintf(out, "%.*s\n", (int)length, text);
		text += length + strspn(text + length, " ");
		if (!*text)
			return;
		used = indent + PARAGRAPH_INDENT;
		fprintf(out, "%*s", (int)used, "");
	}
}
