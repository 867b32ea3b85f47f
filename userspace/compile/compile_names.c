/* SPDX-License-Identifier: BSD-2-Clause */
/* Host rules and lookups ──► hashes ──► buckets. */
#include "compile/compile_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "name.h"

/* How many names a bucket has in the mean: with more of them, some find no place on their way. */
enum { NAMES_IN_BUCKET = 3, SIZES_TO_TRY = 8 };

struct name_entry {
	__u64 hash; /* snif_name_hash() of the name under settings.hash_key */
	struct snif_name_rules rules;
};

struct names {
	struct name_entry *items; /* no two alike */
	size_t count;
	struct snif_settings *settings;
};

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
static int add_names(const struct hashed_host *hosts, size_t count, struct names *names) {
	for (size_t i = 0; i < count; i++) {
		const struct host_rule *host = hosts[i].host;
		bool first = i == 0 || hosts[i].hash != hosts[i - 1].hash;
		struct name_entry *entry = &names->items[names->count - !first];

		if (first) {
			entry->hash = hosts[i].hash;
			names->count++;
		} else if (strcmp(host->name, hosts[i - 1].host->name) != 0) {
			return -EEXIST;
		}
		if (host->form != HOST_BELOW) {
			set_name_rule(&entry->rules.exact, host);
			set_length(names->settings->lengths[SNIF_NAMES_TLS].exact, strlen(host->name));
		}
		if (host->form != HOST_EXACT) {
			set_name_rule(&entry->rules.below, host);
			set_length(names->settings->lengths[SNIF_NAMES_TLS].below, strlen(host->name));
		}
	}
	return 0;
}

