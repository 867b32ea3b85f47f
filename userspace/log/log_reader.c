/* SPDX-License-Identifier: BSD-2-Clause */
/* Files ──► lines ──► events. */
#include "log/log_reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/message.h"
#include "event/log_writer.h"
#include "log/log_lines.h"

enum { BAD_SAID = 10 };

struct log_reader {
	char *const *file; /* the one that is read, or is next when there are no lines; NULL at the end */
	bool follow;
	const char *command;
	bool newer; /* the format of a line: was said */
	struct log_parser *parser;
	struct log_lines *lines;
	struct log_tally tally;
	char last_bad[512];
};

struct log_reader *log_reader_new(char *const *files, bool follow, const char *command) {
	struct log_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return NULL;
	reader->file = files;
	reader->follow = follow;
	reader->command = command;
	reader->parser = log_parser_new();
	if (reader->parser)
		return reader;
	free(reader);
	return NULL;
}

static const char *shown(const char *file) {
	return strcmp(file, "-") == 0 ? "standard input" : file;
}

static void close_file(struct log_reader *reader) {
	if (reader->lines)
		reader->tally.bytes += log_source_bytes(log_lines_source(reader->lines));
	log_lines_free(reader->lines);
	reader->lines = NULL;
	reader->file++;
}

static void give_up(struct log_reader *reader, int error) {
	reader->tally.unread++;
	if (reader->command)
		message_error("%s: %s cannot be read%s: %s", reader->command, shown(*reader->file),
			      reader->lines ? " to its end" : "", log_source_error(error));
	close_file(reader);
}

/* A policy instead of a log, as its first line tells: a comment or a key. */
static bool is_policy(const struct log_line *line) {
	size_t key = 0;

	while (key < line->length && line->text[key] >= 'a' && line->text[key] <= 'z')
		key++;
	return line->number == 1 && !line->too_long && line->length > 0 &&
	       (line->text[0] == '#' || (key > 0 && key < line->length && line->text[key] == ':'));
}

static void refuse_policy(struct log_reader *reader) {
	reader->tally.unread++;
	if (reader->command)
		message_error("%s: %s is a policy, not a log: `snifence check` shows what a policy means",
			      reader->command, shown(*reader->file));
	close_file(reader);
}

static bool open_file(struct log_reader *reader) {
	struct log_source *source = log_source_open(*reader->file, reader->follow && !reader->file[1]);
	int error = source ? ENOMEM : errno;

	reader->lines = log_lines_new(source);
	if (!reader->lines)
		give_up(reader, error);
	return reader->lines != NULL;
}

static void note_bad(struct log_reader *reader, const struct log_line *line, const char *wrong) {
	reader->tally.bad++;
	snprintf(reader->last_bad, sizeof(reader->last_bad), "%s:%llu: %s", shown(*reader->file),
		 (unsigned long long)line->number, wrong);
	if (!reader->command || reader->tally.bad > BAD_SAID)
		return;
	message_error("%s: %s; the line is passed over", reader->command, reader->last_bad);
	if (reader->tally.bad == BAD_SAID)
		message_error("%s: further bad lines are only counted", reader->command);
}

static void note_version(struct log_reader *reader, const struct log_event *event) {
	if (event->version <= LOG_EVENT_VERSION || reader->newer)
		return;
	reader->newer = true;
	if (reader->command)
		message_error("%s: %s:%llu: the format is version %llu, newer than the %d that is known here: what is "
			      "shown may be wrong; take a newer snifence",
			      reader->command, shown(event->file), (unsigned long long)event->line,
			      (unsigned long long)event->version, LOG_EVENT_VERSION);
}

static bool blank(const struct log_line *line) {
	size_t i = 0;

	while (i < line->length && memchr(" \t\r", line->text[i], 3))
		i++;
	return i == line->length && !line->too_long;
}

/* Editors and other systems write a mark before the first byte of a text in UTF-8. */
static void pass_byte_order_mark(struct log_line *line) {
	if (line->number != 1 || line->too_long || line->length < 3 || memcmp(line->text, "\xef\xbb\xbf", 3) != 0)
		return;
	line->text += 3;
	line->length -= 3;
}

static bool read_line(struct log_reader *reader, struct log_line *line, struct log_event *event) {
	const char *wrong;

	pass_byte_order_mark(line);
	if (blank(line))
		return false;
	wrong = log_parser_read(reader->parser, line->text, line->too_long ? SIZE_MAX : line->length, event);
	if (wrong && is_policy(line)) {
		refuse_policy(reader);
		return false;
	}
	if (wrong) {
		note_bad(reader, line, wrong);
		return false;
	}
	event->file = *reader->file;
	event->line = line->number;
	note_version(reader, event);
	reader->tally.events++;
	return true;
}

bool log_reader_next(struct log_reader *reader, struct log_event *event) {
	struct log_line line;
	int result;

	while (*reader->file) {
		if (!reader->lines && !open_file(reader))
			continue;
		result = log_lines_next(reader->lines, &line);
		if (result > 0 && read_line(reader, &line, event))
			return true;
		if (result < 0)
			give_up(reader, -result);
		else if (result == 0 && !log_source_ended(log_lines_source(reader->lines)))
			return false;
		else if (result == 0)
			close_file(reader);
	}
	return false;
}

bool log_reader_wait(struct log_reader *reader, int milliseconds) {
	if (!*reader->file)
		return false;
	log_source_wait(log_lines_source(reader->lines), milliseconds);
	return true;
}

int log_reader_fd(const struct log_reader *reader) {
	return reader->lines ? log_source_fd(log_lines_source(reader->lines)) : -1;
}

struct log_tally log_reader_tally(const struct log_reader *reader) {
	struct log_tally tally = reader->tally;

	if (reader->lines)
		tally.bytes += log_source_bytes(log_lines_source(reader->lines));
	tally.last_bad = reader->last_bad;
	return tally;
}

void log_reader_free(struct log_reader *reader) {
	if (!reader)
		return;
	log_lines_free(reader->lines);
	log_parser_free(reader->parser);
	free(reader);
}
