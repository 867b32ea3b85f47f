/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules for single names ──► fewer rules, for whole domains. */
#include "learn/learn_wildcards.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/hostname.h"

enum { NAMES_SHOWN = 3 };

static const char *parent(const char *name) {
	const char *dot = strchr(name, '.');

	return dot ? dot + 1 : "";
}

/* By parent, then in the order of the list, which the rules are part of. */
static int compare(const void *left, const void *right) {
	const struct learned_rule *a = *(struct learned_rule *const *)left, *b = *(struct learned_rule *const *)right;
	int order = strcmp(parent(a->name), parent(b->name));

	return order ? order : (a > b) - (a < b);
}

/* Whether nobody but the domain's owner has names below `above`, as far as the list of public suffixes knows. */
static bool is_owned(const char *above, struct learned_rule *const *rules, size_t count) {
	const char *domain = hostname_domain(above), *other;
	char pattern[SNIF_NAME_BUFFER + 2], message[HOSTNAME_MESSAGE];
	struct hostname hostname;

	snprintf(pattern, sizeof(pattern), "*.%s", above);
	if (!domain || hostname_parse(pattern, false, &hostname, message) < 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		other = hostname_domain(rules[i]->name);
		if (!other || strcmp(domain, other) != 0)
			return false;
	}
	return true;
}

/* A rule of the policy about the same names would contradict the wildcard, or be repeated by it. */
static bool has_pattern(const struct policy *policy, const char *above) {
	for (size_t i = 0; i < policy->host_count; i++)
		if (policy->hosts[i].form != HOST_EXACT && strcmp(policy->hosts[i].name, above) == 0)
			return true;
	return false;
}

/* `for 5 names (a.example.com, b.example.com, …)` */
static char *list_names(struct learned_rule *const *rules, size_t count) {
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fprintf(out, "%zu names (", count);
	for (size_t i = 0; i < count && i < NAMES_SHOWN; i++)
		fprintf(out, "%s%s", i ? ", " : "", rules[i]->name);
	fputs(count > NAMES_SHOWN ? ", ...)" : ")", out);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

/* Makes the first rule the wildcard, and empties the others. */
static int fold(struct learned_rule *const *rules, size_t count) {
	struct learned_rule *first = rules[0];
	char *text;
	int error = 0;

	first->about = list_names(rules, count);
	if (!first->about || asprintf(&text, "\"*.%s\"", parent(first->name)) < 0)
		return -ENOMEM;
	free(first->text);
	first->text = text;
	first->name = NULL;
	for (size_t i = 1; !error && i < count; i++) {
		error = usage_add(&first->usage, &rules[i]->usage);
		learned_rule_free(rules[i]);
		*rules[i] = (struct learned_rule){0};
	}
	return error;
}

static void drop_empty(struct rule_list *list) {
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].text)
			list->items[kept++] = list->items[i];
	list->count = kept;
}

static int fold_all(struct learned_rule **rules, size_t count, const struct policy *policy, unsigned threshold) {
	int error = 0;

	for (size_t i = 0, end; !error && i < count; i = end) {
		const char *above = parent(rules[i]->name);

		for (end = i + 1; end < count && strcmp(parent(rules[end]->name), above) == 0; end++)
			;
		if (end - i >= threshold && !has_pattern(policy, above) && is_owned(above, rules + i, end - i))
			error = fold(rules + i, end - i);
	}
	return error;
}

int learn_wildcards(struct rule_list *hosts, const struct policy *policy, unsigned threshold) {
	struct learned_rule **rules = calloc(hosts->count + 1, sizeof(struct learned_rule *));
	size_t count = 0;
	int error;

	if (!rules)
		return -ENOMEM;
	for (size_t i = 0; i < hosts->count; i++)
		if (hosts->items[i].name)
			rules[count++] = &hosts->items[i];
	qsort(rules, count, sizeof(struct learned_rule *), compare);
	error = fold_all(rules, count, policy, threshold);
	drop_empty(hosts);
	free(rules);
	return error;
}
