/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What may arrive under a policy. Of a confined command: what the policy's address rules allow, to inspected places what
 * flows.h allows, and answers to visitors where the policy lets them in. Of the kernel itself: resets without payload,
 * ICMP errors about what was sent to here, and what an interface says to its neighbours, each to the field. Nothing else.
 */
#ifndef SNIF_STORM_ORACLE_H
#define SNIF_STORM_ORACLE_H

#include "compile/tables.h"
#include "wire.h"

/* Takes a frame that came from here, and tells findings. `compiled` stays the caller's. */
void oracle_arrived(const struct compiled *compiled, const uint8_t *frame, size_t length);
/* Takes one on the loopback device here: by the policy's rules alone, as there are no others than the command. */
void oracle_local(const struct compiled *compiled, const uint8_t *frame, size_t length);
/* Takes one that was sent to here: what an ICMP error may quote, and who comes from outside. */
void oracle_sent(const uint8_t *frame, size_t length);

#endif
