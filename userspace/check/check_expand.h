/* SPDX-License-Identifier: BSD-2-Clause */
/* What a policy expands to. */
#ifndef SNIF_CHECK_EXPAND_H
#define SNIF_CHECK_EXPAND_H

#include <stdio.h>

#include "compile/compile.h"

#define EXPAND_PREFIXES 20 /* lists up to this long are printed in full in text; JSON has them all */
#define EXPAND_HOSTS 1000  /* so many host rules, likewise */

/* Prints the policy for a person: its settings, host rules by where they hold, direct rules in the order in which they
 * decide, sizes. Returns 0 or -ENOMEM. */
int expand_print(const struct policy *policy, const struct compiled *compiled, FILE *out);

/* The same as one JSON object in one line. */
int expand_print_json(const struct policy *policy, const struct compiled *compiled, FILE *out);

#endif
