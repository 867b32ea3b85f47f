/* SPDX-License-Identifier: BSD-2-Clause */
/* What a policy remembers of names at addresses ──► text, or JSON. */
#include "control/found.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/message.h"
#include "event/event_words.h"
#include "policy/rule_print.h"

struct found {
	struct filter_binding *items; /* those that count, by rule and address */
	size_t count;
	uint64_t now;
	/* the rules of the generation that was asked for last */
	struct policy *rules;
	uint32_t generation;
};

static int compare(const void *left, const void *right) {
	const struct filter_binding *a = left, *b = right;

	if (a->value.generation != b->value.generation)
		return a->value.generation < b->value.generation ? -1 : 1;
	if (a->value.rule != b->value.rule)
		return a->value.rule < b->value.rule ? -1 : 1;
	return memcmp(a->key.address, b->key.address, sizeof(a->key.address));
}

static int read_found(struct instances *instances, const struct inventory_policy *policy, struct found *found) {
	struct filter *filter = instance_open(instances, policy->instance);
	size_t count, kept = 0;
	int error;

	*found = (struct found){.now = clock_boot_ns()};
	if (!filter)
		return 0;
	error = filter_bindings(filter, policy->number, &found->items, &count);
	if (error) {
		message_error("cannot read which names were found: %s", strerror(-error));
		return error;
	}
	for (size_t i = 0; i < count; i++)
		if (found->items[i].value.expires > found->now)
			found->items[kept++] = found->items[i];
	found->count = kept;
	qsort(found->items, kept, sizeof(*found->items), compare);
	return 0;
}

static void free_found(struct found *found) {
	policy_free(found->rules);
	free(found->items);
}

/* What the rule's number meant when the name was looked up; NULL: that is not known. */
static const struct policy *rules_of(struct found *found, const struct inventory_policy *policy, uint32_t generation) {
	char instance[INSTANCE_NAME], sha256[SHA256_HEX];

	if (!found->rules || found->generation != generation) {
		policy_free(found->rules);
		found->rules =
			ledger_rules(instance_name(policy->instance, instance), policy->number, generation, sha256);
		found->generation = generation;
	}
	return found->rules;
}

static const struct rule *rule_of(const struct policy *rules, uint32_t rule) {
	return rules && rule > 0 && rule < rules->rule_count ? &rules->rules[rule] : NULL;
}

static uint64_t seconds_left(const struct found *found, const struct filter_binding *binding) {
	return (binding->value.expires - found->now) / 1000000000;
}

static bool lasts(const struct filter_binding *binding) {
	return binding->value.expires == UINT64_MAX;
}

/* ---- text ------------------------------------------------------------------------------------------------------ */

static void print_one(struct found *found, const struct inventory_policy *policy,
		      const struct filter_binding *binding) {
	const struct rule *rule = rule_of(rules_of(found, policy, binding->value.generation), binding->value.rule);
	uint64_t left = seconds_left(found, binding);
	char address[EVENT_ADDRESS_SIZE];

	event_address(address, binding->key.address);
	printf("      %s  ", address);
	if (rule)
		print_escaped(stdout, rule->text, strlen(rule->text));
	if (lasts(binding))
		puts("  for good");
	else
		printf("  %" PRIu64 ":%02u:%02u left\n", left / 3600, (unsigned)(left / 60 % 60),
		       (unsigned)(left % 60));
}

int found_print(struct instances *instances, const struct inventory_policy *policy) {
	struct found found;
	int error = read_found(instances, policy, &found);

	if (error)
		return error;
	if (found.count > 0)
		printf("    names found at addresses: %zu\n", found.count);
	for (size_t i = 0; i < found.count && i < FOUND_SHOWN; i++)
		print_one(&found, policy, &found.items[i]);
	if (found.count > FOUND_SHOWN)
		printf("      and %zu more\n", found.count - FOUND_SHOWN);
	free_found(&found);
	return 0;
}

/* ---- JSON ------------------------------------------------------------------------------------------------------ */

static struct json_object *one_json(struct found *found, const struct inventory_policy *policy,
				    const struct filter_binding *binding) {
	struct json_object *object = json_object_new_object();
	const struct policy *rules = rules_of(found, policy, binding->value.generation);
	char address[EVENT_ADDRESS_SIZE];
	int error;

	event_address(address, binding->key.address);
	error = json_put_text(object, "address", address);
	error |= json_put_number(object, "netns_cookie", binding->key.netns_cookie);
	error |= rule_put_json(object, "rule", rules, rule_of(rules, binding->value.rule) ? binding->value.rule : 0);
	error |= lasts(binding) ? json_put_text(object, "seconds_left", NULL)
				: json_put_number(object, "seconds_left", seconds_left(found, binding));
	return json_checked(object, error);
}

int found_put_json(struct json_object *object, struct instances *instances, const struct inventory_policy *policy) {
	struct json_object *list = json_object_new_array();
	struct found found;
	int error = read_found(instances, policy, &found);

	if (error) {
		json_object_put(list);
		return error;
	}
	for (size_t i = 0; i < found.count && i < FOUND_SHOWN; i++)
		error |= json_add(list, one_json(&found, policy, &found.items[i]));
	error |= json_put_number(object, "bound", found.count);
	error |= json_put(object, "bindings", list);
	free_found(&found);
	return error;
}
