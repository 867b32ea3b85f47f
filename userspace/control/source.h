/* SPDX-License-Identifier: BSD-2-Clause */
/* The file of a policy that is to be put in force. */
#ifndef SNIF_SOURCE_H
#define SNIF_SOURCE_H

#include <limits.h>
#include <stdbool.h>

#include "filter/filter.h"

struct source {
	char file[PATH_MAX]; /* its whole path, by which it is known as long as it is in force */
	bool audit;	     /* the mode was asked for beside the file */
	struct policy *policy;
	struct compiled compiled;
};

/*
 * Reads and compiles the policy. `sha256`: 64 hex digits that it has to have, or NULL. Returns 0; or an exit code, after
 * saying why, and then there is nothing to free.
 */
int source_load(struct source *source, const char *file, const char *sha256, bool audit);
/* The same without a word on what is wrong in the file. */
int source_look(struct source *source, const char *file, bool audit);
void source_free(struct source *source);

/* Notes in the ledger that the policy is in force under a number now. Returns 0 or a negative errno, after saying why. */
int source_note(const struct source *source, const char *instance, const struct filter *filter, uint32_t number);

/* Returns 0; or EXIT_FAILED after saying that the subcommand needs root. */
int source_need_root(const char *subcommand);

#endif
