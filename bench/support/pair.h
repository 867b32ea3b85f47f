/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections over veth between two network namespaces, both ends in one process: nothing happens by itself. */
#ifndef SNIF_BENCH_PAIR_H
#define SNIF_BENCH_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cell.h"

/* The server's addresses, and ports for the policies to name: one inspected, one allowed without inspection. */
#define PAIR_IPV4 "203.0.113.102"
#define PAIR_IPV6 "2001:db8:1::2"
enum { PAIR_TLS = 443, PAIR_DIRECT = 8080, PAIR_UDP = 5000, PAIR_DNS = 53 };

struct pair {
	int client; /* blocking, without delay (TCP_NODELAY) */
	int server; /* non-blocking */
};

/* Makes the two namespaces. The first call of a case. */
void pair_network(void);
/* Connects, the client's socket belonging to `cell` (NULL: to none). PAIR_UDP and PAIR_DNS are of UDP, all other ports
 * of TCP. */
struct pair pair_open(const struct cell *cell, bool ipv6, uint16_t port);
/* Ends it at once, without a farewell. */
void pair_close(struct pair *pair);
/* The client sends. Ends the round when it cannot. */
void pair_send(const struct pair *pair, const void *bytes, size_t length);
/* The server reads what has come, until nothing of what was sent is on its way. */
void pair_drain(const struct pair *pair);
/* The server sends and the client reads; each segment is acknowledged at once. */
void pair_send_back(const struct pair *pair, const void *bytes, size_t length);

#endif
