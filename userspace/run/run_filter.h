/* SPDX-License-Identifier: BSD-2-Clause */
/* The filter of a run: the resident instance, where there is one, or an instance of its own. */
#ifndef SNIF_RUN_FILTER_H
#define SNIF_RUN_FILTER_H

#include <stdint.h>

#include "base/signals.h"
#include "cgroup/cgroup.h"
#include "filter/instance.h"

/* All zero holds nothing. */
struct run_filter {
	struct filter *filter;
	uint32_t policy, ring; /* numbers in that instance, which nobody else uses */
	/* of a resident one */
	struct instances instances; /* held until the policy is in force */
	bool resident, holding;
	unsigned number; /* of the instance */
	int ring_lock;	 /* which says that the ring is in use */
};

/*
 * Opens what is resident, for the cgroup; or begins to load an instance, for a policy with rules for lookups or without
 * (policy_reads_dns()), which goes on while the caller does something else. Another command may hold what is resident:
 * this says so, and waits for a while. Returns 0; 128 + n: signal n came meanwhile; or a negative errno, after saying
 * why; -ETIMEDOUT: it has waited in vain. Ends with run_filter_end().
 */
int run_filter_begin(struct run_filter *run, const struct cgroup *cgroup, bool reads_dns,
		     const struct signals *signals);

/* Puts the policy in force and attaches the cgroup. Returns 0 or a negative errno, after saying why. */
int run_filter_attach(struct run_filter *run, int cgroup_fd, uint64_t cgroup_id, const struct compiled *compiled);

/* After the cgroup has been removed: what a resident instance has for this run is free for the next. */
void run_filter_end(struct run_filter *run);

#endif