static int compile_hosts(const struct policy *policy, struct names *names) {
	struct hashed_host *hosts = calloc(policy->host_count + 1, sizeof(*hosts));
	size_t count = 0;
	int error = -ENOMEM;

	if (hosts) {
		for (size_t i = 0; i < policy->host_count; i++) {
			const struct host_rule *host = &policy->hosts[i];

			if (host->form == HOST_ANY)
				set_name_rule(&names->settings->any, host);
			else
				hosts[count++] = (struct hashed_host){
					snif_name_hash(names->settings->hash_key, host->name, strlen(host->name)),
					host};
		}
		qsort(hosts, count, sizeof(*hosts), compare_host);
		error = add_names(hosts, count, names);
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

static int add_lookups(const struct hashed_lookup *lookups, size_t count, struct names *names) {
	struct snif_name_lengths *lengths = &names->settings->lengths[SNIF_NAMES_LOOKUP];

	for (size_t i = 0; i < count; i++) {
		const struct lookup_rule *lookup = lookups[i].lookup;
		bool first = i == 0 || lookups[i].hash != lookups[i - 1].hash;
		struct name_entry *entry = &names->items[names->count - !first];

		if (first) {
			entry->hash = lookups[i].hash;
			names->count++;
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

static int compile_lookups(const struct policy *policy, struct names *names) {
	struct hashed_lookup *lookups = calloc(policy->lookup_count + 1, sizeof(*lookups));
	int error = -ENOMEM;

	if (lookups) {
		for (size_t i = 0; i < policy->lookup_count; i++) {
			const char *name = policy->lookups[i].name;

			lookups[i].hash =
				snif_name_hash(names->settings->hash_key, name, strlen(name)) ^ SNIF_LOOKUP_SALT;
			lookups[i].lookup = &policy->lookups[i];
		}
		qsort(lookups, policy->lookup_count, sizeof(*lookups), compare_lookup);
		error = add_lookups(lookups, policy->lookup_count, names);
	}
	free(lookups);
	return error;
}

static int compare_entry(const void *a, const void *b) {
	const struct name_entry *x = a, *y = b;

	return (x->hash > y->hash) - (x->hash < y->hash);
}

/* All of both kinds, sorted by hash. -EEXIST: two have one. */
static int read_names(const struct policy *policy, struct names *names) {
	int error = -ENOMEM;

	names->items = calloc(policy->host_count + policy->lookup_count + 1, sizeof(*names->items));
	if (names->items)
		error = compile_hosts(policy, names);
	if (error || policy->lookup_count == 0)
		return error;
	error = compile_lookups(policy, names);
	qsort(names->items, names->count, sizeof(*names->items), compare_entry);
	for (size_t i = 1; i < names->count && !error; i++)
		if (names->items[i].hash == names->items[i - 1].hash)
			error = -EEXIST;
	return error;
}

/* ---- buckets --------------------------------------------------------------------------------------------------- */

static struct snif_bucket *bucket_of(const struct compiled *out, __u64 hash, __u32 attempt) {
	return &out->buckets[snif_bucket_of(hash, attempt, out->settings.buckets)];
}

/* Puts an entry into the first bucket on its way that has room. */
static int put(struct compiled *out, __u64 hash, const struct snif_name_rule *rule, __u8 forms) {
	for (__u32 i = 0; i < SNIF_BUCKETS_TRIED; i++) {
		struct snif_bucket *bucket = bucket_of(out, hash, i);

		for (int j = 0; j < SNIF_BUCKET_NAMES; j++) {
			struct snif_bucket_name *name = &bucket->names[j];

			if (name->says)
				continue;
			*name = (struct snif_bucket_name){
				.hash_high = (__u32)(hash >> 32),
				.hash_low = (__u16)hash,
				.zone = (__u8)rule->zone,
				.says = forms | (rule->verdict == SNIF_DENY ? SNIF_SAYS_DENY : 0) |
					(rule->search ? SNIF_SAYS_SEARCH : 0),
				.rule = rule->rule,
			};
			return 0;
		}
		bucket->full = 1;
	}
	return -ENOSPC;
}

/* Whether an entry that is there already would be taken for one of this hash. */
static bool is_taken(const struct compiled *out, __u64 hash) {
	for (__u32 i = 0; i < SNIF_BUCKETS_TRIED; i++) {
		const struct snif_bucket *bucket = bucket_of(out, hash, i);

		for (int j = 0; j < SNIF_BUCKET_NAMES; j++)
			if (snif_bucket_has(&bucket->names[j], hash))
				return true;
		if (!bucket->full)
			return false;
	}
	return false;
}

static bool same_rule(const struct snif_name_rule *a, const struct snif_name_rule *b) {
	return a->rule == b->rule && a->zone == b->zone && a->verdict == b->verdict && a->search == b->search;
}

/* Places that the names take, each one or two: see put_name(). */
static size_t count_places(const struct names *names) {
	size_t places = 0;

	for (size_t i = 0; i < names->count; i++) {
		const struct snif_name_rules *rules = &names->items[i].rules;

		places += same_rule(&rules->exact, &rules->below) || rules->exact.verdict == SNIF_UNDECIDED ||
					  rules->below.verdict == SNIF_UNDECIDED
				  ? 1
				  : 2;
	}
	return places;
}

/* One entry where one rule covers the name and what is below it, else one for each. */
static int put_name(struct compiled *out, __u64 hash, const struct snif_name_rules *rules) {
	int error = 0;

	if (is_taken(out, hash))
		return -EEXIST;
	if (same_rule(&rules->exact, &rules->below))
		return put(out, hash, &rules->exact, SNIF_SAYS_EXACT | SNIF_SAYS_BELOW);
	if (rules->exact.verdict != SNIF_UNDECIDED)
		error = put(out, hash, &rules->exact, SNIF_SAYS_EXACT);
	if (!error && rules->below.verdict != SNIF_UNDECIDED)
		error = put(out, hash, &rules->below, SNIF_SAYS_BELOW);
	return error;
}

/* In a table of so many buckets, or a larger one where some names find no place. */
static int fill_table(const struct names *names, struct compiled *out) {
	size_t buckets = count_places(names) / NAMES_IN_BUCKET + 1;
	int error = -ENOSPC;

	for (int i = 0; i < SIZES_TO_TRY && error == -ENOSPC; i++, buckets += buckets / 8 + 1) {
		free(out->buckets);
		out->settings.buckets = (__u32)buckets;
		out->buckets = calloc(buckets, sizeof(*out->buckets));
		error = out->buckets ? 0 : -ENOMEM;
		for (size_t j = 0; j < names->count && !error; j++)
			error = put_name(out, names->items[j].hash, &names->items[j].rules);
	}
	return error;
}

int compile_names(const struct policy *policy, struct compiled *out) {
	struct names names = {.settings = &out->settings};
	int error = read_names(policy, &names);

	out->name_count = names.count;
	if (!error)
		error = fill_table(&names, out);
	free(names.items);
	return error;
}
