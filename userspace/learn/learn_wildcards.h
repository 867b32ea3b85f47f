/* SPDX-License-Identifier: BSD-2-Clause */
/* Many learned names with one parent, folded into a wildcard. */
#ifndef SNIF_LEARN_WILDCARDS_H
#define SNIF_LEARN_WILDCARDS_H

#include "learn/learned.h"

/*
 * Replaces rules that are nothing but a name by `*.domain` where at least `threshold` (2 or more) of them are right below
 * that domain. It has to be a registrable domain or below one, neither be nor cover a public suffix, and have no such
 * rule in `policy`; and all names below it, near and far, have to be of its owner. `hosts` are in the order of
 * sightings_sorted(), names of one domain neighbours. The wildcard takes the place of the first. Returns 0 or -ENOMEM.
 */
int learn_wildcards(struct rule_list *hosts, const struct policy *policy, unsigned threshold);

#endif
