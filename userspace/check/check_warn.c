/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy and its tables ──► warnings. */
#include "check/check_warn.h"

#include <errno.h>
#include <stdlib.h>

#include "analysis/facts.h"
#include "analysis/reach.h"
#include "policy/prefix_order.h"

static bool is_loopback(const struct prefix_list *list) {
	static const struct prefix ipv4 = {{[10] = 0xff, [11] = 0xff, [12] = 127}, 104}, ipv6 = {{[15] = 1}, 128};

	for (size_t i = 0; i < list->count; i++)
		if (!prefix_contains(&ipv4, &list->items[i]) && !prefix_contains(&ipv6, &list->items[i]))
			return false;
	return true;
}

static int warn_bypass(const struct policy *policy, const struct address_rule *direct,
		       struct diagnostics *diagnostics) {
	const struct rule *rule = &policy->rules[direct->rule];
	int bypasses = is_loopback(&policy->lists[direct->list]) ? 0 : bypasses_inspection(policy, direct);

	if (bypasses > 0)
		diagnose_warning(diagnostics, rule->file, rule->line, rule->column,
				 "`%.200s` lets TLS through where hostnames are checked otherwise: its traffic is not "
				 "inspected",
				 rule->text);
	return bypasses < 0 ? bypasses : 0;
}

static void warn_dead(const struct policy *policy, const struct host_rule *host, uint32_t denied,
		      struct diagnostics *diagnostics) {
	const struct rule *rule = &policy->rules[host->rule], *deny = &policy->rules[denied];

	diagnose_warning(diagnostics, rule->file, rule->line, rule->column,
			 "`%.200s` is allowed nowhere: `direct` denies all its addresses, see `%.200s` on line %u",
			 rule->text, deny->text, deny->line);
}

static int warn_dead_hosts(const struct policy *policy, const struct compiled *compiled,
			   struct diagnostics *diagnostics) {
	struct zone_reach *zones = calloc(policy->zone_count + 1, sizeof(*zones));
	int error = zones ? 0 : -ENOMEM;

	for (size_t z = 0; error == 0 && z < policy->zone_count; z++)
		error = zone_reach_any(policy, compiled, z, &zones[z]);
	for (size_t i = 0; error == 0 && i < policy->host_count; i++) {
		const struct host_rule *host = &policy->hosts[i];
		const struct zone_reach *reach = &zones[host->zone];

		if (host->allow && !reach->somewhere && reach->denied != 0)
			warn_dead(policy, host, reach->denied, diagnostics);
	}
	free(zones);
	return error;
}

int check_warn(const struct policy *policy, const struct compiled *compiled, struct diagnostics *diagnostics) {
	int error = 0;

	for (size_t i = 0; error == 0 && i < policy->direct_count; i++)
		error = warn_bypass(policy, &policy->direct[i], diagnostics);
	return error ? error : warn_dead_hosts(policy, compiled, diagnostics);
}
