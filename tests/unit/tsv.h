/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of tab-separated columns ──► rows. */
#ifndef SNIF_TSV_H
#define SNIF_TSV_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define COLUMNS 28

struct row {
	char *line;
	char *column[COLUMNS];
	bool used;
};

struct table {
	struct row *rows;
	size_t count;
};

/* Reads tab-separated rows; lines that begin with # are none. */
static void table_read(struct table *table, const char *path) {
	FILE *in = fopen(path, "r");
	char *line = NULL, *rest;
	size_t size = 0;
	ssize_t length;

	if (!in)
		fail_msg("%s: %s", path, strerror(errno));
	while ((length = getline(&line, &size, in)) > 0) {
		struct row *row;

		if (line[0] == '#')
			continue;
		line[strcspn(line, "\n")] = '\0';
		row = array_add(&table->rows, &table->count, sizeof(*row));
		assert_non_null(row);
		row->line = rest = strdup(line);
		for (int i = 0; i < COLUMNS; i++)
			row->column[i] = rest ? strsep(&rest, "\t") : "";
	}
	free(line);
	fclose(in);
}

static void table_free(struct table *table) {
	for (size_t i = 0; i < table->count; i++)
		free(table->rows[i].line);
	free(table->rows);
}

#endif
