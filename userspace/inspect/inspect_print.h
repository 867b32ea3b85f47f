/* SPDX-License-Identifier: BSD-2-Clause */
/* What inspect found ──► lines. */
#ifndef SNIF_INSPECT_PRINT_H
#define SNIF_INSPECT_PRINT_H

#include <stdio.h>

#include "compile/tables.h"
#include "inspect/flow.h"
#include "inspect/lookups.h"

/* Prints one flow in one line for a person. `policy` and `judgement` are NULL when there is no policy. Errors of `out`
 * are the caller's to see. */
void inspect_print(FILE *out, const struct flow_hello *found, const struct policy *policy,
		   const struct snif_judgement *judgement);

/* The same as an event, in the form in which the kernel would have sent it, but with the capture's time (wall clock).
 * Without a judgement, the verdict is SNIF_UNDECIDED. */
struct snif_event inspect_event(const struct flow_hello *found, const struct snif_judgement *judgement);

/* The same two of a refused question of DNS, */
void inspect_print_question(FILE *out, const struct lookup *lookup, const struct policy *policy);
struct snif_event inspect_question_event(const struct lookup *lookup);

/* and an answer as an event, by the policy's `rules` for lookups. */
struct snif_event inspect_answer_event(const struct lookup *lookup, const struct snif_dns_rules *rules);

#endif
