/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Tables + destination + name ──► verdict, reason, rule. The kernel and `snifence check` decide by this code alone.
 *
 * Who includes it has defined, before:
 *
 *   snif_tables                 a type that names one compiled policy (the kernel: a slot; userspace: a pointer)
 *   snif_find_class()           address ──► class, by longest prefix
 *   snif_find_dest()            class, protocol, port ──► struct snif_dest, by longest prefix
 *   snif_find_name()            hash ──► struct snif_name_rules
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
	case SNIF_DEST_INSPECT:
		return (struct snif_judgement){SNIF_UNDECIDED, SNIF_REASON_NONE, 0};
	default:
		return refused;
	}
}

#define SNIF_SUFFIXES 8 /* a power of two */

struct snif_name_match {
	snif_tables tables;
	const struct snif_settings *settings;
	const __u8 *name;
	__u32 length, words; /* bytes; words begun, from the right */
	__u64 word, dots;    /* the one at hand; those of its dots that are still to be looked at */
	struct snif_hash hash;
	/* of the shortest suffixes that there may be rules for, the hashes: they are asked last, if at all */
	__u64 suffixes[SNIF_SUFFIXES];
	__u32 suffix_count;
	struct snif_name_rule best; /* the longest match so far; at the end, of all */
};

static __always_inline _Bool snif_has_length(const __u64 lengths[4], __u32 length) {
	return lengths[length / 64 % 4] >> length % 64 & 1;
}

static __always_inline void snif_name_match_read(struct snif_name_match *match) {
	match->word = snif_name_word(match->name, match->length, match->words);
	match->dots = snif_bytes_in(match->word, '.', '.');
	match->words++;
}

static __always_inline long snif_name_match_next(const struct snif_name_match *match) {
	return match->words * 8 > match->length && !match->dots ? SNIF_STOP : SNIF_NEXT;
}

/* Goes on to the next word. The bytes of the last one are not mixed in, as they are fewer than eight. */
static __always_inline long snif_name_match_word(struct snif_name_match *match) {
	snif_hash_word(&match->hash, match->word);
	match->word = 0;
	if (match->words * 8 >= match->length)
		return SNIF_STOP;
	snif_name_match_read(match);
	return snif_name_match_next(match);
}

static __always_inline void snif_name_match_below(struct snif_name_match *match, __u64 hash) {
	const struct snif_name_rules *rules = snif_find_name(match->tables, hash);

	if (rules && rules->below.verdict != SNIF_UNDECIDED)
		match->best = rules->below;
}

/* A step from the right: to the next dot, where there may be rules for what is below the suffix, or the next word. */
static inline long snif_name_match_step(__u32 index, void *context) {
	struct snif_name_match *match = context;
	__u64 dot = match->dots & -match->dots, hash;
	__u32 length;

	(void)index;
	if (!dot)
		return snif_name_match_word(match);
	length = match->words * 8 - 8 + snif_bytes_below(dot);
	match->dots -= dot;
	if (snif_has_length(match->settings->below_lengths, length)) {
		hash = snif_hash_value(&match->hash, match->word & ((dot >> 7) - 1), length);
		if (match->suffix_count < SNIF_SUFFIXES)
			match->suffixes[match->suffix_count++ & (SNIF_SUFFIXES - 1)] = hash;
		else
			snif_name_match_below(match, hash);
	}
	return snif_name_match_next(match);
}

/*
 * The longest match: the name itself, then its suffixes from the longest on. Each look-up among a million names reads
 * memory that no cache has, so none is made that cannot matter.
 */
static __always_inline void snif_name_match_longest(struct snif_name_match *match) {
	const struct snif_name_rules *rules;

	if (snif_has_length(match->settings->exact_lengths, match->length)) {
		rules = snif_find_name(match->tables, snif_hash_value(&match->hash, match->word, match->length));
		if (rules && rules->exact.verdict != SNIF_UNDECIDED)
			match->best = rules->exact;
	}
	for (__u32 i = 0; i < SNIF_SUFFIXES && i < match->suffix_count && match->best.verdict == SNIF_UNDECIDED; i++)
		snif_name_match_below(match, match->suffixes[(match->suffix_count - 1 - i) & (SNIF_SUFFIXES - 1)]);
}

/*
 * What the rules say of a server name on the way to `dest` (of kind INSPECT). `name` is normalised and in a buffer of
 * at least SNIF_NAME_BUFFER bytes. The longest matching rule decides alone: where it does not cover the destination,
 * shorter rules are not asked, so that binding a name to addresses cannot be undone by a wider rule.
 */
static __always_inline struct snif_judgement snif_judge_name(snif_tables tables, const struct snif_settings *settings,
							     const __u8 *name, __u16 length,
							     const struct snif_dest *dest) {
	struct snif_name_match match = {.tables = tables,
					.settings = settings,
					.name = name,
					.length = length,
					.suffix_count = settings->options.zero};
	const struct snif_name_rule *best = &match.best;

	snif_hash_start(&match.hash, settings->hash_key);
	snif_name_match_read(&match); /* before the loop: see snif_loop() */
	if (snif_name_match_next(&match) == SNIF_NEXT)
		snif_loop(SNIF_NAME_READ, snif_name_match_step, &match);
	snif_name_match_longest(&match);
	if (best->verdict == SNIF_UNDECIDED)
		return (struct snif_judgement){SNIF_DENY, SNIF_REASON_NAME_NOT_ALLOWED, 0};
	if (best->verdict != SNIF_ALLOW)
		return (struct snif_judgement){SNIF_DENY, SNIF_REASON_NAME_DENIED, best->rule};
	if (!(dest->zones[(best->zone / 64) % (SNIF_ZONES / 64)] >> best->zone % 64 & 1))
		return (struct snif_judgement){SNIF_DENY, SNIF_REASON_NAME_ELSEWHERE, best->rule};
	return (struct snif_judgement){SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED, best->rule};
}

#endif
