/* SPDX-License-Identifier: BSD-2-Clause */
/* Host rules ──► errors where two of them contradict or repeat each other. */
#include <stdlib.h>
#include <string.h>

#include "base/key_sort.h"
#include "policy/hostname.h"
#include "policy/policy_build.h"

/* The first rule of each form for one name: [allow][form]. */
struct claims {
	struct host_rule *first[2][HOST_FORMS];
};

struct named_host {
	uint64_t key;	  /* hostname_key() of its name */
	const char *name; /* also of a host that is dropped */
	struct host_rule *host;
};

static int compare_hosts(const void *left, const void *right) {
	const struct named_host *a = left, *b = right;
	int names;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	names = strcmp(a->name, b->name);
	return names ? names : (a->host->rule > b->host->rule) - (a->host->rule < b->host->rule);
}

static const struct rule *rule_of(const struct builder *builder, const struct host_rule *host) {
	return &builder->policy->rules[host->rule];
}

/* An error at a rule, which may be one of a file of names. */
#define contradict(builder, rule, ...)                                                                                 \
	diagnose((builder)->diagnostics, (rule)->file, (rule)->line, (rule)->column, __VA_ARGS__)

#define PLACE_TEXT 256

/* Where the other rule is: its line, and its file when that is another one. */
static const char *place_of(const struct rule *rule, const struct rule *other, char text[PLACE_TEXT]) {
	if (rule->file == other->file)
		snprintf(text, PLACE_TEXT, "on line %u", other->line);
	else
		snprintf(text, PLACE_TEXT, "at %.200s:%u", other->file, other->line);
	return text;
}

/*
 * `.example.com` speaks for example.com and for what is below, as do `example.com` and `*.example.com`. Where both are
 * allowed at different addresses or ports, none is the more specific one.
 */
static void check_overlap(struct builder *builder, const struct host_rule *host, const struct host_rule *other) {
	const struct rule *rule = rule_of(builder, host);
	char place[PLACE_TEXT];

	if (other && other->zone != host->zone)
		contradict(builder, rule,
			   "`%s%.80s` and `%s%.80s` %s allow the same name at different addresses or ports: "
			   "write both forms out, each once",
			   host_form_text(host->form), host->name, host_form_text(other->form), other->name,
			   place_of(rule, rule_of(builder, other), place));
}

/* Whether one of the two comes from a file of names: those repeat themselves and each other, which is nobody's mistake. */
static bool is_listed(const struct builder *builder, const struct host_rule *a, const struct host_rule *b) {
	const char *policy = builder->policy->file;

	return rule_of(builder, a)->file != policy || rule_of(builder, b)->file != policy;
}

static void check_host(struct builder *builder, struct host_rule *host, struct claims *claims) {
	struct host_rule **same = &claims->first[host->allow][host->form];
	const struct host_rule *opposite = claims->first[!host->allow][host->form];
	const struct rule *rule = rule_of(builder, host);
	char place[PLACE_TEXT];

	if (*same && is_listed(builder, host, *same) && host->zone == (*same)->zone) {
		host->name = NULL;
		return;
	}
	if (*same) {
		contradict(builder, rule, "`%s%.80s` is written twice: it is already %s", host_form_text(host->form),
			   host->name, place_of(rule, rule_of(builder, *same), place));
		return;
	}
	*same = host;
	if (opposite && is_listed(builder, host, opposite))
		diagnose_warning(builder->diagnostics, rule->file, rule->line, rule->column,
				 "`%s%.80s` is %s too, and deny wins: see the one %s", host_form_text(host->form),
				 host->name, host->allow ? "denied" : "allowed",
				 place_of(rule, rule_of(builder, opposite), place));
	else if (opposite)
		contradict(builder, rule, "`%s%.80s` is %s %s too, and deny would always win: remove one of the two",
			   host_form_text(host->form), host->name, host->allow ? "denied" : "allowed",
			   place_of(rule, rule_of(builder, opposite), place));
	if (host->allow && host->form == HOST_BOTH) {
		check_overlap(builder, host, claims->first[true][HOST_EXACT]);
		check_overlap(builder, host, claims->first[true][HOST_BELOW]);
	} else if (host->allow) {
		check_overlap(builder, host, claims->first[true][HOST_BOTH]);
	}
}

static void drop_repeated(struct policy *policy) {
	size_t kept = 0;

	for (size_t i = 0; i < policy->host_count; i++)
		if (policy->hosts[i].name)
			policy->hosts[kept++] = policy->hosts[i];
	policy->host_count = kept;
}

void check_conflicts(struct builder *builder) {
	struct policy *policy = builder->policy;
	struct named_host *sorted = calloc(policy->host_count + 1, sizeof(*sorted));
	struct claims claims = {0};

	if (!sorted) {
		out_of_memory(builder);
		return;
	}
	for (size_t i = 0; i < policy->host_count; i++)
		sorted[i] = (struct named_host){hostname_key(policy->hosts[i].name, 8), policy->hosts[i].name,
						&policy->hosts[i]};
	key_sort(sorted, policy->host_count, sizeof(*sorted), compare_hosts);
	for (size_t i = 0; i < policy->host_count; i++) {
		if (i > 0 && (sorted[i - 1].key != sorted[i].key || strcmp(sorted[i - 1].name, sorted[i].name) != 0))
			claims = (struct claims){0};
		check_host(builder, sorted[i].host, &claims);
	}
	free(sorted);
	drop_repeated(builder->policy);
}
