/* SPDX-License-Identifier: BSD-2-Clause */
/* The rules that a policy lacks for what was seen. */
#ifndef SNIF_LEARN_RULES_H
#define SNIF_LEARN_RULES_H

#include "analysis/question.h"
#include "learn/sightings.h"

struct learned_rule {
	char *text;		     /* an item of a list in YAML, good in a block as well as in brackets; owned */
	const char *name;	     /* of a host rule that is nothing but a name; else NULL */
	const struct sighting *seen; /* of a wildcard: the first */
	struct place_list places;    /* of an address rule; owned */
	char *about; /* the names that a wildcard stands for, or what to look at; NULL: nothing; owned */
	struct usage usage;
};

struct rule_list {
	struct learned_rule *items;
	size_t count;
};

/* What was seen and is no rule: what it is, and why not. */
struct left_out {
	char *text; /* one line, printable ASCII but for the policy's file; owned */
	const struct usage *usage;
};

struct left_list {
	struct left_out *items;
	size_t count;
};

struct learned {
	struct rule_list hosts, direct;
	struct left_list left_out;    /* it is no rule's business, or the policy denies it in so many words */
	struct left_list by_hand;     /* the policy has a rule for it, which would have to be changed */
	const struct sighting **seen; /* all of them */
	size_t seen_count;
};

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

void learned_rule_free(struct learned_rule *rule); /* what it owns */

void learned_free(struct learned *learned);

#endif
