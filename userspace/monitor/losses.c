/* SPDX-License-Identifier: BSD-2-Clause */
/* Counters of lost events ──► sockets that are refused all the same, and end. */
#include "monitor/losses.h"

/* In audit mode a tag holds nothing back. */
static bool is_enforced(const struct filter *filter, uint32_t policy) {
	struct snif_active active = filter_active(filter, policy);

	return active.slot != 0 && filter_settings(filter, active.slot)->options.mode == SNIF_ENFORCE;
}

static void look_at(struct losses *losses, unsigned instance, const struct filter *filter, struct abort_process *aborts,
		    bool all) {
	for (uint32_t policy = 1; policy < SNIF_POLICIES; policy++) {
		uint64_t *before = &losses->events[instance][policy], now;

		if (!is_enforced(filter, policy))
			continue;
		now = filter_counter(filter, policy, SNIF_COUNTER_LOST);
		if (now != *before || all)
			abort_process_search(aborts, filter_tags_id(filter), policy);
		*before = now;
	}
}

void losses_turn(struct losses *losses, const struct reader *reader, struct abort_process *aborts) {
	uint64_t requests = abort_process_requests_lost(aborts);
	const struct filter *filter;

	for (unsigned i = 0; i < INSTANCES; i++)
		if ((filter = reader_filter(reader, i)))
			look_at(losses, i, filter, aborts, requests != losses->requests);
	losses->requests = requests;
}
