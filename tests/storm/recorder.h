/* SPDX-License-Identifier: BSD-2-Clause */
/* Every frame on a device ──► the oracle. */
#ifndef SNIF_STORM_RECORDER_H
#define SNIF_STORM_RECORDER_H

#include "compile/compile.h"

/* Starts to listen on the other namespace's device; `compiled` has to stay until the end. */
void recorder_start(int there, const struct compiled *compiled);
/* Stops, and tells what is found at the end. Returns how many frames came from here; `missed`: that it had no room for. */
uint64_t recorder_stop(uint64_t *missed);

#endif
