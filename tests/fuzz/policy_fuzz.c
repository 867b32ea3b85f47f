/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes ──► policy_parse(): no crash, and a policy exactly when no error was told. */
#include <stdlib.h>

#include "policy/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct diagnostics diagnostics = {0};
	/* sets are looked for beside the policy: nothing is there */
	struct policy *policy = policy_parse("/nonexistent/fuzz.yaml", (const char *)data, size, &diagnostics);

	if ((policy == NULL) != (diagnostics.errors > 0))
		abort();
	for (size_t i = 0; policy && i < policy->host_count; i++)
		if (policy->hosts[i].zone >= policy->zone_count || policy->hosts[i].rule >= policy->rule_count)
			abort();
	for (size_t i = 0; policy && i < policy->direct_count; i++)
		if (policy->direct[i].list >= policy->list_count || policy->direct[i].rule >= policy->rule_count)
			abort();
	for (size_t i = 0; policy && i < policy->zone_count; i++)
		if (policy->zones[i].list >= policy->list_count || policy->zones[i].ports.count == 0)
			abort();
	policy_free(policy);
	diagnostics_free(&diagnostics);
	return 0;
}
