/* SPDX-License-Identifier: BSD-2-Clause */
/* What waits and deadlines are counted by. */
#ifndef SNIF_CLOCK_H
#define SNIF_CLOCK_H

#include <stdint.h>

/* Milliseconds of CLOCK_MONOTONIC: they mean something only as a difference. */
long clock_ms(void);

/* Nanoseconds of CLOCK_BOOTTIME, which goes on while the machine sleeps: by it the kernel's side forgets names. */
uint64_t clock_boot_ns(void);

#endif
