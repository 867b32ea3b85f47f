/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Server names: the check that a name is a hostname, and the keyed hash under which rules are found.
 *
 * A rule is found by the hash of its name: SipHash-1-3 (Aumasson, Bernstein, 2012; the rounds that hash tables take)
 * with a random key, over the bytes from the last to the first. Reading from the right gives the hash of every suffix
 * of a name in one pass, so that a look-up costs at most one probe for each label, however many names the policy holds. Two
 * names with one hash would be taken for each other; the key is random for each load and never leaves the kernel's
 * maps, so that finding such a name means trying some 2^46 connections (name_table.h compares 48 bits of the hash with at
 * most five rules).
 */
#ifndef SNIF_NAME_H
#define SNIF_NAME_H

#include "portable.h"
#include "reason.h"

#define SNIF_NAME_MAX 253    /* RFC 1035, section 2.3.4: 255 on the wire are 253 written */
#define SNIF_LABEL_MAX 63    /* the same */
#define SNIF_NAME_READ 255   /* bytes of a server_name that are read; longer ones are refused unread */
#define SNIF_NAME_WORDS 32   /* the name and a dot behind it, eight bytes at a time */
#define SNIF_NAME_BUFFER 512 /* twice that: room for the largest offset plus the largest length, as verifiers add */

struct snif_name_text {
	__u8 bytes[SNIF_NAME_BUFFER];
};

/*
 * Eight bytes of a name at a time are one word, in network order: a name's first byte is the highest one. A mask has
 * the top bit of each byte that it means. Neighbours are not disturbed, as all bytes are below 0x80.
 */
#define SNIF_EACH 0x0101010101010101ULL
#define SNIF_TOPS 0x8080808080808080ULL

/* Those of the bytes that are from `low` to `high`. */
static __always_inline __u64 snif_bytes_in(__u64 word, __u8 low, __u8 high) {
	__u64 from = word + (0x80ULL - low) * SNIF_EACH, above = word + (0x7fULL - high) * SNIF_EACH;

	return from & ~above & SNIF_TOPS;
}

/* How many bytes are lower than the lowest of a mask that is not 0. */
static __always_inline __u32 snif_bytes_below(__u64 mask) {
	__u64 lowest = mask & -mask;

	return (((lowest >> 7) - 1) & SNIF_EACH) * SNIF_EACH >> 56;
}

/* How far a name is read. In a map, where a verifier looks: it would go through a step for each value on the stack. */
struct snif_name_scan {
	__u32 length, at; /* bytes; those before the next word */
	__u32 label;	  /* bytes since the last dot */
	__u64 dot;	  /* the top bit: a label begins here */
	__u8 numeric;	  /* digits only since the last dot: as the last label, that of an IPv4 address */
	__u8 too_long;	  /* a label was */
	__u8 reason;
};

struct snif_name_reader {
	struct snif_name_scan *scan;
	__u8 *name;
};

/* The lengths of the labels that end in this word, and what the next word must know. */
static __always_inline void snif_name_labels(struct snif_name_scan *scan, __u64 dots) {
	if (!dots) {
		scan->label += 8;
		return;
	}
	if (scan->label + snif_bytes_below(__builtin_bswap64(dots)) > SNIF_LABEL_MAX)
		scan->too_long = 1;
	scan->label = snif_bytes_below(dots);
}

/* Eight bytes of snif_name_normalise(). Behind the name it sees a dot, so that each label ends with one, and zeros. */
static __always_inline long snif_name_scan_word(const struct snif_name_reader *reader) {
	struct snif_name_scan *scan = reader->scan;
	__u32 at = scan->at & 0xff, left = (scan->length - at) * 8;
	__u64 read, word, end = 0, upper, digits, dots, others, good, bad, colons;

	if (at > scan->length)
		return SNIF_STOP;
	read = snif_load_be64(reader->name + at);
	word = read & ~SNIF_TOPS;
	if (left < 64) {
		end = 1ULL << 63 >> left;
		read &= ~(~0ULL >> left);
		word = (read & ~SNIF_TOPS) | 0x2e30303030303030ULL >> left;
	}
	upper = snif_bytes_in(word, 'A', 'Z');
	word |= upper >> 2;
	digits = snif_bytes_in(word, '0', '9');
	dots = snif_bytes_in(word, '.', '.');
	good = snif_bytes_in(word, 'a', 'z') | digits | snif_bytes_in(word, '-', '.') | snif_bytes_in(word, '_', '_');
	bad = (~good & SNIF_TOPS) | (read & SNIF_TOPS) | (dots & (dots >> 8 | scan->dot));
	if (bad) {
		colons = snif_bytes_in(word, ':', ':') & ~read;
		scan->reason =
			(bad & colons) > (bad & ~colons) ? SNIF_REASON_NAME_IS_ADDRESS : SNIF_REASON_NAME_INVALID;
		return SNIF_STOP;
	}
	scan->dot = dots << 56;
	snif_name_labels(scan, dots);
	dots &= ~end;
	others = ~(digits | dots | end) & SNIF_TOPS;
	if (dots)
		scan->numeric = !(others & ((dots & -dots) - 1));
	else if (others)
		scan->numeric = 0;
	if (upper)
		snif_store_be64(reader->name + at, snif_load_be64(reader->name + at) | upper >> 2);
	scan->at = at + 8;
	return SNIF_NEXT;
}

