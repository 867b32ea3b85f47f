/* SPDX-License-Identifier: BSD-2-Clause */
/* What is wrong with a policy ──► lines in the order of the file. */
#include "policy/diagnostic.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/message.h"

/* Errors and warnings each have this much room, so that warnings cannot hide an error. */
#define DIAGNOSTICS_KEPT 100

static void keep(struct diagnostics *list, const struct diagnostic *diagnostic) {
	struct diagnostic *kept;
	size_t alike = 0;

	for (size_t i = 0; i < list->count; i++)
		alike += list->items[i].warning == diagnostic->warning;
	if (alike >= DIAGNOSTICS_KEPT || !diagnostic->file || !diagnostic->message)
		goto drop;
	kept = array_add(&list->items, &list->count, sizeof(*kept));
	if (!kept)
		goto drop;
	*kept = *diagnostic;
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
}

void diagnostics_print(const struct diagnostics *list, FILE *out) {
	const struct diagnostic **sorted = calloc(list->count + 1, sizeof(const struct diagnostic *));
	size_t errors = 0;

	for (size_t i = 0; sorted && i < list->count; i++)
		sorted[i] = &list->items[i];
	if (sorted)
		qsort(sorted, list->count, sizeof(*sorted), compare_places);
	for (size_t i = 0; i < list->count; i++) {
		print_one(sorted ? sorted[i] : &list->items[i], out);
		errors += !list->items[i].warning;
	}
	if (list->errors > errors)
		fprintf(out, "and %zu more errors\n", list->errors - errors);
	free(sorted);
}

void diagnostics_free(struct diagnostics *list) {
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].file);
		free(list->items[i].message);
	}
	free(list->items);
	*list = (struct diagnostics){0};
}
