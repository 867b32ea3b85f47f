/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy ──► the command line that runs a program under it. */
#ifndef SNIF_UNDER_H
#define SNIF_UNDER_H

#include <stddef.h>

/* `build/snifence run --quiet OPTION… POLICY --`, in memory that stays, with NULL behind it, to put a command after.
 * `options` ends with NULL, or is NULL; `policy` is YAML. */
const char *const *under_snifence(const char *const options[], const char *policy);

/* A policy that allows TLS to BENCH_ALLOWED and to `names` others, every other one of them a wildcard; in memory that
 * stays. `mode` is `enforce` or `audit`. */
const char *under_policy(const char *mode, size_t names);

#endif
