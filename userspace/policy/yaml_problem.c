/* SPDX-License-Identifier: BSD-2-Clause */
/* A parser that failed ──► the mistake, its place, and what to write instead. */
#include "policy/yaml_problem.h"

#include <stdbool.h>
#include <string.h>

#include "base/utf8.h"

struct problem {
	const yaml_parser_t *parser;
	const char *file, *text;
	size_t length;
	struct diagnostics *diagnostics;
};

/* A line of the text, without its end. */
struct line {
	const char *text;
	size_t length, indent;
};

#define tell(problem, line, column, ...)                                                                               \
	diagnose((problem)->diagnostics, (problem)->file, (unsigned)(line) + 1, (unsigned)(column) + 1, __VA_ARGS__)

static bool says(const char *words, const char *what) {
	return words && strstr(words, what) != NULL;
}

/* The line with this number, which counts from 0. */
static struct line find_line(const struct problem *problem, size_t number) {
	const char *at = problem->text, *end = at + problem->length, *newline;
	struct line line = {.text = end};

	for (; number > 0 && (newline = memchr(at, '\n', (size_t)(end - at))); number--)
		at = newline + 1;
	if (number > 0)
		return line;
	newline = memchr(at, '\n', (size_t)(end - at));
	line = (struct line){.text = at, .length = (size_t)((newline ? newline : end) - at)};
	while (line.indent < line.length && (at[line.indent] == ' ' || at[line.indent] == '\t'))
		line.indent++;
	return line;
}

/* The first byte of the character at a mark, or NUL at the end. */
static char character(const struct problem *problem, yaml_mark_t mark) {
	struct line line = find_line(problem, mark.line);
	size_t at = utf8_bytes(line.text, line.length, mark.column);

	return at < line.length ? line.text[at] : '\0';
}

static bool begins_line(const struct problem *problem, yaml_mark_t mark) {
	return find_line(problem, mark.line).indent == mark.column;
}

const char *yaml_missing_blank(const char *text, size_t length) {
	size_t key = 0;

	while (key < length && ((text[key] >= 'a' && text[key] <= 'z') || text[key] == '_'))
		key++;
	if (key == 0 || key + 1 >= length || text[key] != ':' || strchr(" \t\r:/", text[key + 1]))
		return NULL;
	return text + key;
}

/* `version:1` at the start of a line, or behind its `- `. */
static bool tell_missing_blank(const struct problem *problem, size_t number) {
	struct line line = find_line(problem, number);
	size_t start = line.indent;
	const char *colon;

	if (start + 2 < line.length && line.text[start] == '-' && line.text[start + 1] == ' ')
		start += 2;
	colon = yaml_missing_blank(line.text + start, line.length - start);
	if (!colon)
		return false;
	tell(problem, number, colon - line.text, "a key has a blank behind its colon: write `%.*s: `",
	     (int)(colon - line.text - (long)start), line.text + start);
	return true;
}

/* The same on the line of a mark, or on the last one before it that is not empty. */
static bool tell_missing_blank_near(const struct problem *problem, size_t number) {
	if (tell_missing_blank(problem, number))
		return true;
	while (number > 0) {
		struct line line = find_line(problem, --number);

		if (line.indent < line.length)
			return tell_missing_blank(problem, number);
	}
	return false;
}

static void tell_encoding(const struct problem *problem) {
	const yaml_parser_t *parser = problem->parser;
	yaml_mark_t mark = {0};

	/* Of such an error libyaml knows the offset in bytes instead of the place. */
	for (size_t i = 0; i < parser->problem_offset && i < problem->length; i++) {
		bool newline = problem->text[i] == '\n';

		mark.line += newline;
		mark.column = newline ? 0 : mark.column + (((unsigned char)problem->text[i] & 0xc0) != 0x80);
	}
	if (says(parser->problem, "control characters"))
		tell(problem, mark.line, mark.column, "a control character (0x%02x) is no text: leave it out",
		     (unsigned)parser->problem_value);
	else
		tell(problem, mark.line, mark.column, "this is no UTF-8: save the file as UTF-8 text");
}

static void tell_tab(const struct problem *problem, yaml_mark_t mark) {
	if (mark.column < find_line(problem, mark.line).indent)
		tell(problem, mark.line, mark.column, "a tab indents this line: indent with spaces");
	else
		tell(problem, mark.line, mark.column, "a tab stands here: write a space");
}

/* `[` and `{` that are not closed, or lack a comma. */
static void tell_open(const struct problem *problem, char close) {
	yaml_mark_t open = problem->parser->context_mark, mark = problem->parser->problem_mark;

	if (open.line == mark.line)
		tell(problem, mark.line, mark.column,
		     "a comma is missing here, or the `%c` that ends what began with `%c`", close,
		     character(problem, open));
	else
		tell(problem, open.line, open.column, "this `%c` is not closed: write `%c` where it ends",
		     character(problem, open), close);
}

/* Something stands where a value should be, between [ ] or { }. */
static void tell_no_value(const struct problem *problem) {
	yaml_mark_t mark = problem->parser->problem_mark;

	if (character(problem, mark) == ':')
		tell(problem, mark.line, mark.column,
		     "an address that begins with a colon stands in quotes here, like \"::1\"");
	else if (character(problem, mark) == '\0')
		tell(problem, mark.line, mark.column, "a `[` or `{` is not closed: write `]` or `}` where it ends");
	else
		tell(problem, mark.line, mark.column, "a value is missing before this `%c`", character(problem, mark));
}

