/* SPDX-License-Identifier: BSD-2-Clause */
/* What tests of policies share: text in, diagnostics as text out. */
#ifndef SNIF_POLICY_TOLD_H
#define SNIF_POLICY_TOLD_H

#include "policy/policy.h"

/* What diagnostics_print() writes, to be freed. Frees the diagnostics. */
char *diagnostics_shown(struct diagnostics *diagnostics);
/* The same without the lines of the file and their carets. */
char *diagnostics_told(struct diagnostics *diagnostics);

/* The policy in `text`, called p.yaml, which must have no error and no warning. To be freed. */
struct policy *policy_without_errors(const char *text);

/*
 * Expects the policy in `text` to tell exactly these lines, each without `p.yaml:` in front, and to be refused exactly
 * when one of them is an error.
 */
void policy_expect_told(const char *text, size_t length, const char *expected);

#endif
