/* SPDX-License-Identifier: BSD-2-Clause */
/* Which prefix comes first, which holds which. */
#ifndef SNIF_PREFIX_ORDER_H
#define SNIF_PREFIX_ORDER_H

#include "policy/policy.h"

/* The IPv4 world inside the addresses of 16 bytes: ::ffff:0:0/96. */
extern const struct prefix prefix_ipv4;

/* How many leading bits of two addresses are equal: 0 to 128. */
unsigned address_common_bits(const uint8_t a[16], const uint8_t b[16]);

/* Whether every address in `inner` is in `outer`, as 128-bit numbers: ::/0 holds ::ffff:0:0/96 here. */
bool prefix_contains(const struct prefix *outer, const struct prefix *inner);

/* Whether the prefix is one of IPv4 addresses. One that is wider than ::ffff:0:0/96 is of IPv6: it says nothing of
 * IPv4. */
bool prefix_is_ipv4(const struct prefix *prefix);

/* Whether the prefix is in 127.0.0.0/8 or is ::1. */
bool prefix_is_loopback(const struct prefix *prefix);

/* By family (IPv6 first), then address, then length, so that what contains comes before what it contains. */
int prefix_compare(const struct prefix *a, const struct prefix *b);

#endif
