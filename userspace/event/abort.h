/* SPDX-License-Identifier: BSD-2-Clause */
/* A flow refused on egress ──► its socket ends at once, instead of retransmitting for minutes. */
#ifndef SNIF_ABORT_H
#define SNIF_ABORT_H

#include <stdbool.h>

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
 * Finds the socket's network namespace by its cookie; a look at all processes for it is taken once a second at most.
 * Waits for the socket's lock, which its owner can keep for ever: abort_process.h does not. Returns 0; -ENOENT when the
 * socket is gone already or the event names none (flow 0); another negative errno when it could not be ended (it stays
 * refused all the same).
 */
int abort_flow(struct aborter *aborter, const struct snif_event *event);

enum abort_which {
	ABORT_REFUSED,	   /* sockets whose tag says so */
	ABORT_ORPHANS_TOO, /* and what no process has any more, unless it may still have something to send */
};

/*
 * Ends all refused TCP sockets in the network namespaces that are known, or that a process of the cgroup is in: also
 * those of which no event tells. `tags_id` is the id of the filter's map of tags, `policy` the number of the policy
 * there, as others share the map. Returns how many it has ended, or a negative errno when it could not look everywhere.
 */
int abort_refused(struct aborter *aborter, __u32 tags_id, __u32 policy, enum abort_which which);

/* Told before a socket is ended, which can last for ever, and after it: false leaves it alone, and abort_flow() returns
 * -EBUSY. Either may be NULL. */
struct abort_watch {
	bool (*begin)(void *context, __u64 flow);
	void (*end)(void *context);
	void *context;
};
void abort_watch(struct aborter *aborter, const struct abort_watch *watch);

void aborter_free(struct aborter *aborter);

#endif
