/* SPDX-License-Identifier: BSD-2-Clause */
/* A refused name, the allowed ones ──► the one that was perhaps meant. */
#include "analysis/near_miss.h"

#include <stdbool.h>
#include <string.h>

#include "policy/public_suffix.h"

/* Whether one insertion, deletion, replacement or swap of neighbours makes `a` into `b`. */
static bool one_edit(const char *a, size_t length_a, const char *b, size_t length_b) {
	size_t same = 0;

	if (length_a > length_b + 1 || length_b > length_a + 1)
		return false;
	while (a[same] && a[same] == b[same])
		same++;
	a += same;
	b += same;
	if (length_a > length_b)
		return strcmp(a + 1, b) == 0;
	if (length_b > length_a)
		return strcmp(a, b + 1) == 0;
	if (!*a)
		return false;
	return strcmp(a + 1, b + 1) == 0 || (a[0] == b[1] && a[1] == b[0] && strcmp(a + 2, b + 2) == 0);
}

static const char *parent(const char *name) {
	const char *dot = strchr(name, '.');

	return dot ? dot + 1 : "";
}

/* The end of `name` that has as many labels as `other`; NULL when it has no more than that. */
static const char *tail(const char *name, const char *other) {
	size_t extra = 0;

	for (const char *c = name; *c; c++)
		extra += *c == '.';
	for (const char *c = other; *c; c++)
		extra -= *c == '.';
	if (extra == 0 || extra > strlen(name))
		return NULL;
	while (extra-- > 0)
		name = parent(name);
	return name;
}

static enum near_miss compare(const char *refused, size_t length, const struct allowed_name *allowed) {
	const char *end = allowed->form == HOST_EXACT ? NULL : tail(refused, allowed->name);

	if (allowed->form == HOST_BELOW && strcmp(refused, allowed->name) == 0)
		return NEAR_APEX;
	if (allowed->form != HOST_BELOW && one_edit(refused, length, allowed->name, allowed->length))
		return NEAR_EDIT;
	if (end && one_edit(end, length - (size_t)(end - refused), allowed->name, allowed->length))
		return NEAR_EDIT;
	return NEAR_NONE;
}

/* Whether the allowed name is another one with this parent. */
static bool is_sibling(const char *above, const char *refused, const struct allowed_name *allowed) {
	size_t length = strlen(above);

	return allowed->form == HOST_EXACT && allowed->length > length &&
	       memcmp(allowed->name + allowed->length - length, above, length) == 0 &&
	       strcmp(parent(allowed->name), above) == 0 && strcmp(refused, allowed->name) != 0;
}

enum near_miss near_miss_find(const char *refused, const struct allowed_name *allowed, size_t count,
			      const struct allowed_name **which) {
	const char *above = parent(refused);
	bool own = !public_suffix_covers(above);
	enum near_miss nearest = NEAR_NONE;
	size_t length = strlen(refused);

	for (size_t i = 0; i < count; i++) {
		enum near_miss found = compare(refused, length, &allowed[i]);

		if (found == NEAR_NONE && nearest == NEAR_NONE && own && is_sibling(above, refused, &allowed[i]))
			found = NEAR_SIBLING;
		if (found == NEAR_NONE || (nearest != NEAR_NONE && found >= nearest))
			continue;
		nearest = found;
		*which = &allowed[i];
	}
	return nearest;
}
