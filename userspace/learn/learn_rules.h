/* SPDX-License-Identifier: BSD-2-Clause */
/* The rules that a policy lacks for what was seen. */
#ifndef SNIF_LEARN_RULES_H
#define SNIF_LEARN_RULES_H

#include "analysis/question.h"
#include "learn/learned.h"

/*
 * Compares what was seen with what `policy`, compiled as `compiled`, allows. Names get a rule of their own, or where at
 * least `wildcards` (0: never) new ones have one parent, which is a registrable domain or below one, that parent gets a
 * wildcard. Addresses get a rule for each protocol, unless names are checked there. Returns 0 or -ENOMEM; the result,
 * to be freed in either case, points into `sightings`.
 */
int learn_rules(const struct sightings *sightings, const struct policy *policy, const struct compiled *compiled,
		unsigned wildcards, struct learned *learned);

enum { LEARNED_TEXT = 384 };

/* Whether the policy, which has the learned rules by now, allows all that was seen and not left out. The first that it
 * does not is in `text`. */
bool learned_allowed(const struct learned *learned, const struct policy *policy, const struct compiled *compiled,
		     char text[LEARNED_TEXT]);

#endif
