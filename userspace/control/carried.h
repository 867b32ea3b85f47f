/* SPDX-License-Identifier: BSD-2-Clause */
/* What lookups have found for `direct` rules that stay ──► the same under the policy that is to come. */
#ifndef SNIF_CARRIED_H
#define SNIF_CARRIED_H

#include "control/source.h"

/* Two entries of each name: its own, and that of the group which the next policy has for its rule. */
struct carried {
	struct filter_binding *items;
	size_t count;
};

/*
 * Reads what `policy` has found, and for which rules: that of the next policy for the same name is the same one, or one
 * of many names with the same text, by its number there under `generation`. Changes nothing. Returns 0 or a negative
 * errno; ends with carried_free() in any case.
 */
int carried_read(struct carried *carried, const char *instance, const struct filter *filter, uint32_t policy,
		 const struct source *next, uint32_t generation);

/* Whether that is among it. */
bool carried_has(const struct carried *carried, const struct snif_binding_key *key);

void carried_free(struct carried *carried);

/* Has what is open go on, and addresses that are known: before the next policy is in force, and once more behind it, for
 * what was found meanwhile. Returns 0 or a negative errno. */
int carry_over(const char *instance, const struct filter *filter, uint32_t policy, const struct source *next,
	       uint32_t generation);

#endif
