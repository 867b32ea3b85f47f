/* SPDX-License-Identifier: BSD-2-Clause */
/* What is not as it should be: each one sentence, and what to do about it. */
#ifndef SNIF_FINDINGS_H
#define SNIF_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

struct finding {
	const char *kind; /* a word for programs, like `entry_differs` */
	char *about;	  /* a cgroup or a file */
	char *text, *advice;
};

struct findings {
	struct finding *items;
	size_t count;
	bool incomplete; /* out of memory, or something could not be looked at: what is told is not all */
};

/* Adds one; `format` is its sentence. */
void findings_add(struct findings *findings, const char *kind, const char *about, const char *advice,
		  const char *format, ...) __attribute__((format(printf, 5, 6)));

void findings_print(const struct findings *findings);
/* One JSON object. Returns 0 or a negative errno. */
int findings_print_json(const struct findings *findings);

void findings_free(struct findings *findings);

#endif
