/* SPDX-License-Identifier: BSD-2-Clause */
/* What sudo has taken away: variables, and the program that the caller's PATH leads to. */
#ifndef SNIF_RUN_VARIABLES_H
#define SNIF_RUN_VARIABLES_H

#include <stddef.h>

/*
 * Makes NAME=VALUE of each of `names` that lacks a value: as it was when sudo was called; those that were not set then
 * are left out. Returns an array that ends with NULL, to be freed with run_variables_free(); NULL: out of memory.
 */
char **run_variables_make(const char *const *names, size_t count);

/* Adds a variable. Returns 0 or -ENOMEM. */
int run_variables_add(char ***variables, const char *name, const char *value);

void run_variables_free(char **variables);

/*
 * Says so where `command`, a name without a slash, is another program by the caller's PATH than by that of this process,
 * or by that one alone. Nothing where sudo was not called, or `variables` set PATH.
 */
void run_variables_hint(const char *command, char *const *variables);

#endif
