/* SPDX-License-Identifier: BSD-2-Clause */
/* A rule ──► where it stands, and what it says. */
#include "policy/rule_print.h"

#include <string.h>

#include "base/message.h"

const char *rule_place(const struct rule *rule, char out[RULE_PLACE]) {
	if (rule->line == 0)
		return strcpy(out, "default");
	snprintf(out, RULE_PLACE, "%s:%u", rule->file, rule->line);
	return out;
}

void rule_place_print(const struct rule *rule, FILE *out) {
	char place[RULE_PLACE];

	rule_place(rule, place);
	print_escaped(out, place, strlen(place));
}

void rule_print(const struct rule *rule, FILE *out) {
	rule_place_print(rule, out);
	fputs(": ", out);
	print_escaped(out, rule->text, strlen(rule->text));
}
