/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy ──► warnings about TLS that it lets through unseen. */
#include "analysis/uninspected.h"

#include "analysis/facts.h"
#include "policy/prefix_order.h"

static bool is_loopback(const struct prefix_list *list) {
	for (size_t i = 0; i < list->count; i++)
		if (!prefix_is_loopback(&list->items[i]))
			return false;
	return true;
}

static int warn(const struct policy *policy, const struct address_rule *direct, struct diagnostics *diagnostics) {
	const struct rule *rule = &policy->rules[direct->rule];
	int bypasses = is_loopback(&policy->lists[direct->list]) ? 0 : bypasses_inspection(policy, direct);

	if (bypasses > 0)
		diagnose_warning(diagnostics, rule->file, rule->line, rule->column,
				 "`%.200s` lets TLS through where hostnames are checked otherwise: its traffic is not "
				 "inspected",
				 rule->text);
	return bypasses < 0 ? bypasses : 0;
}

int warn_uninspected(const struct policy *policy, struct diagnostics *diagnostics) {
	int error = 0;

	for (size_t i = 0; error == 0 && i < policy->direct_count; i++)
		error = warn(policy, &policy->direct[i], diagnostics);
	return error;
}