/* A `: ` where no key can be. */
static void tell_second_colon(const struct problem *problem) {
	yaml_mark_t mark = problem->parser->problem_mark;
	struct line line = find_line(problem, mark.line);

	if (tell_missing_blank_near(problem, mark.line))
		return;
	if (memmem(line.text, utf8_bytes(line.text, line.length, mark.column), ": ", 2))
		tell(problem, mark.line, mark.column,
		     "a key stands behind another one: write it on its own line, indented below that, or put text with a "
		     "colon in quotes");
	else
		tell(problem, mark.line, line.indent,
		     "this line is indented below one that has its value already: begin it in the column of the keys "
		     "that it stands with");
}

/* A line without the colon of a key. */
static void tell_no_colon(const struct problem *problem) {
	yaml_mark_t mark = problem->parser->context_mark;
	struct line line = find_line(problem, mark.line);
	size_t start = utf8_bytes(line.text, line.length, mark.column);

	if (tell_missing_blank(problem, mark.line))
		return;
	tell(problem, mark.line, mark.column,
	     "`%.*s` is neither a key nor an item of a list: write a colon behind a key, and `- ` before an item",
	     (int)(line.length - start < 60 ? line.length - start : 60), line.text + start);
}

/* What no open list or map can go on with. */
static void tell_stray(const struct problem *problem) {
	yaml_mark_t mark = problem->parser->problem_mark, start = problem->parser->context_mark;

	if (!begins_line(problem, mark))
		tell(problem, mark.line, mark.column,
		     "nothing can follow here: put all of a text between the same quotes, and each item of a list on its "
		     "own line");
	else if (says(problem->parser->problem, "'-'") && mark.column == start.column)
		tell(problem, mark.line, mark.column,
		     "the list began on line %u in this column: write `- ` before an item, or begin a key in the column "
		     "of the keys that it stands with",
		     (unsigned)start.line + 1);
	else
		tell(problem, mark.line, mark.column,
		     "wrong indentation: begin this line in the same column as the keys or items that it stands with");
}

static void tell_quoted(const struct problem *problem) {
	yaml_mark_t start = problem->parser->context_mark, mark = problem->parser->problem_mark;

	if (says(problem->parser->problem, "found unexpected"))
		tell(problem, start.line, start.column, "this quote is not closed: write %c behind the text too",
		     character(problem, start));
	else
		tell(problem, mark.line, mark.column,
		     "a backslash means something else between double quotes: leave it out, or use single quotes");
}

static bool tell_scanner(const struct problem *problem) {
	const yaml_parser_t *parser = problem->parser;
	yaml_mark_t mark = parser->problem_mark;

	if (says(parser->problem, "tab character") || character(problem, mark) == '\t')
		tell_tab(problem, mark);
	else if (says(parser->context, "scanning an alias"))
		tell(problem, parser->context_mark.line, parser->context_mark.column,
		     "a word that begins with * stands in quotes, like \"*.example.com\"");
	else if (says(parser->context, "an anchor") || says(parser->context, " a tag"))
		tell(problem, parser->context_mark.line, parser->context_mark.column,
		     "a word that begins with %c stands in quotes", character(problem, parser->context_mark));
	else if (says(parser->problem, "cannot start any token"))
		tell(problem, mark.line, mark.column, "a word that begins with %c stands in quotes",
		     character(problem, mark));
	else if (says(parser->context, "quoted scalar"))
		tell_quoted(problem);
	else if (says(parser->problem, "unexpected ':'"))
		tell(problem, mark.line, mark.column,
		     "an address that begins or ends with a colon stands in quotes here, like \"::1\"");
	else if (says(parser->problem, "mapping values"))
		tell_second_colon(problem);
	else if (says(parser->problem, "sequence entries"))
		tell(problem, mark.line, mark.column,
		     "a list begins on the line below its key: write `- ` there, or [a, b] here");
	else if (says(parser->context, "simple key"))
		tell_no_colon(problem);
	else
		return false;
	return true;
}

static bool tell_parser(const struct problem *problem) {
	const yaml_parser_t *parser = problem->parser;
	yaml_mark_t mark = parser->problem_mark;

	if (says(parser->problem, "',' or ']'"))
		tell_open(problem, ']');
	else if (says(parser->problem, "',' or '}'"))
		tell_open(problem, '}');
	else if (says(parser->problem, "node content"))
		tell_no_value(problem);
	else if (says(parser->problem, "expected key") || says(parser->problem, "'-' indicator"))
		tell_stray(problem);
	else if (says(parser->problem, "document"))
		tell(problem, mark.line, mark.column,
		     "a policy is one YAML document without directives: leave out what stands before or behind it");
	else
		return false;
	return true;
}

void yaml_problem_tell(const yaml_parser_t *parser, const char *file, const char *text, size_t length,
		       struct diagnostics *diagnostics) {
	struct problem problem = {parser, file, text, length, diagnostics};

	if (parser->error == YAML_MEMORY_ERROR)
		diagnose(diagnostics, file, 0, 0, "out of memory");
	else if (parser->error == YAML_READER_ERROR)
		tell_encoding(&problem);
	else if (!tell_scanner(&problem) && !tell_parser(&problem))
		tell(&problem, parser->problem_mark.line, parser->problem_mark.column, "not YAML: %s%s%s",
		     parser->problem, parser->context ? " " : "", parser->context ? parser->context : "");
}
