/* SPDX-License-Identifier: BSD-2-Clause */
/* Errors and warnings about a policy, each with its place, collected so that a file's are all told in one go. */
#ifndef SNIF_DIAGNOSTIC_H
#define SNIF_DIAGNOSTIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct diagnostic {
	char *file;
	unsigned line, column; /* both count from 1; line 0: the file as a whole */
	bool warning;
	char *message; /* one line: what is wrong, then what to write instead */
	char *excerpt; /* the line it is about and a caret below the place, as printed; NULL: not known */
};

struct diagnostic_file {
	char *name;
	size_t kept[2], more[2]; /* how many are kept, and how many more there were: [warning] */
	const char *text;	 /* what diagnostics_source() has told of; NULL: nothing */
	size_t length;
	size_t at; /* where line `line` begins in it: the next one looked for is mostly further down */
	unsigned line;
};

struct diagnostics {
	struct diagnostic *items;
	size_t count, errors;
	struct diagnostic_file *files;
	size_t file_count;
};

/* Adds an error (diagnose_warning: a warning). Copies its arguments. Beyond 100 of a file it only counts. */
void diagnose(struct diagnostics *list, const char *file, unsigned line, unsigned column, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
void diagnose_warning(struct diagnostics *list, const char *file, unsigned line, unsigned column, const char *format,
		      ...) __attribute__((format(printf, 5, 6)));

/* From now on, until it is called with NULL as `text`, what is added about `file` is shown with its line of this text. */
void diagnostics_source(struct diagnostics *list, const char *file, const char *text, size_t length);

/* Prints `file:line:column: error: message`, each with its line of the file and a caret below it where that is known,
 * sorted by file and place, then how many more there are of each file. Bytes that are not printable are escaped, so
 * that a hostile file cannot write to the terminal. */
void diagnostics_print(const struct diagnostics *list, FILE *out);
/* Whether one of the errors is that memory was out, or there was none to keep them. */
bool diagnostics_no_memory(const struct diagnostics *list);
void diagnostics_free(struct diagnostics *list);

#endif
