/* SPDX-License-Identifier: BSD-2-Clause */
/* The lines of events that a test makes ──► build/events, where tests/events holds them against the schema. */
#ifndef SNIF_LINES_KEPT_H
#define SNIF_LINES_KEPT_H

#include <stdio.h>

/* The file of this test's process, unbuffered and empty at first: lines of events are written there. */
FILE *lines_kept(void);

#endif
