/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy's host rules ──► the table of names. */
#ifndef SNIF_COMPILE_NAMES_H
#define SNIF_COMPILE_NAMES_H

#include "compile/compile.h"

/* Fills in the buckets, their numbers and the lengths of names, under the key in the settings. Returns 0 or a negative
 * errno; -EEXIST when two names cannot be told apart under it: try another key. */
int compile_names(const struct policy *policy, struct compiled *out);

#endif
