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

/* An IPv6 address behind NAT64 (64:ff9b::/96, RFC 6052) is judged as the IPv4 address that it reaches. */
static __always_inline void snif_fold_nat64(__u8 a[16]) {
	static const __u8 nat64[12] = {0, 0x64, 0xff, 0x9b};
	__u32 differs = 0;

	for (int i = 0; i < 12; i++)
		differs |= a[i] ^ nat64[i];
	if (differs)
		return;
	a[1] = a[2] = a[3] = 0;
	a[10] = a[11] = 0xff;
}

#endif
