/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules for single names ──► fewer rules, for whole domains. */
#include "learn/learn_wildcards.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/hostname.h"
#include "policy/public_suffix.h"

enum { NAMES_SHOWN = 3 };

struct work {
	const struct policy *policy;
	unsigned threshold;
};

/* The end of a name that has so many labels, at least one. */
static const char *tail(const char *name, unsigned labels) {
	const char *start = name + strlen(name);

	while (start > name && (start[-1] != '.' || --labels > 0))
		start--;
	return start;
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
static char *list_names(struct learned_rule *const *rules, size_t count) {
	char *text = NULL;
	size_t size;
	FILE *out = text_open(&text, &size);

	if (!out)
		return NULL;
	fprintf(out, "%zu names (", count);
	for (size_t i = 0; i < count && i < NAMES_SHOWN; i++)
		fprintf(out, "%s%s", i ? ", " : "", rules[i]->name);
	fputs(count > NAMES_SHOWN ? ", ...)" : ")", out);
	text_close(out, &text);
	return text;
}

/* Makes the first rule the wildcard, and empties the others. */
static int make_wildcard(struct learned_rule **rules, size_t count, const char *above) {
	struct learned_rule *wildcard = rules[0];
	char *text;
	int error = 0;

	wildcard->about = list_names(rules, count);
	if (!wildcard->about || asprintf(&text, "\"*.%s\"", above) < 0)
		return -ENOMEM;
	free(wildcard->text);
	wildcard->text = text;
	wildcard->name = NULL;
	for (size_t i = 1; i < count; i++) {
		error |= usage_add(&wildcard->usage, &rules[i]->usage);
		learned_rule_free(rules[i]);
		*rules[i] = (struct learned_rule){0};
	}
	return error ? -ENOMEM : 0;
}

/* Whether these rules, of all names below `above`, whose labels are one less than `labels`, become one. */
static bool is_foldable(struct learned_rule *const *rules, size_t count, const char *above, unsigned labels,
			const struct work *work) {
	size_t right_below = 0;

	for (size_t i = 0; i < count; i++)
		right_below += tail(rules[i]->name, labels) == rules[i]->name;
	return right_below >= work->threshold && !has_pattern(work->policy, above) && is_owned(above, rules, count);
}

/*
 * Folds names that have their last `depth` labels in common, and more than those: all of them, or those of each domain
 * right below. A name has at most 127 labels, so deep does it go.
 */
static int fold(struct learned_rule **rules, size_t count, unsigned depth, const struct work *work) {
	int error = 0;

	if (count < work->threshold)
		return 0;
	if (depth > 0) {
		const char *above = tail(rules[0]->name, depth);

		if (is_foldable(rules, count, above, depth + 1, work))
			return make_wildcard(rules, count, above);
	}
	for (size_t i = 0, end; !error && i < count; i = end) {
		const char *domain = tail(rules[i]->name, depth + 1);
		bool apex = domain == rules[i]->name; /* which a wildcard does not cover */

		for (end = i + 1; end < count && strcmp(tail(rules[end]->name, depth + 1), domain) == 0; end++)
			;
		error = fold(rules + i + apex, end - i - apex, depth + 1, work);
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

int learn_wildcards(struct rule_list *hosts, const struct policy *policy, unsigned threshold) {
	const struct work work = {policy, threshold};
	struct learned_rule **rules = calloc(hosts->count + 1, sizeof(struct learned_rule *));
	size_t count = 0;
	int error;

	if (!rules)
		return -ENOMEM;
	for (size_t i = 0; i < hosts->count; i++)
		if (hosts->items[i].name)
			rules[count++] = &hosts->items[i];
	error = fold(rules, count, 0, &work);
	drop_empty(hosts);
	free(rules);
	return error;
}
