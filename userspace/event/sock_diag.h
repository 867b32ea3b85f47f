/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's lists of sockets: asked, and that of TCP made shorter (sock_diag(7), <linux/inet_diag.h>). */
#ifndef SNIF_SOCK_DIAG_H
#define SNIF_SOCK_DIAG_H

#include <linux/inet_diag.h>

#include "abi.h"

/* A NETLINK_SOCK_DIAG socket, which acts in the network namespace in which it was made; or a negative errno. */
int sock_diag_open(void);

/*
 * Whether that list can be asked at all. Without it (the module tcp_diag) every socket is "not found", and nothing else
 * tells. Returns 0 or a negative errno, such as -EOPNOTSUPP.
 */
int sock_diag_try(int netlink);

/*
 * Ends the TCP socket with these addresses and this cookie (SOCK_DESTROY). It waits for the socket's lock, which who
 * uses the socket can hold for ever. Returns 0, -ENOENT when there is none, or another negative errno.
 */
int sock_diag_destroy(int netlink, __u8 family, const struct inet_diag_sockid *id);

/*
 * The id of the cgroup of the TCP or UDP socket with these addresses and this cookie (Linux 5.9). Waits for no socket.
 * Returns 0, -ENOENT when there is none, or another negative errno.
 */
int sock_diag_cgroup(int netlink, __u8 family, __u8 protocol, const struct inet_diag_sockid *id, __u64 *cgroup);

/* What sock_diag_list() calls for a socket that carries a tag. */
typedef void (*sock_diag_visitor)(void *context, const struct inet_diag_msg *socket, const struct snif_tag *tag);

/*
 * Lists the TCP sockets that are connected, or about to be, or closing, and carry a value in the SK_STORAGE map of tags
 * with this id. Waits for no socket. Returns 0 or a negative errno.
 */
int sock_diag_list(int netlink, __u32 tags_id, sock_diag_visitor visit, void *context);

#endif
