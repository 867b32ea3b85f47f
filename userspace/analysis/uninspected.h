/* SPDX-License-Identifier: BSD-2-Clause */
/* Direct rules that take traffic away from the host rules. */
#ifndef SNIF_UNINSPECTED_H
#define SNIF_UNINSPECTED_H

#include "policy/policy.h"

/* Adds a warning for each of them; none for loopback, which does not leave the machine. Returns 0 or -ENOMEM. */
int warn_uninspected(const struct policy *policy, struct diagnostics *diagnostics);

#endif
