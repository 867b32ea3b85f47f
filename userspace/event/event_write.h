/* SPDX-License-Identifier: BSD-2-Clause */
/* An event ──► a line of JSON. */
#ifndef SNIF_EVENT_WRITE_H
#define SNIF_EVENT_WRITE_H

#include <stdbool.h>

#include "abi.h"
#include "event/log_writer.h"
#include "policy/policy.h"

/* What turns an event's numbers into words. All pointers are borrowed. */
struct event_context {
	const struct policy *policy;
	const char *policy_sha256;
	const char *cgroup_path; /* as under the cgroup2 mount, like /snifence-1234; NULL: no cgroup (a capture) */
	bool wall_clock;	 /* the events' time is CLOCK_REALTIME already (a capture), not CLOCK_MONOTONIC */
};

/*
 * Writes one event as one line of JSON, as EVENTS.md describes it; what is not known is left out. `event` is taken as
 * untrusted. Returns 0 or a negative errno, as log_end().
 */
int event_write(struct log *log, const struct snif_event *event, const struct event_context *context);

#endif
