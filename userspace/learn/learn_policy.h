/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy with learned rules in it. */
#ifndef SNIF_LEARN_POLICY_H
#define SNIF_LEARN_POLICY_H

#include "compile/compile.h"
#include "learn/learned.h"

struct policy_text {
	char *text; /* owned */
	size_t length;
};

/*
 * Reads `text` as the policy `file` and compiles it. All its zones are marked as inspected, also those where no host is
 * allowed yet: a learned name may come to hold there, and an address rule must not have ended inspection. What is wrong
 * is said on stderr. Returns 0 or an exit code.
 */
int learn_read(const char *file, const struct policy_text *text, struct policy **policy, struct compiled *compiled);

/*
 * Puts the learned rules into `base`, the text of `policy`. Where that cannot be done safely, stderr says what to do by
 * hand. Returns 0 or an exit code.
 */
int learn_insert(const struct learned *learned, const struct policy *policy, const struct policy_text *base,
		 struct policy_text *merged);

/*
 * Whether `merged` is a policy that has all that `policy` has and the learned rules, and allows what was seen. If not,
 * it is said on stderr. Returns 0 or an exit code.
 */
int learn_verify(const struct learned *learned, const struct policy *policy, const struct policy_text *merged);

#endif
