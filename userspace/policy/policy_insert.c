/* SPDX-License-Identifier: BSD-2-Clause */
/* The text of a policy, rules ──► the text with the rules in it. */
#include "policy/policy_insert.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/text.h"

enum { COMMENT_COLUMN_MAX = 56, INDENT = 2 };

/* Where items go, and what has to be written around them. */
struct place {
	size_t offset; /* in bytes */
	bool flow;     /* inside of brackets; else on lines of their own */
	bool comma;    /* flow: is to be written, at comma_offset, behind what is there already */
	size_t comma_offset;
	bool own_line; /* flow: behind the comment of what is there already */
	size_t indent; /* of the first line, unless it is one that is there already */
	unsigned keys; /* that are missing: 0 none, 1 `allow`, 2 the section too */
};

struct source {
	const char *text;
	size_t length;
	const char *line_end;
	yaml_document_t document;
};

/* libyaml counts characters, and not the byte order mark. */
static size_t byte_offset(const struct source *source, yaml_mark_t mark) {
	size_t at = strncmp(source->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

	for (size_t characters = 0; at < source->length; at++) {
		if ((source->text[at] & 0xc0) == 0x80)
			continue;
		if (characters++ == mark.index)
			break;
	}
	return at;
}

/* The start of the line behind the one that `at` is in. */
static size_t next_line(const struct source *source, size_t at) {
	const char *end = memchr(source->text + at, '\n', source->length - at);

	return end ? (size_t)(end - source->text) + 1 : source->length;
}

static yaml_node_t *node(struct source *source, int index) {
	return yaml_document_get_node(&source->document, index);
}

static bool is_flow(const yaml_node_t *at) {
	return at->type == YAML_MAPPING_NODE ? at->data.mapping.style == YAML_FLOW_MAPPING_STYLE
					     : at->data.sequence.style == YAML_FLOW_SEQUENCE_STYLE;
}

/* `key:` with nothing behind it. */
static bool is_empty(const yaml_node_t *at) {
	return at->type == YAML_SCALAR_NODE && at->data.scalar.length == 0 &&
	       at->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

/* The value of a key in a map, or NULL. `key` gets the key's node. */
static yaml_node_t *get(struct source *source, const yaml_node_t *map, const char *word, yaml_node_t **key) {
	const yaml_node_pair_t *pair = map->data.mapping.pairs.start;

	for (; pair < map->data.mapping.pairs.top; pair++) {
		*key = node(source, pair->key);
		if ((*key)->type == YAML_SCALAR_NODE && strcmp((const char *)(*key)->data.scalar.value, word) == 0)
			return node(source, pair->value);
	}
	return NULL;
}

/* The last node inside of a list or map; NULL when there is none. */
static yaml_node_t *last_inside(struct source *source, const yaml_node_t *at) {
	if (at->type == YAML_SEQUENCE_NODE && at->data.sequence.items.top > at->data.sequence.items.start)
		return node(source, at->data.sequence.items.top[-1]);
	if (at->type == YAML_MAPPING_NODE && at->data.mapping.pairs.top > at->data.mapping.pairs.start) {
		yaml_node_t *value = node(source, at->data.mapping.pairs.top[-1].value);

		return is_empty(value) ? node(source, at->data.mapping.pairs.top[-1].key) : value;
	}
	return NULL;
}

/* Where the text of a node ends: libyaml says of a block that it ends where the next one begins. */
static yaml_mark_t end_of(struct source *source, yaml_node_t *at) {
	yaml_node_t *inside = at;

	while (inside && inside->type != YAML_SCALAR_NODE && !is_flow(inside)) {
		at = inside;
		inside = last_inside(source, inside);
	}
	return inside ? inside->end_mark : at->end_mark;
}

/* The column in which things in brackets begin, of which there is one. */
static size_t column_inside(struct source *source, const yaml_node_t *at) {
	bool map = at->type == YAML_MAPPING_NODE;

	return node(source, map ? at->data.mapping.pairs.start->key : *at->data.sequence.items.start)
		->start_mark.column;
}

/* Behind the last thing in brackets; where it has a comment behind it, below that, which would else seem to be about
 * what is added. */
static struct place in_brackets(struct source *source, yaml_node_t *at, unsigned keys) {
	yaml_node_t *last = last_inside(source, at);
	struct place place = {.flow = true, .comma = last, .keys = keys};
	bool comma = false;
	size_t end;

	if (!last) {
		place.offset = byte_offset(source, at->start_mark) + 1;
		return place;
	}
	end = place.offset = place.comma_offset = byte_offset(source, end_of(source, last));
	for (; end < source->length && strchr(" \t,", source->text[end]); end++)
		comma |= source->text[end] == ',';
	if (end == source->length || source->text[end] != '#')
		return place;
	place.comma = !comma;
	place.own_line = true;
	place.offset = next_line(source, end);
	place.indent = column_inside(source, at);
	return place;
}

/* Behind the comment lines at `at` that are indented more than what will be written there: they go with what is before
 * them. */
static size_t behind_comments(const struct source *source, size_t at, size_t indent) {
	size_t first;

	for (;; at = next_line(source, first)) {
		for (first = at; first < source->length && source->text[first] == ' '; first++)
			;
		if (first == source->length || source->text[first] != '#' || first - at <= indent)
			return at;
	}
}

static struct place behind(struct source *source, yaml_node_t *at, unsigned keys) {
	struct place place = {.indent = at->start_mark.column, .keys = keys};

	if (is_flow(at))
		return in_brackets(source, at, keys);
	place.offset = next_line(source, byte_offset(source, end_of(source, at)));
	place.offset = behind_comments(source, place.offset, place.indent);
	return place;
}

/* Below a key that has nothing behind it. */
static struct place below(struct source *source, const yaml_node_t *key, unsigned keys) {
	return (struct place){.offset = next_line(source, byte_offset(source, key->end_mark)),
			      .indent = key->start_mark.column + INDENT,
			      .keys = keys};
}

/* Returns NULL, or what is wrong with the place that `at` is at. */
static const char *find_place(struct source *source, const char *section, struct place *place, yaml_node_t **at) {
	yaml_node_t *root = yaml_document_get_root_node(&source->document), *key, *map, *list;

	*at = root;
	if (!root || root->type != YAML_MAPPING_NODE)
		return "the policy is no map";
	map = get(source, root, section, &key);
	if (!map) {
		*place = behind(source, root, 2);
		if (!place->flow && source->document.end_implicit)
			place->offset = source->length;
		return NULL;
	}
	*at = key;
	if (is_empty(map) && !is_flow(root)) {
		*place = below(source, key, 1);
		return NULL;
	}
	if (map->type != YAML_MAPPING_NODE)
		return "what stands behind the key is no map that could be added to";
	list = get(source, map, "allow", &key);
	if (!list) {
		*place = behind(source, map, 1);
		return NULL;
	}
	*at = key;
	if (is_empty(list) && !is_flow(map))
		*place = below(source, key, 0);
	else if (list->type == YAML_SEQUENCE_NODE)
		*place = behind(source, list, 0);
	else
		return "what stands behind the key is no list that could be added to";
	return NULL;
}

/* `more`: something else follows in the same brackets. */
static void write_flow(const struct source *source, const struct place *place, const struct insertion *insertion,
		       bool more, FILE *out) {
	if (place->own_line)
		fprintf(out, "%*s", (int)place->indent, "");
	else
		fputs(place->comma ? " " : "", out);
	if (place->keys > 1)
		fprintf(out, "%s: {", insertion->section);
	fputs(place->keys > 0 ? "allow: [" : "", out);
	for (size_t i = 0; i < insertion->count; i++)
		fprintf(out, "%s%s", i ? ", " : "", insertion->items[i].rule);
	fputs(place->keys > 0 ? "]" : "", out);
	fputs(place->keys > 1 ? "}" : "", out);
	if (place->own_line)
		fprintf(out, "%s%s", more ? "," : "", source->line_end);
}

/* How wide rules are, for comments to stand in one column; longer ones push theirs out of it. */
static int rule_width(const struct insertion *insertion) {
	size_t width = 0;

	for (size_t i = 0; i < insertion->count; i++) {
		size_t length = strlen(insertion->items[i].rule);

		if (length > width && length <= COMMENT_COLUMN_MAX)
			width = length;
	}
	return (int)width;
}

static void write_block(const struct source *source, const struct place *place, const struct insertion *insertion,
			FILE *out) {
	int indent = (int)place->indent, width = rule_width(insertion);

	if (place->keys > 1) {
		fprintf(out, "%*s%s:%s", indent, "", insertion->section, source->line_end);
		indent += INDENT;
	}
	if (place->keys > 0) {
		fprintf(out, "%*sallow:%s", indent, "", source->line_end);
		indent += INDENT;
	}
	for (size_t i = 0; i < insertion->count; i++)
		fprintf(out, "%*s- %-*s # %s%s", indent, "", width, insertion->items[i].rule,
			insertion->items[i].comment, source->line_end);
}

/* Of two places at one offset the one that is indented more is still part of what ends there. */
static bool is_before(const struct place *a, const struct place *b) {
	return a->offset != b->offset ? a->offset < b->offset : a->indent > b->indent;
}

/* Copies the text from *done up to `end`. */
static void copy(const struct source *source, size_t *done, size_t end, FILE *out) {
	fwrite(source->text + *done, 1, end - *done, out);
	*done = end;
}

/* Writes the numbers of the places in the order of the text; of like ones, that in which they are. */
static void order_places(const struct place *places, size_t count, size_t order[INSERTIONS_MAX]) {
	for (size_t i = 0; i < count; i++) {
		size_t at = i;

		for (; at > 0 && is_before(&places[i], &places[order[at - 1]]); at--)
			order[at] = order[at - 1];
		order[at] = i;
	}
}

/* `places` are in the order of `insertions`. */
static void write_all(const struct source *source, const struct place *places, const struct insertion *insertions,
		      size_t count, FILE *out) {
	size_t done = 0, order[INSERTIONS_MAX];
	bool line_open = false;

	order_places(places, count, order);
	for (size_t i = 0; i < count; i++) {
		const struct place *place = &places[order[i]], *next = i + 1 < count ? &places[order[i + 1]] : NULL;
		bool more = next && place->own_line && next->own_line && place->offset == next->offset;

		if (place->offset > done)
			line_open = source->text[place->offset - 1] != '\n';
		if (place->comma && place->comma_offset >= done) {
			copy(source, &done, place->comma_offset, out);
			fputc(',', out);
		}
		copy(source, &done, place->offset, out);
		if (place->flow) {
			write_flow(source, place, &insertions[order[i]], more, out);
			continue;
		}
		fputs(line_open ? source->line_end : "", out);
		line_open = false;
		write_block(source, place, &insertions[order[i]], out);
	}
	copy(source, &done, source->length, out);
}

static bool load(struct source *source) {
	yaml_parser_t parser;
	bool loaded;

	if (!yaml_parser_initialize(&parser))
		return false;
	yaml_parser_set_input_string(&parser, (const unsigned char *)source->text, source->length);
	loaded = yaml_parser_load(&parser, &source->document);
	yaml_parser_delete(&parser);
	return loaded;
}

static char *insert(struct source *source, const struct insertion *insertions, size_t count, size_t *length,
		    struct insert_problem *problem) {
	struct place places[INSERTIONS_MAX];
	char *merged = NULL;
	yaml_node_t *at;
	FILE *out;

	for (size_t i = 0; i < count; i++) {
		problem->what = find_place(source, insertions[i].section, &places[i], &at);
		if (!problem->what)
			continue;
		problem->section = insertions[i].section;
		problem->line = at ? (unsigned)at->start_mark.line + 1 : 1;
		return NULL;
	}
	out = text_open(&merged, length);
	if (!out)
		return NULL;
	write_all(source, places, insertions, count, out);
	text_close(out, &merged);
	return merged;
}

char *policy_insert(const char *text, size_t size, const struct insertion *insertions, size_t count, size_t *length,
		    struct insert_problem *problem) {
	struct source source = {.text = text, .length = size, .line_end = "\n"};
	const char *end = memchr(text, '\n', size);
	char *merged;

	*problem = (struct insert_problem){.section = insertions->section, .line = 1};
	if (end && end > text && end[-1] == '\r')
		source.line_end = "\r\n";
	if (size >= 2 && ((text[0] & 0xfe) == 0xfe || !text[0] || !text[1])) {
		problem->what = "the file is not UTF-8";
		return NULL;
	}
	if (!load(&source)) {
		problem->what = "the file does not parse";
		return NULL;
	}
	merged = insert(&source, insertions, count, length, problem);
	yaml_document_delete(&source.document);
	return merged;
}
