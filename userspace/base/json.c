/* SPDX-License-Identifier: BSD-2-Clause */
/* Words and numbers ──► members of JSON objects ──► a line. */
#include "base/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/message.h"

int json_put(struct json_object *object, const char *key, struct json_object *value) {
	if (object && value && json_object_object_add(object, key, value) == 0)
		return 0;
	json_object_put(value);
	return -ENOMEM;
}

int json_add(struct json_object *array, struct json_object *value) {
	if (array && value && json_object_array_add(array, value) == 0)
		return 0;
	json_object_put(value);
	return -ENOMEM;
}

/* Text as escape_bytes() writes it. */
static struct json_object *escaped(const char *text) {
	size_t length = strlen(text);
	char *bytes = malloc(ESCAPED_SIZE(length));
	struct json_object *string = NULL;

	if (bytes)
		string = json_object_new_string_len(bytes, (int)escape_bytes(bytes, text, length));
	free(bytes);
	return string;
}

int json_put_text(struct json_object *object, const char *key, const char *text) {
	if (text)
		return json_put(object, key, escaped(text));
	return object && json_object_object_add(object, key, NULL) == 0 ? 0 : -ENOMEM;
}

int json_put_number(struct json_object *object, const char *key, uint64_t number) {
	return json_put(object, key, json_object_new_uint64(number));
}

struct json_object *json_checked(struct json_object *object, int error) {
	if (error == 0)
		return object;
	json_object_put(object);
	return NULL;
}

const char *json_text(struct json_object *object) {
	const char *text = NULL;

	/* json-c leaves out what it has no memory for, and returns the rest: only errno tells */
	errno = 0;
	if (object)
		text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	return errno == ENOMEM ? NULL : text;
}

int json_write(struct json_object *object, int error, FILE *out) {
	const char *text;
	int result = -ENOMEM;

	object = json_checked(object, error);
	text = json_text(object);
	if (text)
		result = fprintf(out, "%s\n", text) < 0 ? -errno : stream_flush(out);
	json_object_put(object);
	return result;
}
