/* SPDX-License-Identifier: BSD-2-Clause */
/* How sets.c and set_json.c share the reading of one file. */
#ifndef SNIF_SET_JSON_H
#define SNIF_SET_JSON_H

#include "policy/sets.h"

struct set_reader {
	const char *path, *text;
	size_t length;
	struct set_filter *regions, *services;
	struct prefix_list *out;
	struct diagnostics *diagnostics;
	size_t errors;
	size_t masked; /* prefixes that had bits set behind their length */
	struct {
		unsigned line, column;
	} first_masked;
};

/* What an entry says of itself. A word that it does not say is NULL. */
struct set_entry {
	const char *region;
	const char *services[3];
};

/* An error at a byte of the file; `at` NULL: of the file as a whole. */
void set_error(struct set_reader *reader, const char *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Whether the filters let an entry pass. Notes which of their words were seen. */
bool set_wanted(struct set_reader *reader, const struct set_entry *entry);

/* Adds a prefix. `at` is its place in the text; NULL: it is looked for when it is needed. */
void set_add(struct set_reader *reader, const char *prefix, const char *at);

/* Reads a JSON file of one of the providers' formats. */
void set_json_read(struct set_reader *reader);

#endif
