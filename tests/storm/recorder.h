/* SPDX-License-Identifier: BSD-2-Clause */
/* Every frame on a device ──► the oracle. */
#ifndef SNIF_STORM_RECORDER_H
#define SNIF_STORM_RECORDER_H

#include "compile/compile.h"

/* Starts to listen on the other namespace's device and on the loopback device here; `compiled` has to stay until the end. */
void recorder_start(int there, const struct compiled *compiled);
struct recorded {
	uint64_t frames; /* that came from here */
	uint64_t hellos; /* whole ones, to where names are checked */
	uint64_t missed; /* for which there was no room */
};

/* Stops, and tells what is found at the end. */
struct recorded recorder_stop(void);

#endif
