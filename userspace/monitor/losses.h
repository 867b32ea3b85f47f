/* SPDX-License-Identifier: BSD-2-Clause */
/* Events that were lost ──► a search for the sockets of which they would have told. */
#ifndef SNIF_LOSSES_H
#define SNIF_LOSSES_H

#include "event/abort_process.h"
#include "monitor/reader.h"

/* What was lost of each policy's events when it was last searched for. All zero to begin with: what was lost while nobody
 * read is searched for, too. */
struct losses {
	uint64_t events[INSTANCES][SNIF_POLICIES], requests;
};

/* To be called twice a second or so. */
void losses_turn(struct losses *losses, const struct reader *reader, struct abort_process *aborts);

#endif
