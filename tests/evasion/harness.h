/* SPDX-License-Identifier: BSD-2-Clause */
/* What the harness's own files know of each other. Cases need evasion.h only. */
#ifndef SNIF_EVASION_HARNESS_H
#define SNIF_EVASION_HARNESS_H

#include "evasion.h"

/* The first and the last line of each case; a case that does not come to the latter costs a fresh load. */
void harness_begin(const char *policy);
void harness_end(void);
/* Takes everything down. */
void harness_leave(void);

/* Of the case at hand: connections tried, and why it was skipped, or NULL. */
size_t harness_connections(void);
const char *harness_skipped(void);

/* Ends the flow of a refusal as snifence does: 0 or a negative errno. */
int harness_abort(const struct snif_event *event);

/* trial.c: how many ClientHellos a judge has seen so far. */
size_t harness_seen_by(size_t judge);

#endif
