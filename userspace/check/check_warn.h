/* SPDX-License-Identifier: BSD-2-Clause */
/* What is good in a policy by its form, but hardly meant. */
#ifndef SNIF_CHECK_WARN_H
#define SNIF_CHECK_WARN_H

#include "compile/compile.h"

/* Adds a warning for each direct rule that takes traffic away from the host rules (none for loopback: it does not leave
 * the machine), and for each allowed host that direct rules leave no address. Returns 0 or -ENOMEM. */
int check_warn(const struct policy *policy, const struct compiled *compiled, struct diagnostics *diagnostics);

#endif
