/* SPDX-License-Identifier: BSD-2-Clause */
/* The type of a terminal ──► the bytes that bring back what it showed before a view. */
#ifndef SNIF_TOP_LEAVE_H
#define SNIF_TOP_LEAVE_H

#include <stdio.h>

/* What a view that was killed could not do any more: writes to `out` what makes the terminal `fd` show what it showed
 * before. Its modes (termios) are the caller's affair. */
void top_leave(int fd, FILE *out);

#endif
