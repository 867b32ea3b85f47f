/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules for single names ──► fewer rules, for whole domains. */
#include "learn/learn_wildcards.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "policy/hostname.h"
#include "policy/public_suffix.h"

enum { NAMES_SHOWN = 3 };

static const char *parent(const char *name) {
	const char *dot = strchr(name, '.');

	return dot ? dot + 1 : "";
}

/* A domain whose names one wildcard stands for. */
struct domain {
	struct learned_rule *rule; /* the wildcard: the first name's until the end */
	const char *shown[NAMES_SHOWN];
	size_t count;
	UT_hash_handle hh;
	bool lost; /* there was no memory to enter it */
};

static unsigned count_dots(const char *name) {
	unsigned count = 0;

	for (; *name; name++)
		count += *name == '.';
	return count;
}

/* Domains before those below them, by name, and their names in the order of the list, which the rules are part of. */
static int compare(const void *left, const void *right) {
	const struct learned_rule *a = *(struct learned_rule *const *)left, *b = *(struct learned_rule *const *)right;
	unsigned dots_a = count_dots(a->name), dots_b = count_dots(b->name);
	int order = strcmp(parent(a->name), parent(b->name));

	if (dots_a != dots_b)
		return dots_a < dots_b ? -1 : 1;
	return order ? order : (a > b) - (a < b);
}

/* Whether nobody but the domain's owner has names below `above`, as far as the list of public suffixes knows. */
static bool is_owned(const char *above, struct learned_rule *const *rules, size_t count) {
	const char *domain = public_suffix_domain(above), *other;
	char pattern[SNIF_NAME_BUFFER + 2], message[HOSTNAME_MESSAGE];
	struct hostname hostname;

	snprintf(pattern, sizeof(pattern), "*.%s", above);
	if (!domain || hostname_parse(pattern, false, &hostname, message) < 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		other = public_suffix_domain(rules[i]->name);
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

/* `5 names (a.example.com, b.example.com, …)` */
static char *list_names(const struct domain *domain) {
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fprintf(out, "%zu names (", domain->count);
	for (size_t i = 0; i < domain->count && i < NAMES_SHOWN; i++)
		fprintf(out, "%s%s", i ? ", " : "", domain->shown[i]);
	fputs(domain->count > NAMES_SHOWN ? ", ...)" : ")", out);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

/* The domain that the name is below, near or far, or NULL. */
static struct domain *find_domain(struct domain *domains, const char *name) {
	struct domain *domain = NULL;

	for (name = parent(name); *name && !domain; name = parent(name))
		HASH_FIND_STR(domains, name, domain);
	return domain;
}

/* NULL: out of memory */
static struct domain *add_domain(struct domain **domains, struct learned_rule *rule) {
	struct domain *domain = calloc(1, sizeof(*domain));
	const char *above = parent(rule->name);

	if (!domain)
		return NULL;
	domain->rule = rule;
	HASH_ADD_KEYPTR(hh, *domains, above, strlen(above), domain);
	if (!domain->lost)
		return domain;
	free(domain);
	return NULL;
}

/* Adds a name to those of a domain, and empties its rule unless it becomes the wildcard. */
static int fold(struct domain *domain, struct learned_rule *rule) {
	int error;

	if (domain->count < NAMES_SHOWN)
		domain->shown[domain->count] = rule->name;
	domain->count++;
	if (rule == domain->rule)
		return 0;
	error = usage_add(&domain->rule->usage, &rule->usage);
	learned_rule_free(rule);
	*rule = (struct learned_rule){0};
	return error;
}

/* Makes the domain's rule the wildcard. */
static int finish(const struct domain *domain) {
	struct learned_rule *rule = domain->rule;
	char *text;

	rule->about = list_names(domain);
	if (!rule->about || asprintf(&text, "\"*.%s\"", parent(rule->name)) < 0)
		return -ENOMEM;
	free(rule->text);
	rule->text = text;
	rule->name = NULL;
	return 0;
}

static void drop_empty(struct rule_list *list) {
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].text)
			list->items[kept++] = list->items[i];
	list->count = kept;
}

/* `rules` are in the order of compare(). */
static int fold_all(struct learned_rule **rules, size_t count, const struct policy *policy, unsigned threshold,
		    struct domain **domains) {
	int error = 0;

	for (size_t i = 0, end; !error && i < count; i = end) {
		const char *above = parent(rules[i]->name);
		struct domain *domain = find_domain(*domains, rules[i]->name);

		for (end = i + 1; end < count && strcmp(parent(rules[end]->name), above) == 0; end++)
			;
		if (!domain && end - i >= threshold && !has_pattern(policy, above) &&
		    is_owned(above, rules + i, end - i)) {
			domain = add_domain(domains, rules[i]);
			error = domain ? 0 : -ENOMEM;
		}
		for (size_t k = i; !error && domain && k < end; k++)
			error = fold(domain, rules[k]);
	}
	return error;
}

/* Returns `error`, or that of what is still to be done. */
static int finish_all(struct domain *domains, int error) {
	struct domain *domain = domains, *next;

	HASH_CLEAR(hh, domains);
	for (; domain; domain = next) {
		next = domain->hh.next;
		if (!error)
			error = finish(domain);
		free(domain);
	}
	return error;
}

int learn_wildcards(struct rule_list *hosts, const struct policy *policy, unsigned threshold) {
	struct learned_rule **rules = calloc(hosts->count + 1, sizeof(struct learned_rule *));
	struct domain *domains = NULL;
	size_t count = 0;
	int error;

	if (!rules || !hash_start()) {
		free(rules);
		return -ENOMEM;
	}
	for (size_t i = 0; i < hosts->count; i++)
		if (hosts->items[i].name)
			rules[count++] = &hosts->items[i];
	qsort(rules, count, sizeof(struct learned_rule *), compare);
	error = fold_all(rules, count, policy, threshold, &domains);
	error = finish_all(domains, error);
	drop_empty(hosts);
	free(rules);
	return error;
}