static inline long snif_name_scan_step(__u32 index, void *context) {
	(void)index;
	for (__u32 i = 0; i < SNIF_UNROLL; i++)
		if (snif_name_scan_word(context) == SNIF_STOP)
			return SNIF_STOP;
	return SNIF_NEXT;
}

/*
 * Makes `*length` bytes at `name` (a buffer of SNIF_NAME_BUFFER) the name that rules are compared with: lower case,
 * without one trailing dot. Accepts letters, digits, hyphens and underscores (not RFC 1123, but in use) in labels of 1
 * to 63 bytes, 253 in all. Refuses what a server may take for something else than a hostname: any other byte or an
 * empty label (NAME_INVALID; NAME_IS_ADDRESS where the first such byte is a colon), a name or label over its limit
 * (NAME_TOO_LONG), a last label of digits (NAME_IS_ADDRESS). Returns SNIF_REASON_NONE when the name is good. `scan` is
 * memory to work in.
 */
static __always_inline enum snif_reason snif_name_normalise_by(struct snif_name_scan *scan, __u8 *name, __u16 *length) {
	struct snif_name_reader reader = {.scan = scan, .name = name};

	*scan = (struct snif_name_scan){.length = *length, .dot = 1ULL << 63, .numeric = 1};
	if (scan->length == 0)
		return SNIF_REASON_SNI_EMPTY;
	if (scan->length > SNIF_NAME_READ)
		return SNIF_REASON_NAME_TOO_LONG;
	if (name[snif_bound(scan->length - 1, 0xff)] == '.')
		scan->length--;
	snif_loop(SNIF_NAME_WORDS / SNIF_UNROLL, snif_name_scan_step, &reader);
	if (scan->reason != SNIF_REASON_NONE)
		return scan->reason;
	if (scan->too_long || scan->length > SNIF_NAME_MAX)
		return SNIF_REASON_NAME_TOO_LONG;
	if (scan->numeric)
		return SNIF_REASON_NAME_IS_ADDRESS;
	*length = scan->length;
	return SNIF_REASON_NONE;
}

/*
 * The same for a name as a client has sent it: one that ends with a dot is refused (TRAILING_DOT, with the dot left in
 * `*length`) unless that is let pass. RFC 6066, section 3, wants none, and servers that compare bytes (Apache, Node,
 * HAProxy) give the default site for it.
 */
static __always_inline enum snif_reason snif_name_sent_by(struct snif_name_scan *scan, __u8 *name, __u16 *length,
							  _Bool trailing_dot) {
	__u16 sent = *length;
	enum snif_reason reason = snif_name_normalise_by(scan, name, length);

	if (reason != SNIF_REASON_NONE || *length == sent || trailing_dot)
		return reason;
	*length = sent;
	return SNIF_REASON_TRAILING_DOT;
}

#ifndef __bpf__
/* The same, with memory of their own. */
static inline enum snif_reason snif_name_normalise(__u8 *name, __u16 *length) {
	struct snif_name_scan scan;

	return snif_name_normalise_by(&scan, name, length);
}

static inline enum snif_reason snif_name_sent(__u8 *name, __u16 *length, _Bool trailing_dot) {
	struct snif_name_scan scan;

	return snif_name_sent_by(&scan, name, length, trailing_dot);
}
#endif

struct snif_hash {
	__u64 v0, v1, v2, v3;
};

