/* SPDX-License-Identifier: BSD-2-Clause */
/* A node of a policy's tree ──► a value of the kind that is wanted there, or an error that says what to write. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "policy/policy_build.h"

void out_of_memory(struct builder *builder) {
	diagnose(builder->diagnostics, builder->policy->file, 0, 0, "out of memory");
}

static unsigned min3(unsigned a, unsigned b, unsigned c) {
	unsigned least = a < b ? a : b;

	return least < c ? least : c;
}

#define WORD_MAX 32 /* no key is as long */

/* How many letters to add, drop or change to make `a` of `b` (Levenshtein). Long words are far from everything. */
static unsigned distance(const char *a, const char *b) {
	size_t length = strlen(b);
	unsigned row[WORD_MAX + 1], diagonal, above;

	if (strlen(a) > WORD_MAX || length > WORD_MAX)
		return WORD_MAX;
	for (unsigned i = 0; i <= length; i++)
		row[i] = i;
	for (; *a; a++) {
		diagonal = row[0]++;
		for (size_t i = 1; i <= length; i++) {
			above = row[i];
			row[i] = min3(diagonal + (*a != b[i - 1]), above + 1, row[i - 1] + 1);
			diagonal = above;
		}
	}
	return row[length];
}

/* Adds `known: a, b, c`, led by the word that was probably meant. Returns text to be freed, or NULL. */
static char *list_words(const char *word, const char *const words[]) {
	const char *closest = NULL;
	size_t least = strlen(word) / 3 + 1; /* further away it was probably not meant */
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (size_t i = 0; words[i]; i++) {
		unsigned now = distance(word, words[i]);

		if (now < least) {
			least = now;
			closest = words[i];
		}
	}
	if (closest)
		fprintf(out, "did you mean `%s`? ", closest);
	fputs("known: ", out);
	for (size_t i = 0; words[i]; i++)
		fprintf(out, "%s%s", i ? ", " : "", words[i]);
	return fclose(out) == 0 ? text : NULL;
}

static void check_key(struct builder *builder, const struct yaml_node *key, const char *what,
		      const char *const keys[]) {
	char *known;

	if (key->kind != NODE_SCALAR)
		return;
	for (size_t i = 0; keys[i]; i++)
		if (strcmp(key->text, keys[i]) == 0)
			return;
	known = list_words(key->text, keys);
	refuse(builder, key, "%s has no key `%.60s`; %s", what, key->text, known ? known : "");
	free(known);
}

bool expect_map(struct builder *builder, const struct yaml_node *node, const char *what, const char *const keys[]) {
	if (!node || node->null || node->kind == NODE_REFUSED)
		return false;
	if (node->kind != NODE_MAP) {
		refuse(builder, node, "%s must be a map, like {%s: ...}", what, keys[0]);
		return false;
	}
	for (const struct yaml_node *child = node->children; child; child = child->next)
		check_key(builder, child->key, what, keys);
	return true;
}

bool expect_list(struct builder *builder, const struct yaml_node *node, const char *what) {
	if (!node || node->null || node->kind == NODE_REFUSED)
		return false;
	if (node->kind == NODE_LIST)
		return node->count > 0;
	refuse(builder, node, "%s must be a list: write each item on its own line after `- `", what);
	return false;
}

bool expect_word(struct builder *builder, const struct yaml_node *node, const char *what) {
	if (node->kind == NODE_REFUSED)
		return false;
	if (node->kind == NODE_SCALAR && !node->null && *node->text)
		return true;
	if (node->kind == NODE_SCALAR)
		refuse(builder, node, "%s is empty", what);
	else
		refuse(builder, node, "%s must be one word, not a %s", what, node->kind == NODE_LIST ? "list" : "map");
	return false;
}

unsigned read_choice(struct builder *builder, const struct yaml_node *node, const char *what,
		     const char *const words[]) {
	char *known;

	if (!node || !expect_word(builder, node, what))
		return 0;
	for (unsigned i = 0; words[i]; i++)
		if (strcmp(node->text, words[i]) == 0)
			return i;
	known = list_words(node->text, words);
	refuse(builder, node, "%s cannot be `%.60s`; %s", what, node->text, known ? known : "");
	free(known);
	return 0;
}

const struct yaml_node *next_word(const struct yaml_node *node, const struct yaml_node *last) {
	if (node->kind != NODE_LIST)
		return last ? NULL : node;
	return last ? last->next : node->children;
}

char *keep_text(struct builder *builder, char *text) {
	char *kept = text ? arena_text(&builder->policy->texts, text, strlen(text)) : NULL;

	free(text);
	return kept;
}

uint32_t add_rule(struct builder *builder, unsigned line, unsigned column, char *text) {
	struct policy *policy = builder->policy;
	struct rule *rule = text ? array_add(&policy->rules, &policy->rule_count, sizeof(*rule)) : NULL;

	if (!rule) {
		out_of_memory(builder);
		return 0;
	}
	rule->file = policy->file;
	rule->line = line;
	rule->column = column;
	rule->text = text;
	return (uint32_t)(policy->rule_count - 1);
}
