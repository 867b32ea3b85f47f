/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy ──► the tables that the kernel decides by. */
#include "compile/compile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/message.h"
#include "compile/compile_address.h"
#include "policy/canonical.h"

#define KEYS_TO_TRY 16 /* two names with one hash under each of them: not by chance */

struct hashed_host {
	__u64 hash;
	const struct host_rule *host;
};

struct hashed_lookup {
	__u64 hash;
	const struct lookup_rule *lookup;
};

/* By hash; among the rules of one name, the one that counts first: deny before allow, the form that says more
 * precisely what it covers before `.name`, then as written. */
static int compare_host(const void *a, const void *b) {
	const struct hashed_host *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	if (x->host->allow != y->host->allow)
		return x->host->allow - y->host->allow;
	if ((x->host->form == HOST_BOTH) != (y->host->form == HOST_BOTH))
		return (x->host->form == HOST_BOTH) - (y->host->form == HOST_BOTH);
	return (x->host->rule > y->host->rule) - (x->host->rule < y->host->rule);
}

static void set_length(__u64 lengths[4], size_t length) {
	lengths[length / 64 % 4] |= 1ULL << length % 64;
}

/* Gives the slot to the rule, unless one that counts more has it. */
static void set_name_rule(struct snif_name_rule *slot, const struct host_rule *host) {
	if (slot->verdict != SNIF_UNDECIDED)
		return;
	slot->verdict = host->allow ? SNIF_ALLOW : SNIF_DENY;
	slot->rule = host->rule;
	slot->zone = host->allow ? host->zone : 0;
}

/* Makes one entry of each run of hosts with one hash. Returns -EEXIST when they are not of one name. */
static int add_names(const struct hashed_host *hosts, size_t count, struct compiled *out) {
	for (size_t i = 0; i < count; i++) {
		const struct host_rule *host = hosts[i].host;
		bool first = i == 0 || hosts[i].hash != hosts[i - 1].hash;
		struct name_entry *entry = &out->names[out->name_count - !first];

		if (first) {
			entry->hash = hosts[i].hash;
			out->name_count++;
		} else if (strcmp(host->name, hosts[i - 1].host->name) != 0) {
			return -EEXIST;
		}
		if (host->form != HOST_BELOW) {
			set_name_rule(&entry->rules.exact, host);
			set_length(out->settings.lengths[SNIF_NAMES_TLS].exact, strlen(host->name));
		}
		if (host->form != HOST_EXACT) {
			set_name_rule(&entry->rules.below, host);
			set_length(out->settings.lengths[SNIF_NAMES_TLS].below, strlen(host->name));
		}
	}
	return 0;
}

static int compile_hosts(const struct policy *policy, struct compiled *out) {
	struct hashed_host *hosts = calloc(policy->host_count + 1, sizeof(*hosts));
	size_t count = 0;
	int error = -ENOMEM;

	if (hosts) {
		for (size_t i = 0; i < policy->host_count; i++) {
			const struct host_rule *host = &policy->hosts[i];

			if (host->form == HOST_ANY)
				set_name_rule(&out->settings.any, host);
			else
				hosts[count++] = (struct hashed_host){
					snif_name_hash(out->settings.hash_key, host->name, strlen(host->name)), host};
		}
		qsort(hosts, count, sizeof(*hosts), compare_host);
		error = add_names(hosts, count, out);
	}
	free(hosts);
	return error;
}

/* By hash; of one name, first what says most: the ports of a `direct` rule, then that it may be looked up. */
static int compare_lookup(const void *a, const void *b) {
	const struct hashed_lookup *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	if (!x->lookup->group != !y->lookup->group)
		return !x->lookup->group - !y->lookup->group;
	return x->lookup->search - y->lookup->search;
}

static void set_lookup(struct snif_name_rule *slot, const struct lookup_rule *lookup) {
	if (slot->verdict != SNIF_UNDECIDED)
		return;
	slot->verdict = SNIF_ALLOW;
	slot->rule = lookup->rule;
	slot->search = lookup->search;
	slot->zone = lookup->search ? (__u16)(strlen(lookup->name) + 1) : lookup->group;
}

static int add_lookups(const struct hashed_lookup *lookups, size_t count, struct compiled *out) {
	struct snif_name_lengths *lengths = &out->settings.lengths[SNIF_NAMES_LOOKUP];

	for (size_t i = 0; i < count; i++) {
		const struct lookup_rule *lookup = lookups[i].lookup;
		bool first = i == 0 || lookups[i].hash != lookups[i - 1].hash;
		struct name_entry *entry = &out->names[out->name_count - !first];

		if (first) {
			entry->hash = lookups[i].hash;
			out->name_count++;
		} else if (strcmp(lookup->name, lookups[i - 1].lookup->name) != 0) {
			return -EEXIST;
		}
		if (lookup->form != HOST_BELOW) {
			set_lookup(&entry->rules.exact, lookup);
			set_length(lengths->exact, strlen(lookup->name));
		}
		if (lookup->form != HOST_EXACT) {
			set_lookup(&entry->rules.below, lookup);
			set_length(lengths->below, strlen(lookup->name));
		}
	}
	return 0;
}

static int compile_lookups(const struct policy *policy, struct compiled *out) {
	struct hashed_lookup *lookups = calloc(policy->lookup_count + 1, sizeof(*lookups));
	int error = -ENOMEM;

	if (lookups) {
		for (size_t i = 0; i < policy->lookup_count; i++) {
			const char *name = policy->lookups[i].name;

			lookups[i].hash = snif_name_hash(out->settings.hash_key, name, strlen(name)) ^ SNIF_LOOKUP_SALT;
			lookups[i].lookup = &policy->lookups[i];
		}
		qsort(lookups, policy->lookup_count, sizeof(*lookups), compare_lookup);
		error = add_lookups(lookups, policy->lookup_count, out);
	}
	free(lookups);
	return error;
}

static int compare_entry(const void *a, const void *b) {
	const struct name_entry *x = a, *y = b;

	return (x->hash > y->hash) - (x->hash < y->hash);
}

/* The table of names. -EEXIST: two have one hash. */
static int compile_names(const struct policy *policy, struct compiled *out) {
	int error = -ENOMEM;

	out->names = calloc(policy->host_count + policy->lookup_count + 1, sizeof(*out->names));
	if (out->names)
		error = compile_hosts(policy, out);
	if (error || policy->lookup_count == 0)
		return error;
	error = compile_lookups(policy, out);
	qsort(out->names, out->name_count, sizeof(*out->names), compare_entry);
	for (size_t i = 1; i < out->name_count && !error; i++)
		if (out->names[i].hash == out->names[i - 1].hash)
			error = -EEXIST;
	return error;
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
	error = compile_names(policy, out);
	if (error == 0)
		error = compile_addresses(policy, out);
	if (error == 0)
		error = canonical_sha256(policy, out->sha256);
	if (error < 0)
		compiled_free(out);
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
	free(compiled->names);
	compiled->addresses = NULL;
	compiled->ports = NULL;
	compiled->names = NULL;
	compiled->address_count = compiled->port_count = compiled->name_count = 0;
}
