/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON objects for machines that read what snifence says: json-c, with one way to fail. */
#ifndef SNIF_JSON_H
#define SNIF_JSON_H

#include <json-c/json.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Each adds the member `key` to `object` and returns 0 or -ENOMEM; -ENOMEM also when `object` is NULL, so that a failed
 * allocation can be told at the end. Text is written as escape_bytes() does; NULL is null. json_put() takes over
 * `value`, also when it fails.
 */
int json_put(struct json_object *object, const char *key, struct json_object *value);
int json_put_text(struct json_object *object, const char *key, const char *text);
int json_put_number(struct json_object *object, const char *key, uint64_t number);

/* The same for an array. */
int json_add(struct json_object *array, struct json_object *value);

/* Returns `object`, or NULL after freeing it when there was an error while it was filled. */
struct json_object *json_checked(struct json_object *object, int error);

/* The object in one line; it holds the text. NULL: there is no object, or no memory. */
const char *json_text(struct json_object *object);

/*
 * Prints the object in one line unless `error`, and frees it. Returns 0, -ENOMEM, or another negative errno when `out`
 * cannot be written.
 */
int json_write(struct json_object *object, int error, FILE *out);

#endif
