/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy and its tables ──► warnings. */
#include "check/check_warn.h"

#include <errno.h>
#include <stdlib.h>

#include "analysis/reach.h"
#include "analysis/uninspected.h"

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
	int error = warn_uninspected(policy, diagnostics);

	return error ? error : warn_dead_hosts(policy, compiled, diagnostics);
}
