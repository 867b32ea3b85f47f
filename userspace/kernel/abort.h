/* SPDX-License-Identifier: BSD-2-Clause */
/* A flow blocked on egress ──► its socket ends at once, instead of retransmitting for minutes. */
#ifndef SNIF_ABORT_H
#define SNIF_ABORT_H

#include "abi.h"

struct aborter; /* one NETLINK_SOCK_DIAG socket for each network namespace met so far */

/*
 * Whether the kernel can end a socket of another process: asks it to end one that there is not. Returns 0 or a negative
 * errno, such as -EOPNOTSUPP.
 */
int abort_possible(void);

/* `cgroup_fd` is the confined cgroup: its processes lead to the network namespaces that sockets live in.
 * Returns NULL with errno set when memory or descriptors run out. */
struct aborter *aborter_new(int cgroup_fd);

/*
 * Ends the TCP socket of a denied egress event (SOCK_DESTROY): the program reads ECONNABORTED, the peer gets a reset.
 * Finds the socket's network namespace by its cookie. Returns 0; -ENOENT when the socket is gone already or the event
 * names none (flow 0); another negative errno when it could not be ended (it stays blocked all the same).
 */
int abort_flow(struct aborter *aborter, const struct snif_event *event);
void aborter_free(struct aborter *aborter);

#endif
