/* SPDX-License-Identifier: BSD-2-Clause */
/* What is in the kernel, program by program and entry by entry, beside what should be. */
#ifndef SNIF_COMPARE_H
#define SNIF_COMPARE_H

#include "filter/filter.h"

/* Loads an instance to compare others with. NULL after saying why. */
struct filter *compare_load(void);

/*
 * Whether the instance's programs are those that this snifence loads (by the kernel's tag of their instructions), and use
 * the instance's maps and no others. `trusted` is of compare_load(). Returns NULL, or the name of the
 * first program that is something else.
 */
const char *compare_programs(const struct filter *filter, const struct filter *trusted);

struct difference {
	const char *table; /* `names`, `addresses` or `ports`; NULL: there is none */
	uint64_t missing, changed, added;
};

/*
 * Compares a slot's tables, entry by entry, with a policy that was compiled under the slot's own hash key. Returns 0 or a
 * negative errno; -ESTALE when the slot's settings are others.
 */
int compare_tables(const struct filter *filter, uint32_t slot, const struct compiled *compiled,
		   struct difference *difference);

#endif
