/* SPDX-License-Identifier: BSD-2-Clause */
/* A node of a policy's tree ──► a value of the kind that is wanted there, or an error that says what to write. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/near_word.h"
#include "base/text.h"
#include "policy/policy_build.h"
#include "policy/yaml_problem.h"

void out_of_memory(struct builder *builder) {
	diagnose(builder->diagnostics, builder->policy->file, 0, 0, "out of memory");
}

/* Adds `known: a, b, c`, led by the word that was probably meant. Returns text to be freed, or NULL. */
static char *list_words(const char *word, const char *const words[]) {
	const char *closest = near_word(word, words);
	char *text = NULL;
	size_t size;
	FILE *out = text_open(&text, &size);

	if (!out)
		return NULL;
	if (closest)
		fprintf(out, "did you mean `%s`? ", closest);
	fputs("known: ", out);
	for (size_t i = 0; words[i]; i++)
		fprintf(out, "%s%s", i ? ", " : "", words[i]);
	text_close(out, &text);
	return text;
}

bool missing_blank(struct builder *builder, const struct yaml_node *node, const char *const keys[]) {
	size_t length = strlen(node->text);
	const char *colon = yaml_missing_blank(node->text, length);

	for (size_t i = 0; colon && keys[i]; i++) {
		if (strncmp(keys[i], node->text, (size_t)(colon - node->text)) != 0)
			continue;
		refuse(builder, node, "a key has a blank behind its colon: write `%s: %.60s`", keys[i], colon + 1);
		return true;
	}
	return false;
}

static void check_key(struct builder *builder, const struct yaml_node *key, const char *what,
		      const char *const keys[]) {
	char *known;

	if (key->kind != NODE_SCALAR)
		return;
	for (size_t i = 0; keys[i]; i++)
		if (strcmp(key->text, keys[i]) == 0)
			return;
	if (missing_blank(builder, key, keys))
		return;
	known = list_words(key->text, keys);
	refuse(builder, key, "%s has no key `%.60s`; %s", what, key->text, known ? known : "");
	free(known);
}

bool expect_map(struct builder *builder, const struct yaml_node *node, const char *what, const char *const keys[]) {
	if (!node || node->null || node->kind == NODE_REFUSED)
		return false;
	if (node->kind == NODE_SCALAR && missing_blank(builder, node, keys))
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
	refuse(builder, node, "%s must be a list: write each item on its own line after `- `%s", what,
	       node->kind == NODE_SCALAR && *node->text == '-' ? ", with the blank" : "");
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

bool read_expected(struct builder *builder, const struct yaml_node *item) {
	static const char *const words[] = {"false", "true", NULL};
	const struct yaml_node *node = item->kind == NODE_MAP ? yaml_get(item, "expected") : NULL;

	return read_choice(builder, node, "`expected`", words) == 1;
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
