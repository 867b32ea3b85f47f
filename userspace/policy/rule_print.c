/* SPDX-License-Identifier: BSD-2-Clause */
/* A rule ──► where it stands, and what it says. */
#include "policy/rule_print.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/message.h"
#include "base/text.h"

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

int rule_put_json(struct json_object *object, const char *key, const struct policy *policy, uint32_t rule) {
	struct json_object *value;
	int error = 0;

	if (rule == 0)
		return json_put_text(object, key, NULL);
	value = json_object_new_object();
	if (policy->rules[rule].line == 0) {
		error |= json_put_text(value, "file", NULL);
		error |= json_put_text(value, "line", NULL);
	} else {
		error |= json_put_text(value, "file", policy->rules[rule].file);
		error |= json_put_number(value, "line", policy->rules[rule].line);
	}
	error |= json_put_text(value, "text", policy->rules[rule].text);
	error |= json_put(object, key, value);
	return error;
}

int rule_put_ports_json(struct json_object *object, const struct port_list *ports) {
	char *text = NULL;
	size_t size;
	FILE *out = text_open(&text, &size);
	int error;

	if (!out)
		return -ENOMEM;
	port_list_write(ports, out);
	error = text_close(out, &text) == 0 ? json_put_text(object, "ports", text) : -ENOMEM;
	free(text);
	return error;
}
