/* SPDX-License-Identifier: BSD-2-Clause */
/* Host rules ──► errors where two of them contradict or repeat each other. */
#include <stdlib.h>
#include <string.h>

#include "policy/hostname.h"
#include "policy/policy_build.h"

/* The first rule of each form for one name: [allow][form]. */
struct claims {
	const struct host_rule *first[2][3];
};

struct named_host {
	uint64_t key; /* hostname_key() of its name */
	const struct host_rule *host;
};

static int compare_hosts(const void *left, const void *right) {
	const struct named_host *a = left, *b = right;
	int names;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	names = strcmp(a->host->name, b->host->name);
	return names ? names : (a->host->rule > b->host->rule) - (a->host->rule < b->host->rule);
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
	struct named_host *sorted = calloc(policy->host_count + 1, sizeof(*sorted));
	struct claims claims = {0};

	if (!sorted) {
		out_of_memory(builder);
		return;
	}
	for (size_t i = 0; i < policy->host_count; i++)
		sorted[i] = (struct named_host){hostname_key(policy->hosts[i].name, 8), &policy->hosts[i]};
	qsort(sorted, policy->host_count, sizeof(*sorted), compare_hosts);
	for (size_t i = 0; i < policy->host_count; i++) {
		if (i > 0 &&
		    (sorted[i - 1].key != sorted[i].key || strcmp(sorted[i - 1].host->name, sorted[i].host->name) != 0))
			claims = (struct claims){0};
		check_host(builder, sorted[i].host, &claims);
	}
	free(sorted);
}
