/* SPDX-License-Identifier: BSD-2-Clause */
/* Findings ──► a table in plain words, or JSON. */
#ifndef SNIF_FEATURE_PRINT_H
#define SNIF_FEATURE_PRINT_H

#include <stdio.h>

#include "features/feature.h"

/* Both take one finding for each feature of the table, in its order. Both return 0, -ENOMEM, or -EIO when `out` cannot
 * be written. */
int feature_print(FILE *out, const struct finding findings[]);
int feature_print_json(FILE *out, const struct finding findings[]);

/*
 * Whether everything is there that run needs: HERE; else MISSING when something is not, UNKNOWN when nobody can tell.
 */
enum feature_state feature_verdict(const struct finding findings[]);

#endif
