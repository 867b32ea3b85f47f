/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes ──► what json_scan.c says of them, and what json-c says: what the one takes whole, the other takes too. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "event/event_read.h"
#include "event/json_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool pass(void *context) {
	(void)context;
	return true;
}

static bool pass_flag(void *context, bool value) {
	(void)context;
	(void)value;
	return true;
}

static bool pass_text(void *context, const char *text, size_t length) {
	volatile char last = length > 0 ? text[length - 1] : 0;

	(void)context;
	(void)last;
	return true;
}

static const struct json_taker taker = {pass, pass_flag, pass_text, pass_text, pass_text, pass, pass, pass, pass};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static struct log_parser *parser;
	char *text = malloc(size + 1), *room = malloc(size + 1);
	struct json_scan scan = {.taker = &taker, .room = room};
	struct json_tokener *tokener = json_tokener_new_ex(128);
	struct json_object *object;
	struct log_event event;

	if (!parser)
		parser = log_parser_new();
	memcpy(text, data, size);
	if (json_scan(&scan, text, size) == JSON_WHOLE) {
		json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
		text[size] = '\0';
		object = json_tokener_parse_ex(tokener, text, (int)size + 1);
		if (json_tokener_get_error(tokener) != json_tokener_success)
			abort();
		json_object_put(object);
	}
	log_parser_read(parser, text, size, &event);
	json_tokener_free(tokener);
	free(room);
	free(text);
	return 0;
}
