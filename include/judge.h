/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Tables + destination + ClientHello ──► verdict, reason, rule. The kernel and what answers in its place (check,
 * inspect, learn) decide by this code alone.
 *
 * Who includes it has defined, before:
 *
 *   snif_tables                 a type that names one compiled policy (the kernel: a slot; userspace: a pointer)
 *   snif_find_class()           address ──► class, by longest prefix
 *   snif_find_dest()            class, protocol, port ──► struct snif_dest, by longest prefix
 *   snif_find_bucket()          number ──► struct snif_bucket
 *
 * each of which returns NULL when there is no entry.
 */
#ifndef SNIF_JUDGE_H
#define SNIF_JUDGE_H

#include "abi.h"
#include "address.h"
#include "name.h"

struct snif_judgement {
	enum snif_verdict verdict;
	enum snif_reason reason;
	__u32 rule; /* 0: none */
};

static __always_inline struct snif_judgement snif_refuse(enum snif_reason reason) {
	return (struct snif_judgement){SNIF_DENY, reason, 0};
}

/* What the policy says of connections that are accepted, not opened. */
static __always_inline struct snif_judgement snif_judge_inbound(const struct snif_options *options) {
	if (options->inbound_deny)
		return snif_refuse(SNIF_REASON_INBOUND_DENIED);
	return (struct snif_judgement){SNIF_ALLOW, SNIF_REASON_INBOUND_ALLOWED, 0};
}

/*
 * What the rules say of a destination: the longest prefix, then protocol and port. `address` is v4-mapped, `protocol`
 * an IPPROTO, `port` in host order. An address behind NAT64 is judged as the IPv4 address that it reaches. Writes
 * `dest`; its kind NONE comes with the reason why. Returns the judgement, with verdict SNIF_UNDECIDED where the
 * destination wants an allowed server name.
 */
static __always_inline struct snif_judgement snif_judge_address(snif_tables tables, const __u8 address[16],
								__u8 protocol, __u16 port, struct snif_dest *dest) {
	struct snif_judgement refused = {SNIF_DENY, SNIF_REASON_ADDRESS_NOT_ALLOWED, 0};
	struct snif_address_key where = {.prefix_length = 128};
	struct snif_port_key what = {.prefix_length = 56};
	const struct snif_dest *found;
	const __u32 *class;

	__builtin_memset(dest, 0, sizeof(*dest));
	snif_memcpy(where.address, address, 16);
	if (!snif_fold_nat64(where.address)) {
		refused.reason = SNIF_REASON_NAT64_NOT_GLOBAL;
		return refused;
	}
	class = snif_find_class(tables, &where);
	if (!class || *class == 0)
		return refused;
	what.class_be[0] = *class >> 24;
	what.class_be[1] = *class >> 16;
	what.class_be[2] = *class >> 8;
	what.class_be[3] = *class;
	what.protocol = protocol;
	what.port_be[0] = port >> 8;
	what.port_be[1] = port;
	refused.reason = SNIF_REASON_PORT_NOT_ALLOWED;
	found = snif_find_dest(tables, &what);
	if (!found)
		return refused;
	*dest = *found;
	switch (found->kind) {
	case SNIF_DEST_ALLOW:
		return (struct snif_judgement){SNIF_ALLOW, SNIF_REASON_ADDRESS_ALLOWED, found->rule};
	case SNIF_DEST_DENY:
		return (struct snif_judgement){SNIF_DENY, SNIF_REASON_ADDRESS_DENIED, found->rule};
	case SNIF_DEST_DNS:
		return (struct snif_judgement){SNIF_ALLOW, SNIF_REASON_DNS_ALLOWED, found->rule};
	case SNIF_DEST_INSPECT:
		return (struct snif_judgement){SNIF_UNDECIDED, SNIF_REASON_NONE, 0};
	default:
		return refused;
	}
}

/* The groups of `direct` rules by name that allow this protocol and port, a bit for each. */
static __always_inline __u64 snif_named_groups(snif_tables tables, __u8 protocol, __u16 port) {
	struct snif_port_key where = {
		.prefix_length = 56,
		.class_be = {0xff, 0xff, 0xff, 0xff}, /* SNIF_NAMED_CLASS */
		.protocol = protocol,
		.port_be = {port >> 8, port},
	};
	const struct snif_dest *found = snif_find_dest(tables, &where);

	return found ? found->zones[0] : 0;
}

