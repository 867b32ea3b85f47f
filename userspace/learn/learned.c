/* SPDX-License-Identifier: BSD-2-Clause */
/* What is learned: rules, and what becomes none. */
#include "learn/learned.h"

#include <stdlib.h>

static void free_rules(struct rule_list *list) {
	for (size_t i = 0; i < list->count; i++)
		learned_rule_free(&list->items[i]);
	free(list->items);
}

static void free_left(struct left_list *list) {
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].text);
	free(list->items);
}

void learned_rule_free(struct learned_rule *rule) {
	free(rule->text);
	free(rule->about);
	free(rule->places.items);
	leaders_free(&rule->usage.processes);
}

void learned_free(struct learned *learned) {
	free_rules(&learned->hosts);
	free_rules(&learned->direct);
	free_rules(&learned->lookups);
	free_left(&learned->left_out);
	free_left(&learned->by_hand);
	free(learned->seen);
}
