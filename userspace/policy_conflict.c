/* SPDX-License-Identifier: BSD-2-Clause */
/* Host rules ──► errors where two of them contradict or repeat each other. */
#include <stdlib.h>
#include <string.h>

#include "policy_build.h"

/* The first rule of each form for one name: [allow][form]. */
struct claims {
	const struct host_rule *first[2][3];
};

static int compare_hosts(const void *left, const void *right) {
	const struct host_rule *a = *(const struct host_rule *const *)left;
	const struct host_rule *b = *(const struct host_rule *const *)right;
	int names = strcmp(a->name, b->name);

	return names ? names : a->rule < b->rule ? -1 : a->rule > b->rule;
}

static const struct rule *rule_of(const struct builder *builder, const struct host_rule *host) {
	return &builder->policy->rules[host->rule];
}

/*
 * `.example.com` speaks for example.com and for what is below, as do `example.com` and `*.example.com`. Where both are
 * allowed at different addresses or ports, none is the more specific one.
 */
static void check_overlap(struct builder *builder, const struct host_rule *host, const struct host_rule *other) {
	const struct rule *rule = rule_of(builder, host);

	if (other && other->zone != host->zone)
		refuse(builder, rule,
		       "`%s%.80s` and `%s%.80s` on line %u allow the same name at different addresses or ports: "
		       "write both forms out, each once",
		       host_form_text(host->form), host->name, host_form_text(other->form), other->name,
		       rule_of(builder, other)->line);
}

static void check_host(struct builder *builder, const struct host_rule *host, struct claims *claims) {
	const struct host_rule **same = &claims->first[host->allow][host->form];
	const struct host_rule *opposite = claims->first[!host->allow][host->form];
	const struct rule *rule = rule_of(builder, host);

	if (*same) {
		refuse(builder, rule, "`%s%.80s` is written twice: it is already on line %u",
		       host_form_text(host->form), host->name, rule_of(builder, *same)->line);
		return;
	}
	*same = host;
	if (opposite)
		refuse(builder, rule,
		       "`%s%.80s` is %s on line %u too, and deny would always win: remove one of the two",
		       host_form_text(host->form), host->name, host->allow ? "denied" : "allowed",
		       rule_of(builder, opposite)->line);
	if (host->allow && host->form == HOST_BOTH) {
		check_overlap(builder, host, claims->first[true][HOST_EXACT]);
		check_overlap(builder, host, claims->first[true][HOST_BELOW]);
	} else if (host->allow) {
		check_overlap(builder, host, claims->first[true][HOST_BOTH]);
	}
}

void check_conflicts(struct builder *builder) {
	const struct policy *policy = builder->policy;
	const struct host_rule **sorted = calloc(policy->host_count + 1, sizeof(const struct host_rule *));
	struct claims claims = {0};

	if (!sorted) {
		out_of_memory(builder);
		return;
	}
	for (size_t i = 0; i < policy->host_count; i++)
		sorted[i] = &policy->hosts[i];
	qsort(sorted, policy->host_count, sizeof(*sorted), compare_hosts);
	for (size_t i = 0; i < policy->host_count; i++) {
		if (i > 0 && strcmp(sorted[i - 1]->name, sorted[i]->name) != 0)
			claims = (struct claims){0};
		check_host(builder, sorted[i], &claims);
	}
	free(sorted);
}
