/* SPDX-License-Identifier: BSD-2-Clause */
/* A great many open connections at once, and the kernel's memory meanwhile. */
#ifndef SNIF_BENCH_CROWD_H
#define SNIF_BENCH_CROWD_H

#include "cell.h"

/* A policy under which they are allowed. */
#define CROWD_POLICY                                                                                                   \
	"version: 1\n"                                                                                                 \
	"dns: {servers: none}\n"                                                                                       \
	"tls: {to: [127.0.0.0/8], allow: [www.j.bench.test]}\n"

/* Makes the namespace and a server in it, which never accepts: its ends of the connections wait in the kernel. */
void crowd_network(void);
/* Opens `count` connections in the cell (NULL: in none), each with an allowed hello behind it, returns
 * memory_of_kernel() with all of them open, and closes them. */
size_t crowd_memory(const struct cell *cell, unsigned count);

#endif
