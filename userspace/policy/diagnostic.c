/* SPDX-License-Identifier: BSD-2-Clause */
/* What is wrong with a policy ──► lines in the order of the file. */
#include "policy/diagnostic.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/message.h"
#include "base/text.h"
#include "base/utf8.h"

/* The errors of a file, and its warnings, each have this much room: neither hides the other, nor those of another file. */
#define DIAGNOSTICS_KEPT 100

/* Bytes of a long line that are shown, and how many of them before the caret. */
#define EXCERPT_LENGTH 100
#define EXCERPT_BEFORE 60

/* What is known of the diagnostic's file; NULL: out of memory. */
static struct diagnostic_file *find_file(struct diagnostics *list, const char *name) {
	struct diagnostic_file *file;

	for (size_t i = 0; i < list->file_count; i++)
		if (strcmp(list->files[i].name, name) == 0)
			return &list->files[i];
	file = array_add(&list->files, &list->file_count, sizeof(*file));
	if (!file)
		return NULL;
	*file = (struct diagnostic_file){.name = strdup(name)};
	if (file->name)
		return file;
	list->file_count--;
	return NULL;
}

/* Forgets the newest file, of which nothing was told: a list that tells nothing holds nothing. */
static void forget(struct diagnostics *list) {
	free(list->files[--list->file_count].name);
	if (list->file_count > 0)
		return;
	free(list->files);
	list->files = NULL;
}

void diagnostics_source(struct diagnostics *list, const char *file, const char *text, size_t length) {
	struct diagnostic_file *source = find_file(list, file);

	if (!source)
		return;
	source->text = text;
	source->length = length;
	source->at = 0;
	source->line = 1;
	if (!text && source == &list->files[list->file_count - 1] && source->kept[false] + source->kept[true] == 0)
		forget(list);
}

/* The line with this number, without its end; NULL: there is none. */
static const char *find_line(struct diagnostic_file *file, unsigned line, size_t *length) {
	const char *newline, *end = file->text + file->length;

	if (line < file->line) {
		file->at = 0;
		file->line = 1;
	}
	for (; file->line < line; file->line++) {
		newline = memchr(file->text + file->at, '\n', file->length - file->at);
		if (!newline)
			return NULL;
		file->at = (size_t)(newline + 1 - file->text);
	}
	if (file->at == file->length)
		return NULL;
	newline = memchr(file->text + file->at, '\n', file->length - file->at);
	*length = (size_t)((newline ? newline : end) - file->text) - file->at;
	if (*length > 0 && file->text[file->at + *length - 1] == '\r')
		--*length;
	return file->text + file->at;
}

/* Tabs stay, so that the caret stands below what it means. */
static void print_source(const char *text, size_t length, FILE *out) {
	for (size_t i = 0; i < length; i++)
		if (text[i] == '\t')
			fputc('\t', out);
		else
			print_escaped(out, text + i, 1);
}

static void print_blanks(const char *text, size_t length, FILE *out) {
	char escaped[ESCAPED_SIZE(1)];

	for (size_t i = 0; i < length; i++)
		if (text[i] == '\t')
			fputc('\t', out);
		else
			fprintf(out, "%*s", (int)escape_bytes(escaped, text + i, 1), "");
}

/* Of a long line, what stands around the caret. */
static char *make_excerpt(struct diagnostic_file *file, unsigned line, unsigned column) {
	size_t length, caret, start, size;
	const char *source = file->text && line ? find_line(file, line, &length) : NULL, *cut;
	char *text = NULL;
	FILE *out = source ? text_open(&text, &size) : NULL;

	if (!out)
		return NULL;
	caret = utf8_bytes(source, length, column - 1);
	start = caret > EXCERPT_BEFORE ? caret - EXCERPT_BEFORE : 0;
	cut = start ? "..." : "";
	fprintf(out, "%5u | %s", line, cut);
	if (length - start > EXCERPT_LENGTH) {
		print_source(source + start, EXCERPT_LENGTH, out);
		fputs("...", out);
	} else {
		print_source(source + start, length - start, out);
	}
	fprintf(out, "\n      | %*s", (int)strlen(cut), "");
	print_blanks(source + start, caret - start, out);
	fputs("^\n", out);
	text_close(out, &text);
	return text;
}

