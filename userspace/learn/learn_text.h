/* SPDX-License-Identifier: BSD-2-Clause */
/* The words of what `snifence learn` writes. */
#ifndef SNIF_LEARN_TEXT_H
#define SNIF_LEARN_TEXT_H

#include <stdio.h>

#include "learn/learned.h"
#include "log/log_runs.h"

/* `3 times by curl, 2026-01-02 03:00:00 to 03:04:00`, in one line; NULL: out of memory; to be freed with free(). */
char *learn_usage(const char *about, const struct usage *usage);

/* The comment above a learned policy, and what makes a policy of it: one without rules. */
int learn_write_head(const struct learned *learned, const struct log_losses *losses, FILE *out);
/* The comment below it: what no rule was made of. Returns 0 or -ENOMEM. */
int learn_write_left(const struct learned *learned, uint64_t beyond, FILE *out);

/* On stderr: what no rule was made of; what the logs have lost. */
int learn_say_left(const struct learned *learned, uint64_t beyond);
void learn_say_losses(const struct log_losses *losses);

/* Says of rules for addresses, if there are any, how to have them for names. */
void learn_say_unnamed(const struct learned *learned);

#endif
