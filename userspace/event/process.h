/* SPDX-License-Identifier: BSD-2-Clause */
/* A process ──► whether it is about to end. */
#ifndef SNIF_PROCESS_H
#define SNIF_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

/* Whether each of its threads has ended or been killed, so that all it waits for is the kernel: a page or a disk that
 * does not answer can keep it for ever. */
bool process_is_dying(pid_t pid);

#endif
