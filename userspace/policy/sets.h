/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of address prefixes: plain lists, and what cloud providers publish. */
#ifndef SNIF_SETS_H
#define SNIF_SETS_H

#include "policy/policy.h"

/* One word of a filter, like eu-west-1. */
struct set_word {
	const char *text; /* borrowed */
	bool seen;	  /* set_file_read: some entry of the file has it */
};

/* What to take from a file: entries that have one of the words, in any case. No words: every entry. */
struct set_filter {
	struct set_word *words;
	size_t count;
	bool known; /* set_file_read: the file's entries say this of themselves at all */
};

/*
 * Reads the prefixes of the file `path` that pass both filters, and adds them to `out`, sorted, each once. The format
 * is recognised by content: one prefix a line with # comments (also Cloudflare's lists), AWS ip-ranges.json, Google's
 * cloud.json and goog.json, Azure's ServiceTags, GitHub's meta. Bits behind a prefix's length are cleared, with one
 * warning for the file. Everything else that is wrong is an error with the place in this file. Returns 0 when there
 * was no error, else -EINVAL, or -EIO when the file cannot be read: why is then in `unread`, as of file_read(), and for
 * the caller to tell. What the filters left out is for the caller to judge.
 */
int set_file_read(const char *path, struct set_filter *regions, struct set_filter *services, struct prefix_list *out,
		  struct diagnostics *diagnostics, const char **unread);

#endif
