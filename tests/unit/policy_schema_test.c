/* SPDX-License-Identifier: BSD-2-Clause */
/* policy/policy.schema.json ──► the same keys and words as the parser knows, by what it says of one that it does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "../support/policy_told.h"

static struct json_object *schema;

static int load(void **state) {
	(void)state;
	schema = json_object_from_file("policy/policy.schema.json");
	return schema ? 0 : -1;
}

static int unload(void **state) {
	(void)state;
	json_object_put(schema);
	return 0;
}

/* The node at a path like /definitions/tls/properties. */
static struct json_object *node(const char *path) {
	struct json_object *found;

	if (json_pointer_get(schema, path, &found))
		fail_msg("the schema has no %s", path);
	return found;
}

/* What stands in the one message about the policy behind `known: `. */
static char *known(const char *policy) {
	struct diagnostics diagnostics = {0};
	char *told, *list;

	assert_null(policy_parse("p.yaml", policy, strlen(policy), &diagnostics));
	told = diagnostics_told(&diagnostics);
	list = strstr(told, "known: ");
	if (!list)
		fail_msg("%s: %s", policy, told);
	list = strndup(list + strlen("known: "), strcspn(list + strlen("known: "), "\n"));
	free(told);
	return list;
}

/* The members of an object, or the items of an array, in the parser's words. */
static char *listed(struct json_object *object) {
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (json_object_is_type(object, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(object); i++)
			fprintf(out, "%s%s", i ? ", " : "",
				json_object_get_string(json_object_array_get_idx(object, i)));
	} else {
		bool first = true;

		json_object_object_foreach(object, key, value) {
			(void)value;
			fprintf(out, "%s%s", first ? "" : ", ", key);
			first = false;
		}
	}
	fclose(out);
	return text;
}

/* In the same order, so that a list has one. */
static void expect_same(const char *path, const char *policy) {
	char *wanted = known(policy), *found = listed(node(path));

	if (strcmp(wanted, found) != 0)
		fail_msg("%s: %s; the parser knows %s", path, found, wanted);
	free(wanted);
	free(found);
}

static void test_keys(void **state) {
	(void)state;
	expect_same("/properties", "version: 1\nx: 1\n");
	expect_same("/definitions/tls/properties", "version: 1\ntls: {x: 1}\n");
	expect_same("/definitions/allowed_host/properties", "version: 1\ntls: {allow: [{host: a.test, x: 1}]}\n");
	expect_same("/definitions/direct/properties", "version: 1\ndirect: {x: 1}\n");
	expect_same("/definitions/allowed_address/properties", "version: 1\ndirect: {allow: [{to: any, x: 1}]}\n");
	expect_same("/definitions/denied_address/properties", "version: 1\ndirect: {deny: [{to: any, x: 1}]}\n");
	expect_same("/definitions/dns/properties", "version: 1\ndns: {x: 1}\n");
	expect_same("/definitions/named_address/properties", "version: 1\ndirect: {allow: [{host: a.test, x: 1}]}\n");
	expect_same("/definitions/lookup/properties", "version: 1\ndns: {allow: [{host: a.test, x: 1}]}\n");
	expect_same("/definitions/set/properties", "version: 1\nsets: {a: {file: /dev/null, x: 1}}\n");
}

static void test_words(void **state) {
	(void)state;
	expect_same("/properties/mode/enum", "version: 1\nmode: x\n");
	expect_same("/properties/inbound/enum", "version: 1\ninbound: x\n");
	expect_same("/definitions/tls/properties/ech/enum", "version: 1\ntls: {ech: x}\n");
	expect_same("/definitions/tls/properties/unusual/items/enum", "version: 1\ntls: {unusual: [x]}\n");
	expect_same("/definitions/dns/properties/bind/enum", "version: 1\ndns: {bind: x}\n");
	expect_same("/definitions/dns/properties/names/enum", "version: 1\ndns: {names: x}\n");
	expect_same("/definitions/dns/properties/https/enum", "version: 1\ndns: {https: x}\n");
	expect_same("/definitions/allowed_host/properties/starts/enum",
		    "version: 1\ntls: {allow: [{host: a.test, starts: x}]}\n");
	expect_same("/definitions/protocol/enum", "version: 1\ndirect: {allow: [{to: any, proto: x}]}\n");
	expect_same("/definitions/expected/enum", "version: 1\ntls: {deny: [{host: a.test, expected: x}]}\n");
	expect_same("/definitions/allowed_host/properties/public_suffix/enum",
		    "version: 1\ntls: {allow: [{host: a.test, public_suffix: x}]}\n");
}

/* Of a denied host the message names the keys in a sentence. */
static void test_denied_host(void **state) {
	struct diagnostics diagnostics = {0};
	static const char policy[] = "version: 1\ntls: {deny: [{host: a.test, x: 1}]}\n";
	char *told;

	(void)state;
	assert_null(policy_parse("p.yaml", policy, strlen(policy), &diagnostics));
	told = diagnostics_told(&diagnostics);
	json_object_object_foreach(node("/definitions/denied_host/properties"), key, value) {
		char quoted[32];

		(void)value;
		snprintf(quoted, sizeof(quoted), "`%s`", key);
		assert_non_null(strstr(told, quoted));
	}
	assert_null(strstr(told, "`to`"));
	free(told);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_denied_host),
	};

	return cmocka_run_group_tests_name("policy_schema", tests, load, unload);
}
