/* SPDX-License-Identifier: BSD-2-Clause */
/* One run's results, and the forms in which they are written. */
#ifndef SNIF_BENCH_RESULTS_H
#define SNIF_BENCH_RESULTS_H

#include <stdio.h>

#include "facts.h"
#include "goals.h"
#include "samples.h"

struct results {
	struct facts facts;
	struct samples samples;
	struct goals goals;
};

/* results_text.c: for people. */

/* The whole report in columns, for a terminal. */
void results_print(const struct results *results, FILE *out);
/* Facts and goals, and all figures, as Markdown. */
void results_print_goals(const struct results *results, FILE *out);
void results_print_table(const struct results *results, FILE *out);

/* results_data.c: for machines. */

/* case,metric,unit,median,min,max,rounds,beside,ratio */
void results_print_csv(const struct results *results, FILE *out);
/* One object: "facts", "noise", "goals", "results" (with each round's values), "skipped". */
void results_print_json(const struct results *results, FILE *out);

#endif
