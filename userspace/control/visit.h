/* SPDX-License-Identifier: BSD-2-Clause */
/* The sockets of a cgroup ──► a process that looks at each, and may be stuck at one ──► what it says of them. */
#ifndef SNIF_VISIT_H
#define SNIF_VISIT_H

#include <stddef.h>
#include <sys/types.h>

#include "abi.h"

/* Numbers that the kernel gives: of sockets (their cookies), or of cgroups. */
struct ids {
	__u64 *items;
	size_t count;
};

struct visits {
	int cgroup_fd;
	int lock_fd; /* the process closes it, or what it locks would be so for as long as it is stuck */
	/* In the process: what is to be said of a socket, a positive number, and where it is connected to; 0: nothing. */
	int (*look)(void *context, int socket, struct snif_target *to);
	/* Here. */
	void (*tell)(void *context, int what, pid_t pid, const struct snif_target *to);
	void *context;
	struct ids stuck; /* of sockets that are passed over from there on */
	int told;	  /* what the last visit said went wrong */
};

/*
 * Has each socket of the cgroup's processes looked at. Whoever uses a socket can hold its lock for ever, and who asks for
 * it then waits, deaf to SIGKILL: so that is a process of its own, which holds nothing that others wait for and is left
 * behind. Says whose sockets were passed over, or that time was too short. To be called again with the same visits, and
 * then ended.
 */
void visit_sockets(struct visits *visits);
void visits_end(struct visits *visits);

#endif
