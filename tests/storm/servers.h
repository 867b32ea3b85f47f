/* SPDX-License-Identifier: BSD-2-Clause */
/* Servers in the other namespace: for the storm's connections to become real ones, and to be answered. */
#ifndef SNIF_STORM_SERVERS_H
#define SNIF_STORM_SERVERS_H

#include <stdint.h>

/*
 * A thread that listens on all addresses of the other namespace, on the ports of storm_ports (TCP, MPTCP where the
 * kernel has it, and UDP), answers a little, closes at random, and from time to time connects and sends to here. It
 * keeps a bounded number of connections. Ends with servers_stop().
 */
void servers_start(int there, uint64_t seed);
void servers_stop(void);

#endif
