/* SPDX-License-Identifier: BSD-2-Clause */
/* What libyaml stumbled over, in words for who wrote it. */
#ifndef SNIF_YAML_PROBLEM_H
#define SNIF_YAML_PROBLEM_H

#include <yaml.h>

#include "policy/diagnostic.h"

/*
 * Tells why `parser` has failed on the `length` bytes of `text`: where, and what to write. libyaml says what its grammar
 * lacked at which place; most often the mistake is one of a few, and stands before that place.
 */
void yaml_problem_tell(const yaml_parser_t *parser, const char *file, const char *text, size_t length,
		       struct diagnostics *diagnostics);

/* Where the `: ` of a map should be, in text like `version:1`: at the colon. NULL: it does not look like that. */
const char *yaml_missing_blank(const char *text, size_t length);

#endif
