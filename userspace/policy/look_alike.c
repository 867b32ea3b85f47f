/* SPDX-License-Identifier: BSD-2-Clause */
/* A name of A-labels ──► whether it is made to look like another one. */
#include "policy/look_alike.h"

#include <idn2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/library.h"

#define FUNCTIONS(X) X(idn2_free) X(idn2_to_unicode_8z4z)

LIBRARY(idn2, "to read international hostnames", FUNCTIONS, "libidn2.so.0");

/* Alphabets with letters that are drawn as Latin ones. Those of languages that are written with several scripts, like
 * Japanese, have none. */
static const struct alphabet {
	uint32_t first, last;
	const char *name;
} alphabets[] = {
	{0x0370, 0x03ff, "Greek"},    {0x1f00, 0x1fff, "Greek"},    {0x0400, 0x052f, "Cyrillic"},
	{0x1c80, 0x1c8f, "Cyrillic"}, {0xa640, 0xa69f, "Cyrillic"}, {0x0530, 0x058f, "Armenian"},
	{0x13a0, 0x13ff, "Cherokee"}, {0xab70, 0xabbf, "Cherokee"},
};

/* Small letters of Cyrillic and Greek that could be Latin ones: a whole word of them is read as one. */
static const uint32_t twins[] = {
	0x0430, 0x0435, 0x043e, 0x0440, 0x0441, 0x0443, 0x0445, 0x0455, 0x0456, 0x0458,
	0x04bb, 0x04cf, 0x0501, 0x051b, 0x051d, 0x03bf, 0x03b9, 0x03bd, 0x03c1, 0x03c5,
};

static const char *alphabet_of(uint32_t letter) {
	for (size_t i = 0; i < sizeof(alphabets) / sizeof(*alphabets); i++)
		if (alphabets[i].first <= letter && letter <= alphabets[i].last)
			return alphabets[i].name;
	return NULL;
}

static bool is_twin(uint32_t letter) {
	for (size_t i = 0; i < sizeof(twins) / sizeof(*twins); i++)
		if (twins[i] == letter)
			return true;
	return false;
}

static bool is_latin(uint32_t letter) {
	return (letter >= 'a' && letter <= 'z') || (letter >= 0xc0 && letter <= 0x24f) ||
	       (letter >= 0x1e00 && letter <= 0x1eff);
}

/* Looks at the label before `end`, and returns the alphabet that makes it look like another. */
static const char *judge_label(const uint32_t *label, const uint32_t *end) {
	const char *other = NULL;
	bool latin = false, twins_only = true;

	for (; label < end; label++) {
		const char *alphabet = alphabet_of(*label);

		if (alphabet)
			other = alphabet;
		latin |= is_latin(*label);
		twins_only &= is_twin(*label);
	}
	return latin || twins_only ? other : NULL;
}

static void show(const uint32_t *name, char shown[LOOK_ALIKE_SHOWN]) {
	size_t at = 0;

	for (; *name && at < LOOK_ALIKE_SHOWN - sizeof("<U+10FFFF>"); name++)
		at += (size_t)snprintf(shown + at, LOOK_ALIKE_SHOWN - at, *name < 0x80 ? "%c" : "<U+%04X>", *name);
	shown[at] = '\0';
}

const char *look_alike(const char *name, char shown[LOOK_ALIKE_SHOWN]) {
	const char *found = NULL;
	uint32_t *letters, *end;

	if (!strstr(name, "xn--") || library_open(&idn2_library) ||
	    idn2.idn2_to_unicode_8z4z(name, &letters, 0) != IDN2_OK)
		return NULL;
	for (const uint32_t *label = letters; !found; label = end + 1) {
		for (end = (uint32_t *)label; *end && *end != '.'; end++)
			;
		found = judge_label(label, end);
		if (!*end)
			break;
	}
	if (found)
		show(letters, shown);
	idn2.idn2_free(letters);
	return found;
}
