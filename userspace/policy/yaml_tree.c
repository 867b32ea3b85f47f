/* SPDX-License-Identifier: BSD-2-Clause */
/* YAML text ──► a tree of values with their places, or errors with theirs. */
#include "policy/yaml_tree.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "policy/yaml_problem.h"

#define DEPTH_MAX 16
#define NODES_MAX 6000000

struct reader {
	yaml_parser_t parser;
	const char *file, *text;
	size_t length;
	struct diagnostics *diagnostics;
	struct arena *arena;
	struct yaml_node *root;
	struct yaml_node *open[DEPTH_MAX]; /* lists and maps that have not ended */
	struct yaml_node *last[DEPTH_MAX]; /* of each of them, the child that came last */
	struct yaml_node *keys[DEPTH_MAX]; /* of each open map, the key that waits for its value */
	size_t depth, nodes;
};

enum step { STEP_NEXT, STEP_END, STEP_FAILED };

#define refuse(reader, mark, ...)                                                                                      \
	diagnose((reader)->diagnostics, (reader)->file, (unsigned)(mark).line + 1, (unsigned)(mark).column + 1,        \
		 __VA_ARGS__)

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key) {
	for (const struct yaml_node *child = map->children; child; child = child->next)
		if (strcmp(child->key->text, key) == 0)
			return child;
	return NULL;
}

static enum step out_of_memory(struct reader *reader) {
	diagnose(reader->diagnostics, reader->file, 0, 0, "out of memory");
	return STEP_FAILED;
}

/* The next key or value of the open map, the next item of the open list, or the root. */
static void attach(struct reader *reader, struct yaml_node *node) {
	struct yaml_node *parent = reader->depth ? reader->open[reader->depth - 1] : NULL;
	struct yaml_node **key, **last;

	if (!parent) {
		reader->root = node;
		return;
	}
	key = &reader->keys[reader->depth - 1];
	last = &reader->last[reader->depth - 1];
	if (parent->kind == NODE_MAP) {
		if (!*key) {
			*key = node;
			return;
		}
		node->key = *key;
		*key = NULL;
	}
	if (*last)
		(*last)->next = node;
	else
		parent->children = node;
	*last = node;
	parent->count++;
}

static struct yaml_node *new_node(struct reader *reader, enum node_kind kind, yaml_mark_t mark) {
	struct yaml_node *node;

	if (reader->nodes++ >= NODES_MAX) {
		refuse(reader, mark, "the policy has more than %d values", NODES_MAX);
		return NULL;
	}
	node = arena_alloc(reader->arena, sizeof(*node));
	if (!node) {
		out_of_memory(reader);
		return NULL;
	}
	node->kind = kind;
	node->line = (unsigned)mark.line + 1;
	node->column = (unsigned)mark.column + 1;
	return node;
}

static void check_plain(struct reader *reader, const yaml_event_t *event, const yaml_char_t *anchor,
			const yaml_char_t *tag) {
	if (anchor)
		refuse(reader, event->start_mark,
		       "anchors (&%.40s) are not used in policies: write the value out, or put text with & in quotes",
		       anchor);
	if (tag)
		refuse(reader, event->start_mark,
		       "tags (%.40s) are not used in policies: leave it out, or put text with ! in quotes", tag);
}

