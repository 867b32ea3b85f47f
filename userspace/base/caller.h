/* SPDX-License-Identifier: BSD-2-Clause */
/* Who called sudo. */
#ifndef SNIF_CALLER_H
#define SNIF_CALLER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* SUDO_UID and SUDO_GID. Returns 0; -ENOENT when neither is set; -EINVAL when they do not both hold a number. */
int caller_ids(uid_t *uid, gid_t *gid);

/* The home of who called sudo, else HOME; NULL: not known. Static text, until the next call. */
const char *caller_home(void);

/* The variable as it was when sudo was called, by /proc; NULL: sudo is not among the processes above, or it was not set.
 * To be freed. */
char *caller_variable(const char *name);

/* Reads a decimal id up to `end`; -1, in any of its widths, is no id. */
bool caller_parse_id(const char *text, const char *end, uint32_t *id);

#endif
