/* SPDX-License-Identifier: BSD-2-Clause */
/* What lookups have found for `direct` rules that stay ──► the same under the policy that is to come. */
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
	uint64_t *names; /* of the next policy's `direct` rules; 0: it is another lookup, or of more than one name */
	struct noted *noted;
	size_t noted_count;
};

static const struct policy *rules_of(struct reading *reading, uint32_t generation) {
	struct noted *noted;
	char sha256[SHA256_HEX];

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

/* Whether it is the rule that something was found for, by its text. */
static bool is_same_rule(struct reading *reading, const struct filter_binding *found,
			 const struct lookup_rule *lookup) {
	const struct policy *before = rules_of(reading, found->value.generation);
	uint32_t rule = found->value.rule;

	return before && rule > 0 && rule < before->rule_count &&
	       strcmp(before->rules[rule].text, reading->next->policy->rules[lookup->rule].text) == 0;
}

/* The `direct` rule of the next policy that holds for a name that was found; NULL: none is known. */
static const struct lookup_rule *rule_for(struct reading *reading, const struct filter_binding *found) {
	const struct policy *next = reading->next->policy;

	for (size_t i = 0; i < next->lookup_count; i++)
		if (reading->names[i] == found->key.name)
			return &next->lookups[i];
	for (size_t i = 0; i < next->lookup_count; i++)
		if (next->lookups[i].group && next->lookups[i].form != HOST_EXACT &&
		    is_same_rule(reading, found, &next->lookups[i]))
			return &next->lookups[i];
	return NULL;
}

static int add(struct carried *carried, const struct filter_binding *binding) {
	struct filter_binding *item = array_add(&carried->items, &carried->count, sizeof(*item));

	if (!item)
		return -ENOMEM;
	*item = *binding;
	return 0;
}

static int read_one(struct reading *reading, const struct filter_binding *found) {
	const struct lookup_rule *lookup = rule_for(reading, found);
	struct filter_binding binding = *found;
	int error;

	if (!lookup)
		return 0;
	binding.value.rule = lookup->rule;
	binding.value.generation = reading->generation;
	error = add(reading->carried, &binding);
	binding.key.name = snif_bound_group(reading->next->compiled.settings.group_rules, lookup->group);
	return error ? error : add(reading->carried, &binding);
}

static int read_names(struct reading *reading, const struct filter *filter) {
	const struct policy *next = reading->next->policy;

	reading->names = calloc(next->lookup_count + 1, sizeof(*reading->names));
	for (size_t i = 0; reading->names && i < next->lookup_count; i++)
		if (next->lookups[i].group && next->lookups[i].form != HOST_BELOW)
			reading->names[i] =
				filter_binding_name(filter, next->lookups[i].name, strlen(next->lookups[i].name));
	return reading->names ? 0 : -ENOMEM;
}

int carried_read(struct carried *carried, const char *instance, const struct filter *filter, uint32_t policy,
		 const struct source *next, uint32_t generation) {
	struct reading reading = {
		.carried = carried, .instance = instance, .number = policy, .next = next, .generation = generation};
	struct filter_binding *found = NULL;
	size_t count = 0;
	int error;

	*carried = (struct carried){0};
	if (next->policy->group_count == 0)
		return 0;
	error = read_names(&reading, filter);
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
