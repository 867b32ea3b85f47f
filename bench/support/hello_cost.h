/* SPDX-License-Identifier: BSD-2-Clause */
/* New connections ──► what the packets of their ClientHello cost, and what the one that completes it. */
#ifndef SNIF_BENCH_HELLO_COST_H
#define SNIF_BENCH_HELLO_COST_H

#include "../../tests/support/hello_maker.h"
#include "place.h"

/* Ten names, five of them wildcards; HELLO_ALLOWED is one of those below the last wildcard. */
#define HELLO_POLICY_WITH(dns)                                                                                         \
	"version: 1\n"                                                                                                 \
	"dns: " dns "\n"                                                                                               \
	"tls:\n"                                                                                                       \
	"  to: [203.0.113.0/24, '2001:db8::/32']\n"                                                                    \
	"  unusual: [split_records]\n"                                                                                 \
	"  allow: [a.bench.test, b.bench.test, c.bench.test, d.bench.test, e.bench.test, '*.f.bench.test',\n"          \
	"          '*.g.bench.test', '*.h.bench.test', '*.i.bench.test', '*.j.bench.test']\n"                          \
	"direct: {allow: [{to: 203.0.113.102, ports: [5000, 8080]}]}\n"
#define HELLO_POLICY HELLO_POLICY_WITH("{servers: none}")
#define HELLO_ALLOWED "www.j.bench.test"
#define HELLO_FORBIDDEN "www.k.bench.test"
/* A record of application data: behind it no second hello can follow, and the connection has its verdict for good. */
#define HELLO_SETTLES "\x17\3\3\0\1"

/* How a hello is sent: how long it is as a stream, in how many records, in how many TCP segments. */
struct hello_shape {
	size_t size;
	unsigned records; /* 0: one */
	unsigned halves;  /* 1: two segments of the same size */
	unsigned bytes;	  /* so many segments of one byte, then the rest */
	const char *name;
	/* where it is another name for each connection: the name for connection `number`, of `count`; valid until the
	 * next call */
	const char *(*draw)(unsigned count, unsigned number);
	unsigned count;
};

/* A hello of `size` bytes in `records` records (0: one). Valid until the next call. */
const struct bytes *hello_of(size_t size, unsigned records, const char *name);

/* Sends an allowed hello and then HELLO_SETTLES. */
void hello_settle(const struct pair *pair);

/*
 * Sends a hello on each of many new connections, in each place by turns; a place's argument is its hello_shape. Prints
 * the median cost of the completing packet by the kernel's statistics under the place's metric; of the first place, where
 * there are more packets, that of all of them as "all", too.
 */
void hello_cost_cold(struct place *places, size_t count);
/*
 * The same packet by BPF_PROG_TEST_RUN, warm: see replay_completing(), also for `suffix`. Fails unless the verdict is what
 * it should be.
 */
void hello_cost_warm(const struct confinement *confinement, const struct cell *cell, const struct hello_shape *shape,
		     bool allowed, const char *suffix);

#endif
