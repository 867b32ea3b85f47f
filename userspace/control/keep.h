/* SPDX-License-Identifier: BSD-2-Clause */
/* The processes of a cgroup ──► their open TCP connections, which go on under a policy that is being attached. */
#ifndef SNIF_KEEP_H
#define SNIF_KEEP_H

#include "filter/filter.h"

struct keep {
	struct filter *filter;
	uint32_t policy;
	int cgroup_fd;
	unsigned count; /* of connections that were kept */
};

/* For filter_attach_keeping(): takes each socket of the cgroup's processes (pidfd_getfd) and has it kept. Prints whose
 * connection to where that was. `context` is a struct keep. */
void keep_connections(void *context);

#endif
