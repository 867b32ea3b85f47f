/* SPDX-License-Identifier: BSD-2-Clause */
/* Every frame on a device ──► the oracle. */
#ifndef SNIF_STORM_RECORDER_H
#define SNIF_STORM_RECORDER_H

#include "compile/compile.h"

/* Listens on the other namespace's device and on the loopback device here: from now on, frames wait to be looked at.
 * `compiled` has to stay until the end. */
void recorder_listen(int there, const struct compiled *compiled);
/* Looks at them, and at all that come. */
void recorder_start(void);

struct recorded {
	uint64_t frames; /* that came from here */
	uint64_t hellos; /* whole ones, to where names are checked */
	uint64_t missed; /* for which there was no room */
};

/* Stops, and tells what is found at the end. */
struct recorded recorder_stop(void);

#endif
