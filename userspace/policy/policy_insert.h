/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules put into the text of a policy, which otherwise stays as it is. */
#ifndef SNIF_POLICY_INSERT_H
#define SNIF_POLICY_INSERT_H

#include <stddef.h>

struct insert_item {
	const char *rule;    /* YAML in one line */
	const char *comment; /* in one line; stands behind the rule, but not inside of brackets */
};

struct insertion {
	const char *section; /* `tls`, `direct` or `dns`: the items go to the end of its list `allow` */
	const struct insert_item *items;
	size_t count;
};

enum { INSERTIONS_MAX = 3 };

struct insert_problem {
	const char *section; /* whose items have no place */
	unsigned line;
	const char *what; /* static text */
};

/*
 * Puts items, for at most INSERTIONS_MAX sections, into `text`, `size` bytes of YAML that are a good policy, at places that its
 * parser tells. Lists and sections that are not there are made. Every byte of `text` stays, in its order; lines that
 * are added end as the first one does. Returns the new text with a NUL behind, to be freed with free(), and its
 * `length`; or NULL with the `problem` where there is no place that would be safe to use, or with problem->what NULL:
 * out of memory.
 */
char *policy_insert(const char *text, size_t size, const struct insertion *insertions, size_t count, size_t *length,
		    struct insert_problem *problem);

#endif