struct snif_name_match {
	snif_tables tables;
	const struct snif_settings *settings;
	const __u8 *name;
	struct snif_name_progress *at;
	enum snif_name_use use;
};

static __always_inline _Bool snif_has_length(const __u64 lengths[4], __u32 length) {
	return lengths[length / 64 % 4] >> length % 64 & 1;
}

static __always_inline void snif_name_match_read(const struct snif_name_match *match) {
	struct snif_name_progress *at = match->at;

	at->word = snif_name_word(match->name, at->length, at->words);
	at->dots = snif_bytes_in(at->word, '.', '.');
	at->words++;
}

static __always_inline long snif_name_match_next(const struct snif_name_progress *at) {
	return at->words * 8 > at->length && !at->dots ? SNIF_STOP : SNIF_NEXT;
}

/* Goes on to the next word. The bytes of the last one are not mixed in, as they are fewer than eight. */
static __always_inline long snif_name_match_word(const struct snif_name_match *match) {
	struct snif_name_progress *at = match->at;

	snif_hash_word(&at->hash, at->word);
	at->word = 0;
	if (at->words * 8 >= at->length)
		return SNIF_STOP;
	snif_name_match_read(match);
	return snif_name_match_next(at);
}

/* What rules for this use of a name are found by. */
static __always_inline __u64 snif_name_key(const struct snif_name_match *match, __u64 hash) {
	return match->use == SNIF_NAMES_LOOKUP ? hash ^ SNIF_LOOKUP_SALT : hash;
}

static __always_inline const struct snif_name_lengths *snif_name_lengths_of(const struct snif_name_match *match) {
	return &match->settings->lengths[match->use & 1];
}

_Static_assert(SNIF_DENY == SNIF_ALLOW + 1, "which saves a branch below");

/* By itself, as the verifier would follow it for each bucket; and without branches for what a rule is like. */
SNIF_SUBPROGRAM int snif_bucket_read(const struct snif_bucket *bucket, __u64 hash, struct snif_name_rules *found) {
	if (!bucket || !found)
		return 0;
	for (int i = 0; i < SNIF_BUCKET_NAMES; i++) {
		const struct snif_bucket_name *name = &bucket->names[i];
		struct snif_name_rule rule = {
			.rule = name->rule,
			.zone = name->zone,
			.verdict = SNIF_ALLOW + ((name->says & SNIF_SAYS_DENY) != 0),
			.search = (name->says & SNIF_SAYS_SEARCH) != 0,
		};

		if (!snif_bucket_has(name, hash))
			continue;
		if (name->says & SNIF_SAYS_EXACT)
			found->exact = rule;
		if (name->says & SNIF_SAYS_BELOW)
			found->below = rule;
	}
	return 0;
}

/* Writes what there are of rules for a hash, in a table of so many buckets. */
SNIF_SUBPROGRAM int snif_find_name(snif_tables tables, __u32 buckets, __u64 hash, struct snif_name_rules *found) {
	const struct snif_bucket *bucket;

	if (!found)
		return 0;
	__builtin_memset(found, 0, sizeof(*found));
	for (__u32 i = 0; i < SNIF_BUCKETS_TRIED; i++) {
		bucket = snif_find_bucket(tables, snif_bucket_of(hash, i, buckets));
		if (!bucket)
			return 0;
		snif_bucket_read(bucket, hash, found);
		if (!bucket->full)
			return 0;
	}
	return 0;
}

static __always_inline void snif_name_match_below(const struct snif_name_match *match, __u64 hash) {
	snif_find_name(match->tables, match->settings->buckets, snif_name_key(match, hash), &match->at->found);
	if (match->at->found.below.verdict != SNIF_UNDECIDED)
		match->at->best = match->at->found.below;
}

