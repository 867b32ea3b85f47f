/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy ──► the tables that the kernel decides by. */
#include "compile/compile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/message.h"
#include "base/sha256.h"
#include "compile/compile_address.h"
#include "compile/compile_names.h"
#include "policy/canonical.h"

#define KEYS_TO_TRY 16 /* two names with one hash under each of them: not by chance */

static void add_number(struct sha256 *hash, uint32_t number) {
	sha256_add(hash, &number, sizeof(number));
}

/* Of what settings.group_rules is: the rules by name, and what each group of them allows. */
static __u64 digest_groups(const struct policy *policy) {
	uint8_t digest[SHA256_BYTES];
	struct sha256 hash;
	__u64 begin;

	sha256_begin(&hash);
	for (size_t i = 0; i < policy->lookup_count; i++) {
		const struct lookup_rule *lookup = &policy->lookups[i];

		if (!lookup->group)
			continue;
		add_number(&hash, lookup->group);
		add_number(&hash, lookup->form);
		sha256_add(&hash, lookup->name, strlen(lookup->name) + 1);
	}
	for (size_t i = 1; i < policy->group_count; i++) {
		add_number(&hash, policy->groups[i].protocols);
		for (size_t k = 0; k < policy->groups[i].ports.count; k++) {
			add_number(&hash, policy->groups[i].ports.items[k].first);
			add_number(&hash, policy->groups[i].ports.items[k].last);
		}
	}
	sha256_end(&hash, digest);
	memcpy(&begin, digest, sizeof(begin));
	return begin;
}

/* By this a slot is known to have the tables: they name rules by their numbers, which say something else where rules that
 * mean the same come in another order. */
static void digest_tables(const struct policy *policy, struct compiled *out) {
	struct sha256 hash;

	sha256_begin(&hash);
	sha256_add(&hash, out->sha256, sizeof(out->sha256));
	for (size_t i = 1; i < policy->rule_count; i++)
		sha256_add(&hash, policy->rules[i].text, strlen(policy->rules[i].text) + 1);
	sha256_end(&hash, out->settings.sha256);
}

int compile_policy(const struct policy *policy, const __u64 hash_key[2], struct compiled *out) {
	int error;

	memset(out, 0, sizeof(*out));
	out->settings.hash_key[0] = hash_key[0];
	out->settings.hash_key[1] = hash_key[1];
	out->settings.options.mode = policy->mode;
	out->settings.options.ech_deny = policy->ech_deny;
	out->settings.options.hello = policy->hello;
	out->settings.options.inbound_deny = policy->inbound_deny;
	out->settings.dns = policy->dns;
	out->settings.dns.lookups = policy->lookup_count > 0;
	out->settings.group_rules = digest_groups(policy);
	error = compile_names(policy, out);
	if (error == 0)
		error = compile_addresses(policy, out);
	if (error == 0)
		error = canonical_sha256(policy, out->sha256);
	if (error < 0)
		compiled_free(out);
	else
		digest_tables(policy, out);
	return error;
}

int compile_to_ask(const struct policy *policy, struct compiled *out) {
	int error = -EEXIST;

	for (__u64 key = 0; error == -EEXIST && key < KEYS_TO_TRY; key++)
		error = compile_policy(policy, (const __u64[2]){key, 0}, out);
	return error;
}

/* Two names with the same hash under a random key: one chance in 2^64 for each pair, so another key helps. */
int compile_for_kernel(const struct policy *policy, struct compiled *out) {
	int error = -EEXIST;
	__u64 key[2];

	for (int attempt = 0; attempt < KEYS_TO_TRY && error == -EEXIST; attempt++)
		error = getrandom(key, sizeof(key), 0) == (ssize_t)sizeof(key) ? compile_policy(policy, key, out)
									       : -EIO;
	if (error)
		message_error("cannot compile the policy: %s", strerror(-error));
	return error;
}

void compiled_free(struct compiled *compiled) {
	free(compiled->addresses);
	free(compiled->ports);
	free(compiled->buckets);
	compiled->addresses = NULL;
	compiled->ports = NULL;
	compiled->buckets = NULL;
	compiled->address_count = compiled->port_count = compiled->name_count = 0;
}
