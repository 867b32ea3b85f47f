/* SPDX-License-Identifier: BSD-2-Clause */
/* A rule, for who looks for it in the policy. */
#ifndef SNIF_RULE_PRINT_H
#define SNIF_RULE_PRINT_H

#include <limits.h>
#include <stdio.h>

#include "policy/policy.h"

#define RULE_PLACE (PATH_MAX + 16) /* a longer path could not have been opened */

/* Writes `file:line`, or `default` for what a policy does not say. Returns `out`. */
const char *rule_place(const struct rule *rule, char out[RULE_PLACE]);

/* Prints the place, and rule_print() also the text of the rule behind it, escaped (base/message.h). */
void rule_place_print(const struct rule *rule, FILE *out);
void rule_print(const struct rule *rule, FILE *out);

#endif