/* A step from the right: to the next dot, where there may be rules for what is below the suffix, or the next word. */
static __always_inline long snif_name_match_once(const struct snif_name_match *match) {
	struct snif_name_progress *at = match->at;
	__u64 dot = at->dots & -at->dots, hash;
	__u32 length;

	if (!dot)
		return snif_name_match_word(match);
	length = at->words * 8 - 8 + snif_bytes_below(dot);
	at->dots -= dot;
	if (snif_has_length(snif_name_lengths_of(match)->below, length)) {
		hash = snif_hash_value(&at->hash, at->word & ((dot >> 7) - 1), length);
		if (at->suffix_count < SNIF_SUFFIXES)
			at->suffixes[at->suffix_count++ & (SNIF_SUFFIXES - 1)] = hash;
		else
			snif_name_match_below(match, hash);
	}
	return snif_name_match_next(at);
}

static inline long snif_name_match_step(__u32 index, void *context) {
	(void)index;
	for (__u32 i = 0; i < SNIF_UNROLL; i++)
		if (snif_name_match_once(context) == SNIF_STOP)
			return SNIF_STOP;
	return SNIF_NEXT;
}

/*
 * The longest match: the name itself, then its suffixes from the longest on. Each look-up among a million names reads
 * memory that no cache has, so none is made that cannot matter.
 */
static __always_inline void snif_name_match_longest(const struct snif_name_match *match) {
	struct snif_name_progress *at = match->at;

	if (snif_has_length(snif_name_lengths_of(match)->exact, at->length)) {
		snif_find_name(match->tables, match->settings->buckets,
			       snif_name_key(match, snif_hash_value(&at->hash, at->word, at->length)), &at->found);
		if (at->found.exact.verdict != SNIF_UNDECIDED)
			at->best = at->found.exact;
	}
	for (__u32 i = 0; i < SNIF_SUFFIXES && i < at->suffix_count && at->best.verdict == SNIF_UNDECIDED; i++)
		snif_name_match_below(match, at->suffixes[(at->suffix_count - 1 - i) & (SNIF_SUFFIXES - 1)]);
}

/* Writes the rule that decides of a name of at->length bytes, the longest, into at->best. */
SNIF_SUBPROGRAM int snif_name_match_by(struct snif_name_progress *at, enum snif_name_use use, snif_tables tables,
				       const struct snif_settings *settings, const struct snif_name_text *name) {
	struct snif_name_match match = {.tables = tables, .settings = settings, .at = at, .use = use};

	if (!at || !settings || !name)
		return 0;
	match.name = name->bytes;
	/* not all of it: the suffixes are as many as it says, and clearing their memory takes as long as a step */
	at->words = 0;
	at->suffix_count = 0;
	at->best = (struct snif_name_rule){};
	snif_hash_start(&at->hash, settings->hash_key);
	snif_name_match_read(&match);
	if (snif_name_match_next(at) == SNIF_NEXT)
		snif_loop((SNIF_NAME_READ + 1) / SNIF_UNROLL, snif_name_match_step, &match);
	snif_name_match_longest(&match);
	return 0;
}

/* The rule for a ClientHello's name: the longest one, else that for any name. */
static __always_inline void snif_name_match_hello(struct snif_name_progress *at, snif_tables tables,
						  const struct snif_settings *settings,
						  const struct snif_name_text *name) {
	snif_name_match_by(at, SNIF_NAMES_TLS, tables, settings, name);
	if (at->best.verdict == SNIF_UNDECIDED)
		at->best = settings->any;
}

/*
 * What the rules say of a server name on the way to `dest` (of kind INSPECT). `name` is normalised and in a buffer of
 * at least SNIF_NAME_BUFFER bytes. The longest matching rule decides alone: where it does not cover the destination,
 * shorter rules are not asked, so that binding a name to addresses cannot be undone by a wider rule. `at` is memory to
 * work in.
 */
static __always_inline struct snif_judgement snif_judge_name_by(struct snif_name_progress *at, snif_tables tables,
								const struct snif_settings *settings, const __u8 *name,
								__u16 length, const struct snif_dest *dest) {
	const struct snif_name_rule *best = &at->best;

	at->length = length;
	snif_name_match_hello(at, tables, settings, (const struct snif_name_text *)name);
	if (best->verdict == SNIF_UNDECIDED)
		return snif_refuse(SNIF_REASON_NAME_NOT_ALLOWED);
	if (best->verdict != SNIF_ALLOW)
		return (struct snif_judgement){SNIF_DENY, SNIF_REASON_NAME_DENIED, best->rule};
	if (!(dest->zones[(best->zone / 64) % (SNIF_ZONES / 64)] >> best->zone % 64 & 1))
		return (struct snif_judgement){SNIF_DENY, SNIF_REASON_NAME_ELSEWHERE, best->rule};
	return (struct snif_judgement){SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED, best->rule};
}

