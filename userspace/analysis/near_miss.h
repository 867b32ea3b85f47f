/* SPDX-License-Identifier: BSD-2-Clause */
/* Refused names that look like allowed ones: a rule that is a little too narrow, a misspelling, or an imitation. */
#ifndef SNIF_NEAR_MISS_H
#define SNIF_NEAR_MISS_H

#include <stddef.h>

#include "policy/policy.h"

struct allowed_name {
	const char *name; /* borrowed; without `*.` or `.` before */
	size_t length;
	enum host_form form;
};

enum near_miss {
	NEAR_NONE,
	NEAR_APEX, /* example.com, where *.example.com is allowed */
	NEAR_EDIT, /* one letter more, less or other, or two swapped; below a wildcard: in what the wildcard covers */
	NEAR_SIBLING, /* b.example.com, where a.example.com is allowed, unless example.com were a public suffix */
};

/* What the refused name is to one of the allowed names, the closest of them in `which`. */
enum near_miss near_miss_find(const char *refused, const struct allowed_name *allowed, size_t count,
			      const struct allowed_name **which);

#endif