static bool is_null(const yaml_event_t *event) {
	const char *text = (const char *)event->data.scalar.value;

	return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       (!*text || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
}

static enum step read_scalar(struct reader *reader, const yaml_event_t *event) {
	const char *value = (const char *)event->data.scalar.value;
	struct yaml_node *node = new_node(reader, NODE_SCALAR, event->start_mark);

	if (!node)
		return STEP_FAILED;
	attach(reader, node);
	check_plain(reader, event, event->data.scalar.anchor, event->data.scalar.tag);
	node->text = arena_text(reader->arena, value, strlen(value));
	node->null = is_null(event);
	if (!node->text)
		return out_of_memory(reader);
	if (strlen(value) == event->data.scalar.length)
		return STEP_NEXT;
	refuse(reader, event->start_mark, "a value holds a NUL byte (\\0): leave it out");
	return STEP_FAILED;
}

static enum step read_alias(struct reader *reader, const yaml_event_t *event) {
	const char *name = (const char *)event->data.alias.anchor;
	struct yaml_node *node = new_node(reader, NODE_REFUSED, event->start_mark);

	if (!node)
		return STEP_FAILED;
	attach(reader, node);
	refuse(reader, event->start_mark,
	       "aliases (*%.40s) are not used in policies: write the value out, or put a host in "
	       "quotes: \"*.example.com\"",
	       name);
	node->text = arena_text(reader->arena, "", 0);
	return node->text ? STEP_NEXT : out_of_memory(reader);
}

static enum step open_node(struct reader *reader, const yaml_event_t *event, enum node_kind kind) {
	struct yaml_node *node;

	if (reader->depth == DEPTH_MAX) {
		refuse(reader, event->start_mark, "lists and maps are nested more than %d deep", DEPTH_MAX);
		return STEP_FAILED;
	}
	node = new_node(reader, kind, event->start_mark);
	if (!node)
		return STEP_FAILED;
	attach(reader, node);
	reader->keys[reader->depth] = reader->last[reader->depth] = NULL;
	reader->open[reader->depth++] = node;
	return STEP_NEXT;
}

static int compare_keys(const void *left, const void *right) {
	const struct yaml_node *a = (*(struct yaml_node *const *)left)->key;
	const struct yaml_node *b = (*(struct yaml_node *const *)right)->key;
	int texts = strcmp(a->text, b->text);

	if (texts)
		return texts;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return a->column < b->column ? -1 : a->column > b->column;
}

/* Gives a key that is no scalar an empty text, after telling: who reads the tree relies on keys being text. */
static bool repair_keys(struct reader *reader, struct yaml_node *map) {
	for (struct yaml_node *child = map->children; child; child = child->next) {
		if (child->key->text)
			continue;
		diagnose(reader->diagnostics, reader->file, child->key->line, child->key->column,
			 "a key must be a word, not a list or a map");
		child->key->text = arena_text(reader->arena, "", 0);
		if (!child->key->text)
			return false;
	}
	return true;
}

/* A key that stands twice in a map, found by sorting so that big maps stay cheap. */
static enum step check_keys(struct reader *reader, struct yaml_node *map) {
	struct yaml_node **sorted = calloc(map->count + 1, sizeof(struct yaml_node *)), *first;
	size_t count = 0;

	if (!sorted || !repair_keys(reader, map)) {
		free(sorted);
		return out_of_memory(reader);
	}
	for (struct yaml_node *child = map->children; child; child = child->next)
		sorted[count++] = child;
	qsort(sorted, count, sizeof(*sorted), compare_keys);
	first = sorted[0];
	for (size_t i = 1; i < count; i++) {
		const struct yaml_node *key = sorted[i]->key;

		if (strcmp(first->key->text, key->text) != 0 || key->kind != NODE_SCALAR)
			first = sorted[i];
		else
			diagnose(reader->diagnostics, reader->file, key->line, key->column,
				 "`%.60s` is written twice: it is already on line %u", key->text, first->key->line);
	}
	free(sorted);
	return STEP_NEXT;
}

static enum step close_node(struct reader *reader) {
	struct yaml_node *node = reader->open[--reader->depth];

	return node->kind == NODE_MAP ? check_keys(reader, node) : STEP_NEXT;
}

static enum step read_event(struct reader *reader, const yaml_event_t *event) {
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (!reader->root)
			return STEP_NEXT;
		refuse(reader, event->start_mark,
		       "a policy is one YAML document: put the second one into its own file");
		return STEP_FAILED;
	case YAML_ALIAS_EVENT:
		return read_alias(reader, event);
	case YAML_SCALAR_EVENT:
		return read_scalar(reader, event);
	case YAML_SEQUENCE_START_EVENT:
		check_plain(reader, event, event->data.sequence_start.anchor, event->data.sequence_start.tag);
		return open_node(reader, event, NODE_LIST);
	case YAML_MAPPING_START_EVENT:
		check_plain(reader, event, event->data.mapping_start.anchor, event->data.mapping_start.tag);
		return open_node(reader, event, NODE_MAP);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return close_node(reader);
	case YAML_STREAM_END_EVENT:
		return STEP_END;
	default:
		return STEP_NEXT;
	}
}

static enum step read_all(struct reader *reader) {
	enum step step = STEP_NEXT;
	yaml_event_t event;

	while (step == STEP_NEXT) {
		if (!yaml_parser_parse(&reader->parser, &event)) {
			yaml_problem_tell(&reader->parser, reader->file, reader->text, reader->length,
					  reader->diagnostics);
			return STEP_FAILED;
		}
		step = read_event(reader, &event);
		yaml_event_delete(&event);
	}
	return step;
}

struct yaml_node *yaml_tree_parse(const char *file, const char *text, size_t length, struct diagnostics *diagnostics,
				  struct arena *arena) {
	struct reader reader = {
		.file = file, .text = text, .length = length, .diagnostics = diagnostics, .arena = arena};
	enum step end;

	if (!yaml_parser_initialize(&reader.parser)) {
		out_of_memory(&reader);
		return NULL;
	}
	yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, length);
	end = read_all(&reader);
	yaml_parser_delete(&reader.parser);
	if (end == STEP_END && !reader.root)
		diagnose(diagnostics, file, 0, 0, "the policy is empty: write at least `version: 1`");
	return end == STEP_END ? reader.root : NULL;
}
