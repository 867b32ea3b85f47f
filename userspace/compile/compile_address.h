/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of compile_policy() that makes the address and port tables. */
#ifndef SNIF_COMPILE_ADDRESS_H
#define SNIF_COMPILE_ADDRESS_H

#include "compile/compile.h"

/* Writes out->addresses and out->ports, in time n log n of the prefixes. Returns 0 or -ENOMEM; either way what was
 * allocated is in `out`, for compiled_free(). */
int compile_addresses(const struct policy *policy, struct compiled *out);

#endif