static __always_inline __u64 snif_rotate(__u64 word, __u32 bits) {
	return word << bits | word >> (64 - bits);
}

static __always_inline void snif_hash_round(struct snif_hash *h) {
	h->v0 += h->v1;
	h->v1 = snif_rotate(h->v1, 13) ^ h->v0;
	h->v0 = snif_rotate(h->v0, 32);
	h->v2 += h->v3;
	h->v3 = snif_rotate(h->v3, 16) ^ h->v2;
	h->v0 += h->v3;
	h->v3 = snif_rotate(h->v3, 21) ^ h->v0;
	h->v2 += h->v1;
	h->v1 = snif_rotate(h->v1, 17) ^ h->v2;
	h->v2 = snif_rotate(h->v2, 32);
}

static __always_inline void snif_hash_start(struct snif_hash *h, const __u64 key[2]) {
	h->v0 = key[0] ^ 0x736f6d6570736575ULL;
	h->v1 = key[1] ^ 0x646f72616e646f6dULL;
	h->v2 = key[0] ^ 0x6c7967656e657261ULL;
	h->v3 = key[1] ^ 0x7465646279746573ULL;
}

/* Mixes in the next eight bytes, of which the first is the lowest one of `word`. */
static __always_inline void snif_hash_word(struct snif_hash *h, __u64 word) {
	h->v3 ^= word;
	snif_hash_round(h);
	h->v0 ^= word;
}

/* The hash of `length` bytes, of which the last length % 8 are `tail` and the others mixed in; more may follow. */
static __always_inline __u64 snif_hash_value(const struct snif_hash *so_far, __u64 tail, __u32 length) {
	struct snif_hash h = *so_far;

	snif_hash_word(&h, tail | (__u64)length << 56);
	h.v2 ^= 0xff;
	snif_hash_round(&h);
	snif_hash_round(&h);
	snif_hash_round(&h);
	return h.v0 ^ h.v1 ^ h.v2 ^ h.v3;
}

/*
 * The bytes of a name from the right, eight at a time: those before the last `index` * 8, as a word with the rightmost
 * one lowest. Of the leftmost word, what would be before the name is 0.
 */
static __always_inline __u64 snif_name_word(const __u8 *name, __u32 length, __u32 index) {
	__u32 left = length - index * 8; /* bytes that are not read yet: not 0 */

	if (left >= 8)
		return snif_load_be64(name + ((left - 8) & 0xff));
	return snif_load_be64(name) >> (64 - left * 8);
}

/* How far a name is hashed. In a map, as struct snif_name_scan. */
struct snif_name_hashing {
	__u32 length, words; /* bytes; words that are mixed in */
	__u64 tail;	     /* what is left of the last word */
	struct snif_hash hash;
};

struct snif_name_hasher {
	struct snif_name_hashing *at;
	const __u8 *name;
};

static inline long snif_name_hash_step(__u32 index, void *context) {
	const struct snif_name_hasher *hasher = context;
	struct snif_name_hashing *at = hasher->at;

	(void)index;
	if (at->words * 8 >= at->length)
		return SNIF_STOP;
	at->tail = snif_name_word(hasher->name, at->length, at->words);
	if (at->length - at->words * 8 < 8)
		return SNIF_STOP;
	snif_hash_word(&at->hash, at->tail);
	at->tail = 0;
	at->words++;
	return SNIF_NEXT;
}

/* The hash of a normalised name in a buffer of SNIF_NAME_BUFFER. */
static __always_inline __u64 snif_name_hash_by(struct snif_name_hashing *at, const __u64 key[2], const __u8 *name,
					       __u16 length) {
	struct snif_name_hasher hasher = {.at = at, .name = name};

	*at = (struct snif_name_hashing){.length = length};
	snif_hash_start(&at->hash, key);
	snif_loop(SNIF_NAME_WORDS, snif_name_hash_step, &hasher);
	return snif_hash_value(&at->hash, at->tail, at->length);
}

#ifndef __bpf__
/* The hash under which the rules of a normalised name are kept. */
static inline __u64 snif_name_hash(const __u64 key[2], const char *name, size_t length) {
	__u8 buffer[SNIF_NAME_BUFFER] = {0};
	struct snif_name_hashing at;

	memcpy(buffer, name, length);
	return snif_name_hash_by(&at, key, buffer, (__u16)length);
}
#endif

#endif
