/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy, learned rules ──► both in one, once it is certain that nothing else has changed. */
#include "learn/learn_policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/message.h"
#include "learn/learn_rules.h"
#include "learn/learn_text.h"
#include "policy/policy_insert.h"

static int fail(int error) {
	message_error("learn: %s", strerror(-error));
	return EXIT_FAILED;
}

int learn_read(const char *file, const struct policy_text *text, struct policy **policy, struct compiled *compiled) {
	struct diagnostics diagnostics = {0};
	int error;

	*policy = policy_parse(file, text->text, text->length, &diagnostics);
	diagnostics_print(&diagnostics, stderr);
	diagnostics_free(&diagnostics);
	if (!*policy)
		return EXIT_USAGE;
	for (size_t i = 0; i < (*policy)->zone_count; i++)
		(*policy)->zones[i].inspected = true;
	error = compile_to_ask(*policy, compiled);
	return error ? fail(error) : 0;
}

/* The learned rules, for a person to write where they belong. Returns EXIT_BY_HAND. */
static int say_rules(const struct learned *learned) {
	for (size_t i = 0; i < learned->hosts.count; i++)
		message_error("learn:   tls.allow: %s", learned->hosts.items[i].text);
	for (size_t i = 0; i < learned->direct.count; i++)
		message_error("learn:   direct.allow: %s", learned->direct.items[i].text);
	for (size_t i = 0; i < learned->lookups.count; i++)
		message_error("learn:   dns.allow: %s", learned->lookups.items[i].text);
	return EXIT_BY_HAND;
}

static void free_items(struct insert_item *items, size_t count) {
	for (size_t i = 0; items && i < count; i++)
		free((char *)items[i].comment);
	free(items);
}

/* Returns NULL when memory is out. */
static struct insert_item *make_items(const struct rule_list *rules) {
	struct insert_item *items = calloc(rules->count + 1, sizeof(*items));

	for (size_t i = 0; items && i < rules->count; i++) {
		items[i].rule = rules->items[i].text;
		items[i].comment = learn_usage(rules->items[i].about, &rules->items[i].usage);
		if (!items[i].comment) {
			free_items(items, i);
			return NULL;
		}
	}
	return items;
}

static int insert(const struct learned *learned, const struct policy *policy, const struct policy_text *base,
		  const struct insertion *insertions, size_t count, struct policy_text *merged) {
	struct insert_problem problem;

	merged->text = policy_insert(base->text, base->length, insertions, count, &merged->length, &problem);
	if (merged->text)
		return 0;
	if (!problem.what)
		return fail(-ENOMEM);
	message_error("learn: %s:%u: cannot add to `%s` here: %s; add these by hand:", policy->file, problem.line,
		      problem.section, problem.what);
	return say_rules(learned);
}

int learn_insert(const struct learned *learned, const struct policy *policy, const struct policy_text *base,
		 struct policy_text *merged) {
	const struct {
		const char *section;
		const struct rule_list *rules;
	} lists[] = {{"tls", &learned->hosts}, {"direct", &learned->direct}, {"dns", &learned->lookups}};
	struct insertion insertions[INSERTIONS_MAX];
	size_t count = 0;
	int error = 0, code;

	for (size_t i = 0; !error && i < sizeof(lists) / sizeof(*lists); i++) {
		struct insert_item *items = lists[i].rules->count > 0 ? make_items(lists[i].rules) : NULL;

		if (items)
			insertions[count++] = (struct insertion){lists[i].section, items, lists[i].rules->count};
		else if (lists[i].rules->count > 0)
			error = -ENOMEM;
	}
	code = error ? fail(error) : insert(learned, policy, base, insertions, count, merged);
	for (size_t i = 0; i < count; i++)
		free_items((struct insert_item *)insertions[i].items, insertions[i].count);
	return code;
}

/* `direct` rules by name, and names that may be looked up and no more. */
static size_t lookup_count(const struct policy *policy) {
	size_t count = 0;

	for (size_t i = 0; i < policy->lookup_count; i++)
		count += !policy->lookups[i].search;
	return count;
}

/* Whether the rules are those of before and the learned ones. */
static bool has_both(const struct learned *learned, const struct policy *before, const struct policy *after) {
	return after->mode == before->mode && after->ech_deny == before->ech_deny &&
	       after->inbound_deny == before->inbound_deny &&
	       memcmp(&after->hello, &before->hello, sizeof(after->hello)) == 0 &&
	       after->host_count == before->host_count + learned->hosts.count &&
	       after->direct_count + lookup_count(after) ==
		       before->direct_count + lookup_count(before) + learned->direct.count + learned->lookups.count;
}

/* What is wrong with the merged policy is said without the lines of a text that nobody has. */
static int refuse(const struct learned *learned, const struct policy *policy, const struct diagnostics *diagnostics) {
	size_t first = 0;

	while (first + 1 < diagnostics->count && diagnostics->items[first].warning)
		first++;
	message_error("learn: with the learned rules, %s would not be a good policy (%s); add by hand what can be:",
		      policy->file, diagnostics->count > 0 ? diagnostics->items[first].message : strerror(ENOMEM));
	return say_rules(learned);
}

/* Whether `after` says all that `policy` does, and allows what was seen. */
static int compare(const struct learned *learned, const struct policy *policy, const struct policy *after) {
	struct compiled compiled = {0};
	char text[LEARNED_TEXT] = "";
	int error = compile_to_ask(after, &compiled), code = error ? fail(error) : 0;

	if (!error && !has_both(learned, policy, after)) {
		message_error("learn: no place in %s is safe for the learned rules; add them by hand:", policy->file);
		code = say_rules(learned);
	} else if (!error && !learned_allowed(learned, after, &compiled, text)) {
		message_error("learn: with these rules, %s would still not allow %s; change it by hand:", policy->file,
			      text);
		code = say_rules(learned);
	}
	compiled_free(&compiled);
	return code;
}

int learn_verify(const struct learned *learned, const struct policy *policy, const struct policy_text *merged) {
	struct diagnostics diagnostics = {0};
	struct policy *after = policy_parse(policy->file, merged->text, merged->length, &diagnostics);
	int code = after ? compare(learned, policy, after) : refuse(learned, policy, &diagnostics);

	diagnostics_free(&diagnostics);
	policy_free(after);
	return code;
}
