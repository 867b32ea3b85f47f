/* SPDX-License-Identifier: BSD-2-Clause */
/* Many learned names with one parent, folded into a wildcard. */
#ifndef SNIF_LEARN_WILDCARDS_H
#define SNIF_LEARN_WILDCARDS_H

#include "learn/learn_rules.h"

/*
 * Replaces rules that are nothing but a name by `*.parent` where at least `threshold` of them have that parent, which
 * has to be a registrable domain or below one, and neither be nor cover a public suffix, nor have such a rule in
 * `policy`. The wildcard takes the place of the first. Returns 0 or -ENOMEM.
 */
int learn_wildcards(struct rule_list *hosts, const struct policy *policy, unsigned threshold);

#endif
