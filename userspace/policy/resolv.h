/* SPDX-License-Identifier: BSD-2-Clause */
/* The system's DNS servers. */
#ifndef SNIF_RESOLV_H
#define SNIF_RESOLV_H

#include "policy/policy.h"

#define RESOLV_CONF "/etc/resolv.conf"

/*
 * Adds the addresses of the `nameserver` lines of `path` (resolv.conf(5)) to `servers`, without scope ids; lines that
 * hold no address are passed over. As in glibc, a file that is missing or names none means 127.0.0.1. Returns the
 * number of servers that the file names (0: the default was added), or a negative errno when there is a file that cannot
 * be read.
 */
int resolv_conf_read(const char *path, struct prefix_list *servers);

/* Whether the file names this address (v4-mapped) as a server now. */
bool resolv_conf_has(const char *path, const uint8_t address[16]);

/* Calls `each` for every domain of the last `search` or `domain` line of `path`, in order; not at all when there is
 * none. */
void resolv_conf_search(const char *path, void (*each)(void *context, const char *domain), void *context);

#endif
