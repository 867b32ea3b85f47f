/* SPDX-License-Identifier: BSD-2-Clause */
/* Cells ──► aligned lines. */
#include "base/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

enum { COLUMNS_MAX = 16, GAP = 2 };

struct table {
	const struct table_column *columns;
	size_t column_count;
	char **cells;
	size_t cell_count;
};

struct table *table_new(const struct table_column *columns, size_t count) {
	struct table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->columns = columns;
	table->column_count = count;
	return table;
}

int table_add(struct table *table, const char *cell) {
	char **place = array_add(&table->cells, &table->cell_count, sizeof(*place));

	if (!place)
		return -ENOMEM;
	*place = strdup(cell);
	return *place ? 0 : -ENOMEM;
}

/* How many columns UTF-8 text takes that has no wide and no combining characters. */
static unsigned text_width(const char *text) {
	unsigned width = 0;

	for (; *text; text++)
		width += (*text & 0xc0) != 0x80;
	return width;
}

/* The byte at which character number `index` begins. */
static const char *skip(const char *text, unsigned index) {
	while (*text && (index > 0 || (*text & 0xc0) == 0x80)) {
		text++;
		index -= (*text & 0xc0) != 0x80;
	}
	return text;
}

static void natural_widths(const struct table *table, unsigned widths[COLUMNS_MAX]) {
	for (size_t i = 0; i < table->column_count; i++)
		widths[i] = text_width(table->columns[i].title);
	for (size_t i = 0; i < table->cell_count; i++) {
		unsigned width = table->cells[i] ? text_width(table->cells[i]) : 0;

		if (width > widths[i % table->column_count])
			widths[i % table->column_count] = width;
	}
}

/* A column of width 0 is not shown, nor is the gap before it. */
static unsigned total_width(const struct table *table, const unsigned widths[COLUMNS_MAX]) {
	unsigned total = 0;

	for (size_t i = 0; i < table->column_count; i++)
		if (widths[i] > 0)
			total += widths[i] + (total > 0 ? GAP : 0);
	return total;
}

/* What a column can be cut down to: at last, or as long as others can be left out. */
static unsigned least_width(const struct table_column *column, bool at_last) {
	return !at_last && column->wanted > column->minimum ? column->wanted : column->minimum;
}

/* Takes one from the widest column that can be cut. Returns false when there is none. */
static bool cut_one(const struct table *table, unsigned widths[COLUMNS_MAX], bool at_last) {
	size_t widest = table->column_count;

	for (size_t i = 0; i < table->column_count; i++)
		if (table->columns[i].minimum > 0 && widths[i] > least_width(&table->columns[i], at_last) &&
		    (widest == table->column_count || widths[i] > widths[widest]))
			widest = i;
	if (widest == table->column_count)
		return false;
	widths[widest]--;
	return true;
}

/* Leaves out a column; unless `at_last`, one that is not cut. Returns false when there is none. */
static bool drop_one(const struct table *table, unsigned widths[COLUMNS_MAX], bool at_last) {
	size_t worst = table->column_count;

	for (size_t i = 0; i < table->column_count; i++)
		if (widths[i] > 0 && table->columns[i].drop > 0 && (at_last || table->columns[i].minimum == 0) &&
		    (worst == table->column_count || table->columns[i].drop > table->columns[worst].drop))
			worst = i;
	if (worst == table->column_count)
		return false;
	widths[worst] = 0;
	return true;
}

static bool wants_width(const struct table *table) {
	size_t i = 0;

	while (i < table->column_count && table->columns[i].wanted == 0)
		i++;
	return i < table->column_count;
}

static void fit(const struct table *table, unsigned room, unsigned widths[COLUMNS_MAX]) {
	unsigned natural[COLUMNS_MAX];
	bool at_last = !wants_width(table);

	natural_widths(table, natural);
	for (;;) {
		memcpy(widths, natural, sizeof(natural));
		while (total_width(table, widths) > room && cut_one(table, widths, at_last))
			;
		if (total_width(table, widths) <= room)
			return;
		if (drop_one(table, natural, at_last))
			continue;
		if (at_last)
			return;
		at_last = true;
	}
}

static void print_cell(const struct table_column *column, const char *text, unsigned width, bool last,
		       const struct terminal *terminal, FILE *out) {
	const char *ellipsis = terminal->unicode ? "…" : "~";
	unsigned length = text_width(text), pad = length < width ? width - length : 0;
	const char *end = text + strlen(text);
	bool cut = length > width;

	if (column->right)
		fprintf(out, "%*s", (int)pad, "");
	if (cut && column->keep_end) {
		fputs(ellipsis, out);
		text = skip(text, length - width + 1);
	} else if (cut) {
		end = skip(text, width - 1);
	}
	fwrite(text, 1, (size_t)(end - text), out);
	if (cut && !column->keep_end)
		fputs(ellipsis, out);
	if (!column->right && !last)
		fprintf(out, "%*s", (int)pad, "");
}

static void print_row(const struct table *table, char *const *cells, const unsigned widths[COLUMNS_MAX],
		      const struct terminal *terminal, unsigned indent, FILE *out) {
	size_t last = table->column_count - 1;
	bool first = true;

	while (last > 0 && widths[last] == 0)
		last--;
	fprintf(out, "%*s", (int)indent, "");
	for (size_t i = 0; i <= last; i++) {
		if (widths[i] == 0)
			continue;
		if (!first)
			fprintf(out, "%*s", GAP, "");
		first = false;
		print_cell(&table->columns[i], cells ? cells[i] : table->columns[i].title, widths[i], i == last,
			   terminal, out);
	}
}

void table_print(const struct table *table, FILE *out, const struct terminal *terminal, unsigned indent) {
	unsigned widths[COLUMNS_MAX];

	fit(table, terminal->width > indent ? terminal->width - indent : -1U, widths);
	if (terminal->color)
		fputs("\033[1m", out);
	print_row(table, NULL, widths, terminal, indent, out);
	fputs(terminal->color ? "\033[0m\n" : "\n", out);
	for (size_t i = 0; i + table->column_count <= table->cell_count; i += table->column_count) {
		print_row(table, table->cells + i, widths, terminal, indent, out);
		fputc('\n', out);
	}
}

void table_free(struct table *table) {
	if (!table)
		return;
	for (size_t i = 0; i < table->cell_count; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table);
}
