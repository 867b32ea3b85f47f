/* SPDX-License-Identifier: BSD-2-Clause */
/* Events ──► the summary at the end of a run. */
#ifndef SNIF_REPORT_H
#define SNIF_REPORT_H

#include <stdint.h>
#include <stdio.h>

#include "events.h"

struct report; /* counts by (verdict, name or address, reason) */

struct report *report_new(void); /* NULL: out of memory */
/* Counts one event. Beyond 10,000 different lines the rest is counted under one line "other". Returns 0 or -ENOMEM. */
int report_add(struct report *report, const struct snif_event *event);
/* Prints blocked first, most frequent first, then allowed, each `name or address:port  reason  count`, and how many
 * events were lost. At most 20 lines of each, then how many more. Names are escaped. */
void report_print(const struct report *report, uint64_t lost, FILE *out);
void report_free(struct report *report);

#endif
