/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a storm sends to, and what. */
#ifndef SNIF_STORM_TARGETS_H
#define SNIF_STORM_TARGETS_H

#include <sys/socket.h>

#include "random.h"

/*
 * Draws a destination: allowed, inspected, denied, not covered, special; of either family, IPv4 also v4-mapped and
 * behind NAT64. Returns the length of the socket address.
 */
socklen_t target_draw(struct random *random, struct sockaddr_storage *out);

/* Draws one where names are checked. */
socklen_t target_inspected(struct random *random, struct sockaddr_storage *out);

/* Draws an address of here, or somebody else's, to bind to. */
socklen_t target_source(struct random *random, struct sockaddr_storage *out);

/* Makes the payloads of a round, which then stay as they are for all threads. */
void payloads_make(uint64_t seed);

struct payload {
	const uint8_t *bytes;
	size_t length;
};

/* Draws a hello, whole. */
struct payload payload_hello(struct random *random);

/* Draws any: a hello of an allowed name or of another, whole or a part of it; noise, short and long. */
struct payload payload_draw(struct random *random);

#endif
