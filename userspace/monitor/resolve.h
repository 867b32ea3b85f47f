/* SPDX-License-Identifier: BSD-2-Clause */
/* The exact names of resident policies ──► looked up at the policies' servers, as often as their time to live says, and
 * bound to what is found (`dns.resolve: exact`). */
#ifndef SNIF_RESOLVE_H
#define SNIF_RESOLVE_H

#include "monitor/reader.h"

/* Of one policy, those that are looked up. */
enum { RESOLVE_NAMES = 1000 };

struct resolve;

/* `reader` has the instances open. NULL with errno set. */
struct resolve *resolve_new(const struct reader *reader);

/* Looks for policies that have come or have changed, and asks for what is due. To be called now and then. */
void resolve_turn(struct resolve *resolve);
/* Reads what has been answered, and asks anew where nothing was. */
void resolve_hear(struct resolve *resolve);

/* A descriptor to poll, for resolve_hear(). */
int resolve_fd(const struct resolve *resolve);

void resolve_free(struct resolve *resolve); /* NULL is allowed */

#endif
