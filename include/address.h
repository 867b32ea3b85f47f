/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One form for all addresses: 16 bytes in network order, an IPv4 address as ::ffff:a.b.c.d. */
#ifndef SNIF_ADDRESS_H
#define SNIF_ADDRESS_H

#include "portable.h"

/* Whether `a` is an IPv4 address in v4-mapped form (RFC 4291, section 2.5.5.2). */
static __always_inline _Bool snif_is_ipv4(const __u8 a[16]) {
	__u32 words[3];

	snif_memcpy(words, a, 12);
	return words[0] == 0 && words[1] == 0 && a[8] == 0 && a[9] == 0 && a[10] == 0xff && a[11] == 0xff;
}

/* Writes `ipv4` (4 bytes, network order) in v4-mapped form. */
static __always_inline void snif_map_ipv4(__u8 out[16], const void *ipv4) {
	__builtin_memset(out, 0, 16);
	out[10] = out[11] = 0xff;
	snif_memcpy(out + 12, ipv4, 4);
}

/*
 * Whether the IPv4 address in the last four bytes means the same host everywhere: it is of none of the blocks for
 * special purposes that are not globally reachable (RFC 6890 and IANA's registry), nor of multicast.
 */
static __always_inline _Bool snif_is_global_ipv4(const __u8 a[16]) {
	__u32 ipv4 = (__u32)a[12] << 24 | (__u32)a[13] << 16 | (__u32)a[14] << 8 | a[15], block = ipv4 >> 8;

	switch (a[12]) {
	case 0:
	case 10:
	case 127:
		return 0;
	default:
		return a[12] < 224 &&		    /* 224.0.0.0/4 multicast, 240.0.0.0/4 reserved, broadcast */
		       ipv4 >> 22 != 0x191 &&	    /* 100.64.0.0/10: carriers' NAT */
		       ipv4 >> 16 != 0xa9fe &&	    /* 169.254.0.0/16: link-local */
		       ipv4 >> 20 != 0xac1 &&	    /* 172.16.0.0/12 */
		       ipv4 >> 16 != 0xc0a8 &&	    /* 192.168.0.0/16 */
		       block != 0xc00000 &&	    /* 192.0.0.0/24: protocol assignments */
		       ipv4 >> 17 != 0xc612 >> 1 && /* 198.18.0.0/15: benchmarks */
		       block != 0xc00002 && block != 0xc63364 && block != 0xcb0071; /* documentation */
	}
}

/*
 * An IPv6 address behind NAT64, in its well-known prefix (64:ff9b::/96, RFC 6052), is judged as the IPv4 address that
 * it reaches: makes it that one, and leaves others alone. False where that is not global, which the prefix may not be
 * used for (section 3.1): it would reach who sends packets on, or be sent away under a rule for this host or network.
 */
static __always_inline _Bool snif_fold_nat64(__u8 a[16]) {
	static const __u8 nat64[12] = {0, 0x64, 0xff, 0x9b};
	__u32 differs = 0;

	for (int i = 0; i < 12; i++)
		differs |= a[i] ^ nat64[i];
	if (differs)
		return 1;
	if (!snif_is_global_ipv4(a))
		return 0;
	a[1] = a[2] = a[3] = 0;
	a[10] = a[11] = 0xff;
	return 1;
}

#endif
