/* SPDX-License-Identifier: BSD-2-Clause */
/* What a reader of learned rules should look at first. */
#ifndef SNIF_LEARN_MARKS_H
#define SNIF_LEARN_MARKS_H

#include "learn/learned.h"

/*
 * Writes into `about` of the rules, where it is not taken: that an address rule lets traffic through uninspected, and
 * what more is known of it; of a name, that it looks like another one, which the policy allows or which was used as
 * often at least. Returns 0 or -ENOMEM.
 */
int learn_marks(struct learned *learned, const struct policy *policy);

/* How many rules let traffic out of the machine uninspected. */
size_t learn_uninspected(const struct learned *learned);

#endif
