/* SPDX-License-Identifier: BSD-2-Clause */
/* Findings ──► text, or JSON. */
#include "verify/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/json.h"
#include "base/message.h"

const char *finding_word(enum finding_kind kind) {
	static const char *const words[] = {
#define WORD(constant, word) [FINDING_##constant] = word,
		FINDING_KINDS(WORD)
#undef WORD
	};

	return words[kind];
}

void findings_add(struct findings *findings, enum finding_kind kind, const char *about, const char *advice,
		  const char *format, ...) {
	struct finding *finding = array_add(&findings->items, &findings->count, sizeof(*finding));
	va_list arguments;

	if (!finding) {
		findings->incomplete = true;
		return;
	}
	va_start(arguments, format);
	if (vasprintf(&finding->text, format, arguments) < 0)
		finding->text = NULL;
	va_end(arguments);
	finding->kind = kind;
	finding->about = strdup(about);
	finding->advice = strdup(advice);
	if (!finding->text || !finding->about || !finding->advice)
		findings->incomplete = true;
}

static void print(const char *text) {
	if (text)
		print_escaped(stdout, text, strlen(text));
}

void findings_print(const struct findings *findings) {
	for (size_t i = 0; i < findings->count; i++) {
		print(findings->items[i].about);
		fputs(": ", stdout);
		print(findings->items[i].text);
		fputs("; ", stdout);
		print(findings->items[i].advice);
		putchar('\n');
	}
	if (findings->count == 0 && !findings->incomplete)
		puts("all is as it should be");
}

int findings_print_json(const struct findings *findings) {
	struct json_object *object = json_object_new_object(), *array = json_object_new_array();
	int error = json_put(object, "complete", json_object_new_boolean(!findings->incomplete));

	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->items[i];
		struct json_object *item = json_object_new_object();
		int failed = json_put_text(item, "kind", finding_word(finding->kind));

		failed |= json_put_text(item, "about", finding->about);
		failed |= json_put_text(item, "text", finding->text);
		failed |= json_put_text(item, "advice", finding->advice);
		error |= json_add(array, json_checked(item, failed));
	}
	return json_write(object, error | json_put(object, "findings", array), stdout);
}

void findings_free(struct findings *findings) {
	for (size_t i = 0; i < findings->count; i++) {
		free(findings->items[i].about);
		free(findings->items[i].text);
		free(findings->items[i].advice);
	}
	free(findings->items);
}
