/* SPDX-License-Identifier: BSD-2-Clause */
/* A file of prefixes ──► a sorted list of those that its filters let pass. */
#include "policy/sets.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "policy/prefix.h"
#include "policy/set_json.h"

#define SET_FILE_MAX (64U << 20)
#define BLANKS " \t\r\n\v\f"

/* Places are found by counting lines, for as many errors as are shown. */
#define ERRORS_PLACED 100

static void find_place(const struct set_reader *reader, const char *at, unsigned *line, unsigned *column) {
	const char *start = reader->text;
	const char *newline;

	*line = 1;
	while ((newline = memchr(start, '\n', (size_t)(at - start)))) {
		start = newline + 1;
		++*line;
	}
	*column = (unsigned)(at - start) + 1;
}

void set_error(struct set_reader *reader, const char *at, const char *format, ...) {
	unsigned line = 0, column = 0;
	char message[PREFIX_MESSAGE * 2];
	va_list arguments;

	if (reader->errors++ < ERRORS_PLACED && at)
		find_place(reader, at, &line, &column);
	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	diagnose(reader->diagnostics, reader->path, line, column, "%s", message);
}

static bool passes(struct set_filter *filter, const char *const *said, size_t count) {
	bool wanted = filter->count == 0;

	for (size_t i = 0; i < count; i++) {
		if (!said[i])
			continue;
		filter->known = true;
		for (size_t k = 0; k < filter->count; k++) {
			if (strcasecmp(filter->words[k].text, said[i]) != 0)
				continue;
			filter->words[k].seen = true;
			wanted = true;
		}
	}
	return wanted;
}

bool set_wanted(struct set_reader *reader, const struct set_entry *entry) {
	bool region = passes(reader->regions, &entry->region, 1);
	bool service = passes(reader->services, entry->services, sizeof(entry->services) / sizeof(*entry->services));

	return region && service;
}

/* A prefix in JSON is a quoted string: its first place is where the same text is, and the same text is as wrong. */
static const char *look_for(const struct set_reader *reader, const char *prefix) {
	char quoted[PREFIX_TEXT * 2];
	const char *at;

	if (reader->errors >= ERRORS_PLACED || strlen(prefix) > sizeof(quoted) - 3)
		return NULL;
	snprintf(quoted, sizeof(quoted), "\"%s\"", prefix);
	at = memmem(reader->text, reader->length, quoted, strlen(quoted));
	return at ? at + 1 : NULL;
}

void set_add(struct set_reader *reader, const char *prefix, const char *at) {
	char message[PREFIX_MESSAGE];
	struct prefix parsed;

	switch (prefix_parse(prefix, &parsed, message)) {
	case PREFIX_WRONG:
		set_error(reader, at ? at : look_for(reader, prefix), "%s", message);
		return;
	case PREFIX_HOST_BITS:
		if (reader->masked++ == 0 && (at || (at = look_for(reader, prefix))))
			find_place(reader, at, &reader->first_masked.line, &reader->first_masked.column);
		break;
	case PREFIX_OK:
		break;
	}
	if (prefix_list_add(reader->out, &parsed) < 0)
		set_error(reader, NULL, "out of memory");
}

/* One line, without its comment. `line` is in the text; `end` is its newline or the end. */
static void read_line(struct set_reader *reader, const char *line, const char *end) {
	const char *comment = memchr(line, '#', (size_t)(end - line));
	char word[PREFIX_TEXT * 2];
	size_t length;

	end = comment ? comment : end;
	while (line < end && strchr(BLANKS, *line))
		line++;
	while (line < end && strchr(BLANKS, end[-1]))
		end--;
	length = (size_t)(end - line);
	if (length == 0)
		return;
	if (length >= sizeof(word)) {
		set_error(reader, line, "a line is too long: write one prefix on each, like 192.0.2.0/24");
		return;
	}
	memcpy(word, line, length);
	word[length] = '\0';
	set_add(reader, word, line);
}

static void read_lines(struct set_reader *reader, const char *text) {
	const char *end = reader->text + reader->length;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));

		read_line(reader, text, newline ? newline : end);
		text = newline ? newline + 1 : end;
	}
}

static void read_text(struct set_reader *reader) {
	const char *nul = memchr(reader->text, '\0', reader->length);
	const char *start = reader->text;

	if (strncmp(start, "\xef\xbb\xbf", 3) == 0)
		start += 3;
	if (nul)
		set_error(reader, nul, "a NUL byte: this is no text file");
	else if (start[strspn(start, BLANKS)] == '{')
		set_json_read(reader);
	else
		read_lines(reader, start);
}

static void warn_masked(const struct set_reader *reader) {
	if (reader->masked)
		diagnose_warning(reader->diagnostics, reader->path, reader->first_masked.line,
				 reader->first_masked.column,
				 "%zu of the prefixes have bits set behind their length; they are taken as cleared",
				 reader->masked);
}

int set_file_read(const char *path, struct set_filter *regions, struct set_filter *services, struct prefix_list *out,
		  struct diagnostics *diagnostics, const char **unread) {
	struct set_reader reader = {
		.path = path, .regions = regions, .services = services, .out = out, .diagnostics = diagnostics};
	size_t errors = diagnostics->errors;
	char *text = file_read(path, SET_FILE_MAX, &reader.length, unread);

	if (!text)
		return -EIO;
	reader.text = text;
	diagnostics_source(diagnostics, path, text, reader.length);
	read_text(&reader);
	warn_masked(&reader);
	diagnostics_source(diagnostics, path, NULL, 0);
	prefix_list_sort(out);
	free(text);
	return diagnostics->errors == errors ? 0 : -EINVAL;
}
