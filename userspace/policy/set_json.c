/* SPDX-License-Identifier: BSD-2-Clause */
/* The address lists that cloud providers publish as JSON ──► prefixes. */
#include "policy/set_json.h"

#include <json-c/json.h>
#include <string.h>
#include <strings.h>

/* The string `key` of an object; NULL when it is not there, not a string, or empty. */
static const char *get_string(const json_object *object, const char *key) {
	json_object *value;

	if (!json_object_is_type(object, json_type_object) || !json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, json_type_string) || json_object_get_string_len(value) == 0)
		return NULL;
	return json_object_get_string(value);
}

/* The array `key` of an object, or NULL. */
static json_object *get_array(const json_object *object, const char *key) {
	json_object *value;

	if (!json_object_object_get_ex(object, key, &value) || !json_object_is_type(value, json_type_array))
		return NULL;
	return value;
}

/* Adds every string of an array. `what` names the array in errors. */
static void add_strings(struct set_reader *reader, const json_object *array, const char *what) {
	size_t count = json_object_array_length(array);

	for (size_t i = 0; i < count; i++) {
		json_object *item = json_object_array_get_idx(array, i);

		if (json_object_is_type(item, json_type_string))
			set_add(reader, json_object_get_string(item), NULL);
		else
			set_error(reader, NULL, "item %zu of `%.60s` is not a string", i + 1, what);
	}
}

/* AWS: {"prefixes": [{"ip_prefix", "region", "service"}], "ipv6_prefixes": [{"ipv6_prefix", ...}]} */
static void read_aws_list(struct set_reader *reader, const json_object *root, const char *list, const char *key) {
	const json_object *array = get_array(root, list);
	size_t count = array ? json_object_array_length(array) : 0;

	for (size_t i = 0; i < count; i++) {
		const json_object *item = json_object_array_get_idx(array, i);
		const char *prefix = get_string(item, key);
		struct set_entry entry = {.region = get_string(item, "region"),
					  .services = {get_string(item, "service")}};

		if (!prefix)
			set_error(reader, NULL, "item %zu of `%s` has no `%s`", i + 1, list, key);
		else if (set_wanted(reader, &entry))
			set_add(reader, prefix, NULL);
	}
}

/* Google: {"prefixes": [{"ipv4Prefix" or "ipv6Prefix", and in cloud.json "service", "scope"}]} */
static void read_google(struct set_reader *reader, const json_object *root) {
	const json_object *array = get_array(root, "prefixes");
	size_t count = json_object_array_length(array);

	for (size_t i = 0; i < count; i++) {
		const json_object *item = json_object_array_get_idx(array, i);
		const char *prefix = get_string(item, "ipv4Prefix");
		struct set_entry entry = {.region = get_string(item, "scope"),
					  .services = {get_string(item, "service")}};

		if (!prefix)
			prefix = get_string(item, "ipv6Prefix");
		if (!prefix)
			set_error(reader, NULL, "item %zu of `prefixes` has no `ipv4Prefix` and no `ipv6Prefix`",
				  i + 1);
		else if (set_wanted(reader, &entry))
			set_add(reader, prefix, NULL);
	}
}

/*
 * Azure: {"values": [{"name", "properties": {"region", "systemService", "addressPrefixes": [...]}}]}. A tag's name is
 * Storage, or Storage.WestEurope for a region: a filter may name the tag, the part before the dot, or systemService.
 */
static void read_azure_tag(struct set_reader *reader, const json_object *tag, size_t number) {
	const char *name = get_string(tag, "name");
	char service[128];
	struct set_entry entry = {.services = {name, service}};
	json_object *properties, *prefixes = NULL;

	snprintf(service, sizeof(service), "%.*s", name ? (int)strcspn(name, ".") : 0, name ? name : "");
	if (json_object_is_type(tag, json_type_object) && json_object_object_get_ex(tag, "properties", &properties) &&
	    json_object_is_type(properties, json_type_object)) {
		prefixes = get_array(properties, "addressPrefixes");
		entry.region = get_string(properties, "region");
		entry.services[2] = get_string(properties, "systemService");
	}
	if (!prefixes)
		set_error(reader, NULL, "item %zu of `values` has no `properties` with `addressPrefixes`", number);
	else if (set_wanted(reader, &entry))
		add_strings(reader, prefixes, name ? name : "addressPrefixes");
}

static void read_azure(struct set_reader *reader, const json_object *root) {
	const json_object *array = get_array(root, "values");
	size_t count = json_object_array_length(array);

	for (size_t i = 0; i < count; i++)
		read_azure_tag(reader, json_object_array_get_idx(array, i), i + 1);
}

/* GitHub: {"hooks": [...], "web": [...], ...}: each key is a service. What is no list of prefixes is passed over. */
static void read_github(struct set_reader *reader, json_object *root) {
	json_object_object_foreach(root, key, value) {
		struct set_entry entry = {.services = {key}};

		if (!json_object_is_type(value, json_type_array) || strcmp(key, "ssh_keys") == 0)
			continue;
		if (set_wanted(reader, &entry))
			add_strings(reader, value, key);
	}
}

static bool is_google(const json_object *root) {
	const json_object *array = get_array(root, "prefixes");
	const json_object *first = array ? json_object_array_get_idx(array, 0) : NULL;

	return get_string(first, "ipv4Prefix") || get_string(first, "ipv6Prefix");
}

static void read_root(struct set_reader *reader, json_object *root) {
	if (is_google(root)) {
		read_google(reader, root);
	} else if (get_array(root, "prefixes") || get_array(root, "ipv6_prefixes")) {
		read_aws_list(reader, root, "prefixes", "ip_prefix");
		read_aws_list(reader, root, "ipv6_prefixes", "ipv6_prefix");
	} else if (get_array(root, "values")) {
		read_azure(reader, root);
	} else if (get_array(root, "hooks") || get_array(root, "web") || get_array(root, "actions")) {
		read_github(reader, root);
	} else {
		set_error(reader, NULL,
			  "not a format that is known: AWS ip-ranges.json, Google cloud.json or goog.json, Azure "
			  "ServiceTags, GitHub meta; or write one prefix on each line");
	}
}

void set_json_read(struct set_reader *reader) {
	const char *start = strchr(reader->text, '{');
	size_t length = reader->length - (size_t)(start - reader->text);
	json_tokener *tokener = json_tokener_new();
	json_object *root;

	if (!tokener) {
		set_error(reader, NULL, "out of memory");
		return;
	}
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	/* With the NUL, so that a file that was cut off is an error and not a wait for more. */
	root = json_tokener_parse_ex(tokener, start, (int)length + 1);
	if (json_tokener_get_error(tokener) != json_tokener_success)
		set_error(reader, start + json_tokener_get_parse_end(tokener), "not JSON: %s",
			  json_tokener_error_desc(json_tokener_get_error(tokener)));
	else
		read_root(reader, root);
	json_object_put(root);
	json_tokener_free(tokener);
}