/* A ClientHello that was read to its end, and where it goes. */
struct snif_request {
	const struct snif_hello *hello;
	const struct snif_target *to;
	const struct snif_dest *dest; /* what snif_judge_address() says of that: kind INSPECT */
};

/* What the policy says of a ClientHello as a whole. `at` is memory to work in. */
static __always_inline struct snif_judgement snif_judge_hello_by(struct snif_name_progress *at, snif_tables tables,
								 const struct snif_settings *settings,
								 const struct snif_request *request) {
	const struct snif_hello *hello = request->hello;

	if (hello->ech && settings->options.ech_deny)
		return snif_refuse(SNIF_REASON_ECH_DENIED);
	return snif_judge_name_by(at, tables, settings, hello->name, hello->name_length, request->dest);
}

/*
 * Whether a name may be looked up: where a rule for lookups allows it, or one for ClientHellos. What resolvers append to
 * a name (the search domains of resolv.conf) is taken off, once: the question for the name alone comes next, and only
 * an answer to that is of use. at->best is the rule.
 */
static __always_inline _Bool snif_may_look_up(struct snif_name_progress *at, snif_tables tables,
					      const struct snif_settings *settings, const __u8 *name, __u16 length) {
	const struct snif_name_text *text = (const struct snif_name_text *)name;
	__u16 appended = 0;

	for (int pass = 0; pass < 2; pass++) {
		at->length = length;
		if (settings->dns.lookups) {
			snif_name_match_by(at, SNIF_NAMES_LOOKUP, tables, settings, text);
			if (at->best.verdict == SNIF_ALLOW && !at->best.search) {
				if (pass > 0)
					at->best.zone = 0; /* the answer will be another name's */
				return 1;
			}
			appended = at->best.search ? at->best.zone : 0;
		}
		snif_name_match_hello(at, tables, settings, text);
		at->best.zone = 0; /* of ClientHellos: no group */
		if (at->best.verdict == SNIF_ALLOW)
			return 1;
		if (appended == 0 || appended >= length)
			return 0;
		length -= appended;
	}
	return 0;
}

/* What the policy says of a question for a name that may be looked up, or not. */
static __always_inline enum snif_reason snif_judge_question(const struct snif_dns_rules *rules, __u16 type,
							    _Bool allowed) {
	if (rules->https_deny && (type == SNIF_DNS_HTTPS || type == SNIF_DNS_SVCB))
		return SNIF_REASON_DNS_TYPE;
	if (!rules->names_policy)
		return SNIF_REASON_NONE;
	if (!allowed)
		return SNIF_REASON_DNS_NAME;
	return snif_dns_is_lookup(type) ? SNIF_REASON_NONE : SNIF_REASON_DNS_TYPE;
}

/* The deny rule that keeps a name from being looked up; 0: there is none, and none that allows it. */
static __always_inline __u32 snif_question_rule(enum snif_reason reason, const struct snif_name_rule *best) {
	return reason == SNIF_REASON_DNS_NAME && best->verdict == SNIF_DENY ? best->rule : 0;
}

/* What becomes of an allowed server name whose address no lookup has given. */
static __always_inline struct snif_judgement snif_judge_unbound(const struct snif_dns_rules *dns, __u32 rule) {
	if (dns->bind == SNIF_BIND_REQUIRE)
		return (struct snif_judgement){SNIF_DENY, SNIF_REASON_NAME_NOT_BOUND, rule};
	return (struct snif_judgement){SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED, rule};
}

#ifndef __bpf__
/* The same, with memory of their own. */
static inline struct snif_judgement snif_judge_hello(snif_tables tables, const struct snif_settings *settings,
						     const struct snif_request *request) {
	struct snif_name_progress at = {0};

	return snif_judge_hello_by(&at, tables, settings, request);
}

static inline struct snif_judgement snif_judge_name(snif_tables tables, const struct snif_settings *settings,
						    const __u8 *name, __u16 length, const struct snif_dest *dest) {
	struct snif_name_progress at = {0};

	return snif_judge_name_by(&at, tables, settings, name, length, dest);
}
#endif

#endif
