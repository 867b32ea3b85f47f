/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy, learned rules ──► both in one, once it is certain that nothing else has changed. */
#include "learn/learn_policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/message.h"
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
	error = compile_to_ask(*policy, compiled);
	return error ? fail(error) : 0;
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

static int say_by_hand(const struct policy *policy, const struct insert_problem *problem,
		       const struct insertion *insertions, size_t count) {
	message_error("learn: %s:%u: cannot add to `%s` here: %s; add these to its `allow` by hand:", policy->file,
		      problem->line, problem->section, problem->what);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; strcmp(insertions[i].section, problem->section) == 0 && k < insertions[i].count; k++)
			message_error("learn:   - %s", insertions[i].items[k].rule);
	return EXIT_BY_HAND;
}

static int insert(const struct policy *policy, const struct policy_text *base, const struct insertion *insertions,
		  size_t count, struct policy_text *merged) {
	struct insert_problem problem;

	merged->text = policy_insert(base->text, base->length, insertions, count, &merged->length, &problem);
	if (merged->text)
		return 0;
	return problem.what ? say_by_hand(policy, &problem, insertions, count) : fail(-ENOMEM);
}

static int say_changes(const struct learned *learned) {
	for (size_t i = 0; i < learned->by_hand.count; i++)
		message_error("learn: %s", learned->by_hand.items[i].text);
	return learned->by_hand.count > 0 ? EXIT_BY_HAND : 0;
}

int learn_insert(const struct learned *learned, const struct policy *policy, const struct policy_text *base,
		 struct policy_text *merged) {
	struct insert_item *hosts = make_items(&learned->hosts), *direct = make_items(&learned->direct);
	struct insertion insertions[2];
	size_t count = 0;
	int code = say_changes(learned);

	if (learned->hosts.count > 0)
		insertions[count++] = (struct insertion){"tls", hosts, learned->hosts.count};
	if (learned->direct.count > 0)
		insertions[count++] = (struct insertion){"direct", direct, learned->direct.count};
	if (!hosts || !direct)
		code = fail(-ENOMEM);
	else if (code == 0)
		code = insert(policy, base, insertions, count, merged);
	free_items(hosts, learned->hosts.count);
	free_items(direct, learned->direct.count);
	return code;
}

/* Whether the rules are those of before and the learned ones. */
static bool has_both(const struct learned *learned, const struct policy *before, const struct policy *after) {
	return after->mode == before->mode && after->ech_deny == before->ech_deny &&
	       after->inbound_deny == before->inbound_deny &&
	       after->host_count == before->host_count + learned->hosts.count &&
	       after->direct_count == before->direct_count + learned->direct.count;
}

int learn_verify(const struct learned *learned, const struct policy *policy, const struct policy_text *merged) {
	struct compiled compiled = {0};
	char text[LEARNED_TEXT] = "";
	struct policy *after;
	int code = learn_read(policy->file, merged, &after, &compiled);

	if (code == EXIT_USAGE) {
		message_error("learn: with the learned rules, %s would not be a good policy: add them by hand",
			      policy->file);
		code = EXIT_BY_HAND;
	} else if (code == 0 && !has_both(learned, policy, after)) {
		message_error("learn: no place in %s is safe for the learned rules: add them by hand", policy->file);
		code = EXIT_BY_HAND;
	} else if (code == 0 && !learned_allowed(learned, after, &compiled, text)) {
		message_error("learn: with the learned rules, %s would still not allow %s: change it by hand",
			      policy->file, text);
		code = EXIT_BY_HAND;
	}
	compiled_free(&compiled);
	policy_free(after);
	return code;
}
