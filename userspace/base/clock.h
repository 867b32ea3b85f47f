/* SPDX-License-Identifier: BSD-2-Clause */
/* What waits and deadlines are counted by. */
#ifndef SNIF_CLOCK_H
#define SNIF_CLOCK_H

/* Milliseconds of CLOCK_MONOTONIC: they mean something only as a difference. */
long clock_ms(void);

#endif
