/* SPDX-License-Identifier: BSD-2-Clause */
/* What is learned: rules, and what becomes none. */
#ifndef SNIF_LEARNED_H
#define SNIF_LEARNED_H

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
	struct rule_list hosts, direct, lookups;
	struct left_list left_out;    /* it is no rule's business, or the policy denies it in so many words */
	struct left_list by_hand;     /* the policy has a rule for it, which would have to be changed */
	const struct sighting **seen; /* all of them */
	size_t seen_count;
};

void learned_rule_free(struct learned_rule *rule); /* what it owns */

/* Frees what it owns; all zero owns nothing. */
void learned_free(struct learned *learned);

#endif
