/* SPDX-License-Identifier: BSD-2-Clause */
/* The processes of a cgroup ──► their open connections, of which some go on under a policy that is being attached. */
#ifndef SNIF_KEEP_H
#define SNIF_KEEP_H

#include "control/visit.h"
#include "event/sock_cgroup.h"
#include "filter/filter.h"
#include "filter/other.h"

/* What becomes of what is open. Where it is all cut, this is all zero. */
struct existing {
	bool keep;		     /* at least some of it */
	const struct compiled *only; /* what its address rules allow is kept, all else told of as cut */
	const struct other *before;  /* what this one allows is kept, without a word */
};

struct keep {
	struct filter *filter;
	uint32_t policy;
	const struct existing *existing;
	struct visits visits; /* with the cgroup and the lock of the instances; the rest is keep_begin()'s */
	unsigned calls;
	/* of the process that looks */
	struct sock_cgroup asking;
	struct ids cgroups; /* the cgroup and those below */
};

void keep_begin(struct keep *keep);
void keep_end(struct keep *keep);

/* For filter_attach_keeping(): takes each TCP connection and connected UDP socket of the cgroup's processes
 * (pidfd_getfd) that is the cgroup's, too, and has it kept or not. One that another cgroup has handed to them is that
 * one's to judge. Prints whose connection to where that was. `context` is a struct keep. */
void keep_connections(void *context);

#endif
