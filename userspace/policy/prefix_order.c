/* SPDX-License-Identifier: BSD-2-Clause */
/* Two prefixes ──► which comes first, which holds which. */
#include "policy/prefix_order.h"

#include <string.h>

const struct prefix prefix_ipv4 = {.address = {[10] = 0xff, [11] = 0xff}, .length = 96};

unsigned address_common_bits(const uint8_t a[16], const uint8_t b[16]) {
	for (unsigned i = 0; i < 16; i++) {
		unsigned differs = a[i] ^ b[i];

		if (differs)
			return 8 * i + (unsigned)__builtin_clz(differs) - (8 * sizeof(unsigned) - 8);
	}
	return 128;
}

bool prefix_contains(const struct prefix *outer, const struct prefix *inner) {
	return outer->length <= inner->length && address_common_bits(outer->address, inner->address) >= outer->length;
}

bool prefix_is_ipv4(const struct prefix *prefix) {
	return prefix_contains(&prefix_ipv4, prefix);
}

bool prefix_is_loopback(const struct prefix *prefix) {
	static const struct prefix ipv4 = {{[10] = 0xff, [11] = 0xff, [12] = 127}, 104}, ipv6 = {{[15] = 1}, 128};

	return prefix_contains(&ipv4, prefix) || prefix_contains(&ipv6, prefix);
}

int prefix_compare(const struct prefix *a, const struct prefix *b) {
	int order = prefix_is_ipv4(a) - prefix_is_ipv4(b);

	if (order == 0)
		order = memcmp(a->address, b->address, 16);
	return order ? order : a->length - b->length;
}
