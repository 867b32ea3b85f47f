/* SPDX-License-Identifier: BSD-2-Clause */
/* What a run comes to ──► text, Markdown, annotations of a CI system. */
#ifndef SNIF_SUMMARY_PRINT_H
#define SNIF_SUMMARY_PRINT_H

#include "run/summary.h"

/*
 * Prints refused first, the most frequent first, then allowed, each `name or address:port  reason  count  who asked`, at
 * most 20 lines of each, then how many more; rules that would allow what was refused, to be put into the policy; advice
 * where no rule would; how many events were lost. Nothing where there was nothing. Texts are escaped.
 */
void summary_print(const struct summary *summary, const struct policy *policy, uint64_t lost, FILE *out);

/* The same as Markdown, of the refusals alone; a headline also where there are none. */
void summary_print_markdown(const struct summary *summary, const struct policy *policy, uint64_t lost, FILE *out);

/* A line `::warning …` for each refusal, which GitHub Actions and its like show beside the job; at most ten. */
void summary_print_annotations(const struct summary *summary, FILE *out);

#endif
