/* SPDX-License-Identifier: BSD-2-Clause */
/* Host rules and lookups ──► hashes ──► buckets. */
#include "compile/compile_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/key_sort.h"
#include "name.h"

/* How many names a bucket has in the mean: with more of them, some find no place on their way. */
enum { NAMES_IN_BUCKET = 3, SIZES_TO_TRY = 8 };

/* A rule for a name, with all that is asked of it once they are sorted: so no memory is gone through in that order. */
struct named {
	__u64 hash; /* snif_name_hash() of the name under settings.hash_key; of a lookup, with its salt */
	const char *name;
	struct snif_name_rule rule;
	__u8 form; /* enum host_form */
	__u8 rank; /* of those for one name, the lowest counts first, then as written */
};

struct names {
	struct named *items; /* sorted */
	size_t count;
	struct snif_settings *settings;
};

static int compare_named(const void *a, const void *b) {
	const struct named *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank - y->rank;
	return (x->rule.rule > y->rule.rule) - (x->rule.rule < y->rule.rule);
}

static void set_length(__u64 lengths[4], size_t length) {
	lengths[length / 64 % 4] |= 1ULL << length % 64;
}

/* Adds it for a use of its name; the caller fills in rule and rank. */
static struct named *add(struct names *names, enum snif_name_use use, const char *name, enum host_form form) {
	struct snif_name_lengths *lengths = &names->settings->lengths[use];
	struct named *named = &names->items[names->count++];
	size_t length = strlen(name);

	named->hash = snif_name_hash(names->settings->hash_key, name, length);
	if (use == SNIF_NAMES_LOOKUP)
		named->hash ^= SNIF_LOOKUP_SALT;
	named->name = name;
	named->form = (__u8)form;
	if (form != HOST_BELOW)
		set_length(lengths->exact, length);
	if (form != HOST_EXACT)
		set_length(lengths->below, length);
	return named;
}

/* Deny before allow, the form that says more precisely what it covers before `.name`. */
static void add_host(struct names *names, const struct host_rule *host) {
	const struct snif_name_rule rule = {
		.verdict = host->allow ? SNIF_ALLOW : SNIF_DENY,
		.rule = host->rule,
		.zone = host->allow ? host->zone : 0,
	};
	struct named *named;

	if (host->form == HOST_ANY) {
		if (names->settings->any.verdict == SNIF_UNDECIDED)
			names->settings->any = rule;
		return;
	}
	named = add(names, SNIF_NAMES_TLS, host->name, host->form);
	named->rule = rule;
	named->rank = (__u8)(host->allow << 1 | (host->form == HOST_BOTH));
}

/* First what says most: the ports of a `direct` rule, then that it may be looked up. */
static void add_lookup(struct names *names, const struct lookup_rule *lookup) {
	struct named *named = add(names, SNIF_NAMES_LOOKUP, lookup->name, lookup->form);

	named->rule = (struct snif_name_rule){
		.verdict = SNIF_ALLOW,
		.rule = lookup->rule,
		.search = lookup->search,
		.zone = lookup->search ? (__u16)(strlen(lookup->name) + 1) : lookup->group,
	};
	named->rank = (__u8)(!lookup->group << 1 | lookup->search);
}

/* All of both kinds, sorted by hash. -EEXIST: two names have one. */
static int read_names(const struct policy *policy, struct names *names) {
	names->items = calloc(policy->host_count + policy->lookup_count + 1, sizeof(*names->items));
	if (!names->items)
		return -ENOMEM;
	for (size_t i = 0; i < policy->host_count; i++)
		add_host(names, &policy->hosts[i]);
	for (size_t i = 0; i < policy->lookup_count; i++)
		add_lookup(names, &policy->lookups[i]);
	key_sort(names->items, names->count, sizeof(*names->items), compare_named);
	for (size_t i = 1; i < names->count; i++)
		if (names->items[i].hash == names->items[i - 1].hash &&
		    strcmp(names->items[i].name, names->items[i - 1].name) != 0)
			return -EEXIST;
	return 0;
}

static void set_rule(struct snif_name_rule *slot, const struct snif_name_rule *rule) {
	if (slot->verdict == SNIF_UNDECIDED)
		*slot = *rule;
}

/* Puts the rules for one name together, from the first of them on. Returns where those for the next one begin. */
static size_t read_rules(const struct names *names, size_t first, struct snif_name_rules *rules) {
	size_t i = first;

	*rules = (struct snif_name_rules){0};
	do {
		if (names->items[i].form != HOST_BELOW)
			set_rule(&rules->exact, &names->items[i].rule);
		if (names->items[i].form != HOST_EXACT)
			set_rule(&rules->below, &names->items[i].rule);
	} while (++i < names->count && names->items[i].hash == names->items[first].hash);
	return i;
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

/* How many names there are, and the places that they take, each one or two: see put_name(). */
static size_t count_places(const struct names *names, size_t *name_count) {
	struct snif_name_rules rules;
	size_t places = 0;

	*name_count = 0;
	for (size_t i = 0; i < names->count; ++*name_count) {
		i = read_rules(names, i, &rules);
		places += same_rule(&rules.exact, &rules.below) || rules.exact.verdict == SNIF_UNDECIDED ||
					  rules.below.verdict == SNIF_UNDECIDED
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

static int put_names(const struct names *names, struct compiled *out) {
	struct snif_name_rules rules;
	int error = 0;

	for (size_t i = 0, next; i < names->count && !error; i = next) {
		next = read_rules(names, i, &rules);
		error = put_name(out, names->items[i].hash, &rules);
	}
	return error;
}

/* In a table of so many buckets, or a larger one where some names find no place. */
static int fill_table(const struct names *names, struct compiled *out) {
	size_t buckets = count_places(names, &out->name_count) / NAMES_IN_BUCKET + 1;
	int error = -ENOSPC;

	for (int i = 0; i < SIZES_TO_TRY && error == -ENOSPC; i++, buckets += buckets / 8 + 1) {
		free(out->buckets);
		out->settings.buckets = (__u32)buckets;
		out->buckets = calloc(buckets, sizeof(*out->buckets));
		error = out->buckets ? put_names(names, out) : -ENOMEM;
	}
	return error;
}

int compile_names(const struct policy *policy, struct compiled *out) {
	struct names names = {.settings = &out->settings};
	int error = read_names(policy, &names);

	if (!error)
		error = fill_table(&names, out);
	free(names.items);
	return error;
}
