/* SPDX-License-Identifier: BSD-2-Clause */
/* `snifence verify`, in a process of its own ──► how many findings there are of each kind. */
#ifndef SNIF_VERIFICATION_H
#define SNIF_VERIFICATION_H

#include <poll.h>
#include <stdint.h>

#include "monitor/reader.h"
#include "verify/findings.h"

struct verified {
	uint64_t at; /* seconds since 1970: when all was looked at the last time; 0: that has not been yet */
	uint64_t counts[FINDING_KIND_COUNT];
};

struct verification;

/* NULL with errno set. */
struct verification *verification_new(void);

/* What the last one has found. */
const struct verified *verification_result(const struct verification *verification);

/* Begins a verification: at first, when a policy has come or was reloaded, and every few minutes; and hears one that is
 * running. It waits for nothing. `reader` has the instances open. To be called now and then, and when the descriptor of
 * verification_wait() is ready. */
void verification_turn(struct verification *verification, const struct reader *reader);

/* A descriptor to poll; -1: none is running. */
void verification_wait(const struct verification *verification, struct pollfd *fd);

/* Ends the one that is running, which has the instances locked, and has it begin anew later. The next one it leaves: else
 * none would come to its end where files change all the time, as beside the policies of a cluster's node. */
void verification_give_way(struct verification *verification);

void verification_free(struct verification *verification); /* NULL is allowed */

#endif
