/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The name of a reverse lookup (4.3.2.1.in-addr.arpa) ──► the address. */
#ifndef SNIF_REVERSE_H
#define SNIF_REVERSE_H

#include "address.h"
#include "portable.h"

#define SNIF_REVERSE_IPV4 ".in-addr.arpa" /* RFC 1035, section 3.5 */
#define SNIF_REVERSE_IPV6 ".ip6.arpa"	  /* RFC 3596, section 2.5 */
#define SNIF_REVERSE_LONGEST 64		  /* bytes before that: a digit and a dot for each half of an IPv6 byte */

/* How far a name is read. In a map, as struct snif_name_scan. */
struct snif_reverse {
	__u32 length, at; /* bytes before the suffix; those that are read */
	__u32 labels;	  /* that have ended */
	__u32 digits, number;
	__u8 ipv4, bad;
	__u8 address[16];
};

struct snif_reverse_reader {
	struct snif_reverse *reverse;
	const __u8 *name; /* in 256 bytes, in lower case */
};

/* A value over 15 is none. */
static __always_inline __u32 snif_reverse_digit(__u32 byte) {
	if (byte - '0' < 10U)
		return byte - '0';
	return byte - 'a' < 6U ? byte - 'a' + 10 : 16;
}

static __always_inline void snif_reverse_label(struct snif_reverse *reverse) {
	__u32 label = reverse->labels++;

	if (reverse->digits == 0 || label >= (reverse->ipv4 ? 4U : 32U) ||
	    reverse->number > (reverse->ipv4 ? 255U : 15U))
		reverse->bad = 1;
	else if (reverse->ipv4)
		reverse->address[(15 - label) & 15] = reverse->number;
	else
		reverse->address[(15 - label / 2) & 15] |= reverse->number << 4 * (label & 1);
	reverse->digits = reverse->number = 0;
}

/* A byte of the name; what stands behind the last is the dot of the suffix. */
static inline long snif_reverse_step(__u32 index, void *context) {
	const struct snif_reverse_reader *reader = context;
	struct snif_reverse *reverse = reader->reverse;
	__u32 byte = reader->name[reverse->at & 0xff], digit = snif_reverse_digit(byte);

	(void)index;
	if (reverse->at > reverse->length)
		return SNIF_STOP;
	if (byte == '.') {
		snif_reverse_label(reverse);
	} else {
		/* one way to write a number */
		if (digit > (reverse->ipv4 ? 9U : 15U) || reverse->digits >= (reverse->ipv4 ? 3U : 1U) ||
		    (reverse->digits > 0 && reverse->number == 0))
			reverse->bad = 1;
		reverse->number = reverse->number * 10 + digit;
		reverse->digits++;
	}
	reverse->at++;
	return reverse->bad ? SNIF_STOP : SNIF_NEXT;
}

static __always_inline _Bool snif_ends_with(const __u8 *name, __u32 length, const char *suffix, const __u32 size) {
	_Bool same = length > size;

	for (__u32 i = 0; i < size; i++)
		same &= name[(length - size + i) & 0xff] == (__u8)suffix[i];
	return same;
}

/* Reads the name, which is normalised, into reverse->address (v4-mapped). Returns whether it is that of one address. */
static __always_inline _Bool snif_reverse_read(struct snif_reverse *reverse, const __u8 *name, __u32 length) {
	struct snif_reverse_reader reader = {.reverse = reverse, .name = name};

	__builtin_memset(reverse, 0, sizeof(*reverse));
	if (snif_ends_with(name, length, SNIF_REVERSE_IPV4, sizeof(SNIF_REVERSE_IPV4) - 1)) {
		reverse->ipv4 = 1;
		reverse->length = length - (sizeof(SNIF_REVERSE_IPV4) - 1);
		reverse->address[10] = reverse->address[11] = 0xff;
	} else if (snif_ends_with(name, length, SNIF_REVERSE_IPV6, sizeof(SNIF_REVERSE_IPV6) - 1)) {
		reverse->length = length - (sizeof(SNIF_REVERSE_IPV6) - 1);
	}
	if (reverse->length == 0 || reverse->length > SNIF_REVERSE_LONGEST)
		return 0;
	snif_loop(SNIF_REVERSE_LONGEST + 1, snif_reverse_step, &reader);
	return !reverse->bad && reverse->labels == (reverse->ipv4 ? 4U : 32U) &&
	       (reverse->ipv4 || !snif_is_ipv4(reverse->address));
}

#endif