static void keep(struct diagnostics *list, const struct diagnostic *diagnostic) {
	struct diagnostic_file *file = diagnostic->file ? find_file(list, diagnostic->file) : NULL;
	struct diagnostic *kept;

	if (!file || !diagnostic->message)
		goto drop;
	if (file->kept[diagnostic->warning] == DIAGNOSTICS_KEPT) {
		file->more[diagnostic->warning]++;
		goto drop;
	}
	kept = array_add(&list->items, &list->count, sizeof(*kept));
	if (!kept)
		goto drop;
	*kept = *diagnostic;
	kept->excerpt = make_excerpt(file, kept->line, kept->column);
	file->kept[diagnostic->warning]++;
	return;
drop:
	free(diagnostic->file);
	free(diagnostic->message);
}

static char *format_message(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));
static char *format_message(const char *format, va_list arguments) {
	char *message;

	return vasprintf(&message, format, arguments) < 0 ? NULL : message;
}

void diagnose(struct diagnostics *list, const char *file, unsigned line, unsigned column, const char *format, ...) {
	struct diagnostic error = {.file = strdup(file), .line = line, .column = column};
	va_list arguments;

	/* Counted before it is kept: an error that finds no memory is still an error. */
	list->errors++;
	va_start(arguments, format);
	error.message = format_message(format, arguments);
	va_end(arguments);
	keep(list, &error);
}

void diagnose_warning(struct diagnostics *list, const char *file, unsigned line, unsigned column, const char *format,
		      ...) {
	struct diagnostic warning = {.file = strdup(file), .line = line, .column = column, .warning = true};
	va_list arguments;

	va_start(arguments, format);
	warning.message = format_message(format, arguments);
	va_end(arguments);
	keep(list, &warning);
}

static int compare_places(const void *left, const void *right) {
	const struct diagnostic *a = *(const struct diagnostic *const *)left;
	const struct diagnostic *b = *(const struct diagnostic *const *)right;
	int files = strcmp(a->file, b->file);

	if (files)
		return files;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	if (a->column != b->column)
		return a->column < b->column ? -1 : 1;
	return a < b ? -1 : a > b;
}

static void print_one(const struct diagnostic *diagnostic, FILE *out) {
	print_escaped(out, diagnostic->file, strlen(diagnostic->file));
	if (diagnostic->line)
		fprintf(out, ":%u:%u", diagnostic->line, diagnostic->column);
	fputs(diagnostic->warning ? ": warning: " : ": error: ", out);
	print_escaped(out, diagnostic->message, strlen(diagnostic->message));
	fputc('\n', out);
	if (diagnostic->excerpt)
		fputs(diagnostic->excerpt, out);
}

static void print_more(const struct diagnostic_file *file, bool warning, FILE *out) {
	size_t more = file->more[warning];

	if (more == 0)
		return;
	print_escaped(out, file->name, strlen(file->name));
	fprintf(out, ": and %zu more %s%s\n", more, warning ? "warning" : "error", more == 1 ? "" : "s");
}

void diagnostics_print(const struct diagnostics *list, FILE *out) {
	const struct diagnostic **sorted = calloc(list->count + 1, sizeof(const struct diagnostic *));
	size_t told = 0;

	for (size_t i = 0; sorted && i < list->count; i++)
		sorted[i] = &list->items[i];
	if (sorted)
		qsort(sorted, list->count, sizeof(*sorted), compare_places);
	for (size_t i = 0; i < list->count; i++)
		print_one(sorted ? sorted[i] : &list->items[i], out);
	for (size_t i = 0; i < list->file_count; i++) {
		print_more(&list->files[i], false, out);
		print_more(&list->files[i], true, out);
		told += list->files[i].kept[false] + list->files[i].more[false];
	}
	if (list->errors > told)
		fprintf(out, "and %zu more errors, for which there was no memory\n", list->errors - told);
	free(sorted);
}

bool diagnostics_no_memory(const struct diagnostics *list) {
	for (size_t i = 0; i < list->count; i++)
		if (!list->items[i].warning && (strstr(list->items[i].message, "out of memory") ||
						strstr(list->items[i].message, strerror(ENOMEM))))
			return true;
	return list->errors > 0 && list->count == 0;
}

void diagnostics_free(struct diagnostics *list) {
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].file);
		free(list->items[i].message);
		free(list->items[i].excerpt);
	}
	for (size_t i = 0; i < list->file_count; i++)
		free(list->files[i].name);
	free(list->items);
	free(list->files);
	*list = (struct diagnostics){0};
}
