/* SPDX-License-Identifier: BSD-2-Clause */
/* What was found by lookups for rules that stay ──► the same under the policy that is to come. */
#include "control/carried.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "filter/ledger.h"

/* The rules of one generation, as they are noted. */
struct noted {
	uint32_t generation;
	struct policy *policy; /* NULL: not known any more */
};

struct reading {
	struct carried *carried;
	const char *instance;
	uint32_t number;
	const struct source *next;
	uint32_t generation; /* of the next */
	uint64_t *names;     /* of the next policy's lookups; 0: it is more than one name */
	struct noted *noted;
	size_t noted_count;
};

static const struct policy *rules_of(struct reading *reading, uint32_t generation) {
	struct noted *noted;
	char sha256[65];

	for (size_t i = 0; i < reading->noted_count; i++)
		if (reading->noted[i].generation == generation)
			return reading->noted[i].policy;
	noted = array_add(&reading->noted, &reading->noted_count, sizeof(*noted));
	if (!noted)
		return NULL;
	noted->generation = generation;
	noted->policy = ledger_rules(reading->instance, reading->number, generation, sha256);
	return noted->policy;
}

/* The number of a rule in the next policy; 0: it has none like it. */
static uint32_t same_rule(const struct policy *before, uint32_t rule, const struct policy *next) {
	if (!before || rule == 0 || rule >= before->rule_count)
		return 0;
	for (uint32_t i = 1; i < next->rule_count; i++)
		if (strcmp(next->rules[i].text, before->rules[rule].text) == 0)
			return i;
	return 0;
}

/* Which of the next policy's rules holds for a name that was found; 0: none is known. */
static uint32_t rule_for(struct reading *reading, const struct filter_binding *found) {
	const struct policy *next = reading->next->policy;

	for (size_t i = 0; i < next->lookup_count; i++)
		if (reading->names[i] == found->key.name)
			return next->lookups[i].rule;
	return same_rule(rules_of(reading, found->value.generation), found->value.rule, next);
}

static uint32_t group_of(const struct policy *policy, uint32_t rule) {
	for (size_t i = 0; i < policy->lookup_count; i++)
		if (policy->lookups[i].rule == rule)
			return policy->lookups[i].group;
	return 0;
}

static int add(struct carried *carried, const struct filter_binding *binding) {
	struct filter_binding *item = array_add(&carried->items, &carried->count, sizeof(*item));

	if (!item)
		return -ENOMEM;
	*item = *binding;
	return 0;
}

static int read_one(struct reading *reading, const struct filter_binding *found) {
	const struct policy *next = reading->next->policy;
	struct filter_binding binding = *found;
	uint32_t group;
	int error;

	binding.value.rule = rule_for(reading, found);
	binding.value.generation = reading->generation;
	if (binding.value.rule == 0)
		return 0;
	error = add(reading->carried, &binding);
	group = group_of(next, binding.value.rule);
	if (error || group == 0)
		return error;
	binding.key.name = snif_bound_group(reading->next->compiled.settings.group_rules, group);
	return add(reading->carried, &binding);
}

static int read_names(struct reading *reading, const struct filter *filter) {
	const struct policy *next = reading->next->policy;

	reading->names = calloc(next->lookup_count + 1, sizeof(*reading->names));
	for (size_t i = 0; reading->names && i < next->lookup_count; i++)
		if (next->lookups[i].group && next->lookups[i].form != HOST_BELOW)
			reading->names[i] = filter_binding_name(filter, next->lookups[i].name,
								strlen(next->lookups[i].name));
	return reading->names ? 0 : -ENOMEM;
}

int carried_read(struct carried *carried, const char *instance, const struct filter *filter, uint32_t policy,
		 const struct source *next, uint32_t generation) {
	struct reading reading = {
		.carried = carried, .instance = instance, .number = policy, .next = next, .generation = generation};
	struct filter_binding *found = NULL;
	size_t count = 0;
	int error = read_names(&reading, filter);

	*carried = (struct carried){0};
	if (!error)
		error = filter_bindings(filter, policy, &found, &count);
	for (size_t i = 0; i < count && !error; i++)
		error = read_one(&reading, &found[i]);
	for (size_t i = 0; i < reading.noted_count; i++)
		policy_free(reading.noted[i].policy);
	free(reading.noted);
	free(reading.names);
	free(found);
	return error;
}

bool carried_has(const struct carried *carried, const struct snif_binding_key *key) {
	for (size_t i = 0; i < carried->count; i++)
		if (memcmp(&carried->items[i].key, key, sizeof(*key)) == 0)
			return true;
	return false;
}

void carried_free(struct carried *carried) {
	free(carried->items);
}

int carry_over(const char *instance, const struct filter *filter, uint32_t policy, const struct source *next,
	       uint32_t generation) {
	struct carried carried;
	int error = carried_read(&carried, instance, filter, policy, next, generation);

	if (!error)
		error = filter_add_bindings(filter, policy, carried.items, carried.count);
	carried_free(&carried);
	return error;
}
