/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Server names: the check that a name is a hostname, and the keyed hash under which rules are found.
 *
 * A rule is found by the hash of its name: SipHash-2-4 (Aumasson, Bernstein, 2012) with a random key, over the bytes
 * from the last to the first. Reading from the right gives the hash of every suffix of a name in one pass, so that a
 * look-up costs one probe for each label, however many names the policy holds. Two names with one hash would be taken
 * for each other; the key is random for each load and never leaves the kernel's maps, so that finding such a name
 * means trying 2^64 / (number of rules) connections.
 */
#ifndef SNIF_NAME_H
#define SNIF_NAME_H

#include "portable.h"
#include "reason.h"

#define SNIF_NAME_MAX 253    /* RFC 1035, section 2.3.4: 255 on the wire are 253 written */
#define SNIF_LABEL_MAX 63    /* the same */
#define SNIF_NAME_READ 255   /* bytes of a server_name that are read; longer ones are refused unread */
#define SNIF_NAME_BUFFER 512 /* twice that: room for the largest offset plus the largest length, as verifiers add */

struct snif_name_scan {
	__u8 *name;
	__u32 length;
	__u32 label; /* where the label began */
	__u32 reason;
	_Bool numeric; /* the label so far is digits only: as the last one, that of an IPv4 address */
};

/* One byte of snif_name_normalise(). */
static inline long snif_name_scan_step(__u32 index, void *context) {
	struct snif_name_scan *scan = context;
	__u32 at = index & 0xff;
	__u8 c;

	if (index >= scan->length)
		return SNIF_STOP;
	c = scan->name[at];
	if (c == '.') {
		if (scan->label == index) {
			scan->reason = SNIF_REASON_NAME_INVALID;
			return SNIF_STOP;
		}
		scan->label = index + 1;
		scan->numeric = 1;
		return SNIF_NEXT;
	}
	if (c >= 'A' && c <= 'Z') {
		c += 'a' - 'A';
		scan->name[at] = c;
	}
	if (c < '0' || c > '9')
		scan->numeric = 0;
	if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_')) {
		scan->reason = c == ':' ? SNIF_REASON_NAME_IS_ADDRESS : SNIF_REASON_NAME_INVALID;
		return SNIF_STOP;
	}
	if (index - scan->label >= SNIF_LABEL_MAX) {
		scan->reason = SNIF_REASON_NAME_TOO_LONG;
		return SNIF_STOP;
	}
	return SNIF_NEXT;
}

/*
 * Makes `*length` bytes at `name` (a buffer of SNIF_NAME_BUFFER) the name that rules are compared with: lower case,
 * without one trailing dot. Accepts letters, digits, hyphens and underscores (not RFC 1123, but in use) in labels of 1
 * to 63 bytes, 253 in all. Refuses what a server may take for something else than a hostname: any other byte
 * (NAME_INVALID), an address (NAME_IS_ADDRESS: a colon, or a last label of digits), a name or label over its limit
 * (NAME_TOO_LONG). Returns SNIF_REASON_NONE when the name is good.
 */
static __always_inline enum snif_reason snif_name_normalise(__u8 *name, __u16 *length) {
	struct snif_name_scan scan = {.name = name, .length = *length, .numeric = 1};

	if (scan.length == 0)
		return SNIF_REASON_SNI_EMPTY;
	if (scan.length > SNIF_NAME_READ)
		return SNIF_REASON_NAME_TOO_LONG;
	if (name[(scan.length - 1) & 0xff] == '.')
		scan.length--;
	snif_loop(SNIF_NAME_READ, snif_name_scan_step, &scan);
	if (scan.reason != SNIF_REASON_NONE)
		return scan.reason;
	if (scan.label >= scan.length)
		return SNIF_REASON_NAME_INVALID;
	if (scan.length > SNIF_NAME_MAX)
		return SNIF_REASON_NAME_TOO_LONG;
	if (scan.numeric)
		return SNIF_REASON_NAME_IS_ADDRESS;
	*length = scan.length;
	return SNIF_REASON_NONE;
}

struct snif_hash {
	__u64 v0, v1, v2, v3;
	__u64 word; /* bytes not mixed in yet, the first one lowest */
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

static __always_inline void snif_hash_word(struct snif_hash *h, __u64 word) {
	h->v3 ^= word;
	snif_hash_round(h);
	snif_hash_round(h);
	h->v0 ^= word;
}

static __always_inline void snif_hash_start(struct snif_hash *h, const __u64 key[2]) {
	h->v0 = key[0] ^ 0x736f6d6570736575ULL;
	h->v1 = key[1] ^ 0x646f72616e646f6dULL;
	h->v2 = key[0] ^ 0x6c7967656e657261ULL;
	h->v3 = key[1] ^ 0x7465646279746573ULL;
	h->word = 0;
}

/* `position`: how many bytes came before. The caller counts, as the verifier knows more of a loop's own counter. */
static __always_inline void snif_hash_byte(struct snif_hash *h, __u8 byte, __u32 position) {
	h->word |= (__u64)byte << (position % 8 * 8);
	if (position % 8 == 7) {
		snif_hash_word(h, h->word);
		h->word = 0;
	}
}

/* The hash of the `length` bytes so far; more may follow. */
static __always_inline __u64 snif_hash_value(const struct snif_hash *so_far, __u32 length) {
	struct snif_hash h = *so_far;

	snif_hash_word(&h, h.word | (__u64)length << 56);
	h.v2 ^= 0xff;
	snif_hash_round(&h);
	snif_hash_round(&h);
	snif_hash_round(&h);
	snif_hash_round(&h);
	return h.v0 ^ h.v1 ^ h.v2 ^ h.v3;
}

#ifndef __bpf__
/* The hash under which the rules of a normalised name are kept. */
static inline __u64 snif_name_hash(const __u64 key[2], const char *name, size_t length) {
	struct snif_hash h;

	snif_hash_start(&h, key);
	for (size_t i = 0; i < length; i++)
		snif_hash_byte(&h, (__u8)name[length - 1 - i], i);
	return snif_hash_value(&h, length);
}
#endif

#endif
