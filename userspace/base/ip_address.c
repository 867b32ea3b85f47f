/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/ip_address.h"

#include <arpa/inet.h>

#include "address.h"

bool ip_address_read(const char *text, uint8_t out[16]) {
	struct in_addr ipv4;

	if (inet_pton(AF_INET, text, &ipv4) != 1)
		return inet_pton(AF_INET6, text, out) == 1;
	snif_map_ipv4(out, &ipv4);
	return true;
}
