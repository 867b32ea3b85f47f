/* SPDX-License-Identifier: BSD-2-Clause */
/* A connected socket ──► the cgroup that it belongs to, whoever holds it. */
#ifndef SNIF_SOCK_CGROUP_H
#define SNIF_SOCK_CGROUP_H

#include <sys/types.h>

#include <linux/types.h>

/* All zero has asked for none yet. What it holds ends with the process. */
struct sock_cgroup {
	ino_t namespace;
	int netlink;
};

/*
 * Writes the id of the cgroup of a TCP connection or a connected UDP socket: that of who made it. Moves this process
 * into the socket's network namespace, and can wait for the socket's lock. Returns 0 or a negative errno; -ENOENT also
 * where the kernel lacks the list of such sockets (the modules tcp_diag and udp_diag).
 */
int sock_cgroup_ask(struct sock_cgroup *asking, int socket, __u64 *cgroup);

#endif
