/* SPDX-License-Identifier: BSD-2-Clause */
/* json_scan.c: what is JSON, what is not, and what is in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "event/json_scan.h"

/* The pieces, written down: a string in quotes, a key with a colon behind it. */
static char told[4096];

static bool say(const char *before, const char *text, size_t length, const char *behind) {
	size_t used = strlen(told);

	snprintf(told + used, sizeof(told) - used, "%s%.*s%s", before, (int)length, text, behind);
	return strncmp(text, "stop", length) != 0 || length != 4;
}

static bool take_null(void *context) {
	(void)context;
	return say("null ", "", 0, "");
}

static bool take_flag(void *context, bool value) {
	(void)context;
	return say(value ? "true " : "false ", "", 0, "");
}

static bool take_number(void *context, const char *text, size_t length) {
	(void)context;
	return say("", text, length, " ");
}

static bool take_string(void *context, const char *text, size_t length) {
	(void)context;
	return say("\"", text, length, "\" ");
}

static bool take_key(void *context, const char *text, size_t length) {
	(void)context;
	return say("", text, length, ": ");
}

static bool open_object(void *context) {
	(void)context;
	return say("{ ", "", 0, "");
}

static bool close_object(void *context) {
	(void)context;
	return say("} ", "", 0, "");
}

static bool open_array(void *context) {
	(void)context;
	return say("[ ", "", 0, "");
}

static bool close_array(void *context) {
	(void)context;
	return say("] ", "", 0, "");
}

static const struct json_taker taker = {take_null,   take_flag,	   take_number, take_string, take_key,
					open_object, close_object, open_array,	close_array};

/* In memory of its exact size, so that the sanitizer sees what is read behind it. */
static enum json_result scan(const char *text, size_t length, const char **wrong) {
	char *copy = malloc(length + 1), *room = malloc(length + 1);
	struct json_scan scan = {.taker = &taker, .room = room};
	enum json_result result;

	assert_non_null(copy);
	assert_non_null(room);
	memcpy(copy, text, length);
	told[0] = '\0';
	result = json_scan(&scan, copy, length);
	*wrong = scan.wrong;
	free(copy);
	free(room);
	return result;
}

static void test_good(void **state) {
	static const char *const cases[][2] = {
		{"{}", "{ } "},
		{" \t\r\n[ ] ", "[ ] "},
		{"null", "null "},
		{"[true,false,null]", "[ true false null ] "},
		{"[0,-0,1.5,-12e3,1E+9,2e-2]", "[ 0 -0 1.5 -12e3 1E+9 2e-2 ] "},
		{"{\"a\" : 1 , \"b\":[{},[]]}", "{ a: 1 b: [ { } [ ] ] } "},
		{"\"\"", "\"\" "},
		{"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\"\\/\b\f\n\r\t\" "},
		{"{\"k\\u0065y\":\"\\u00e9\\u20ac\\ud83d\\ude00z\"}",
		 "{ key: \"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z\" } "},
		{"\"\xc3\xa9\xf4\x8f\xbf\xbf\"", "\"\xc3\xa9\xf4\x8f\xbf\xbf\" "},
	};
	const char *wrong;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(scan(cases[i][0], strlen(cases[i][0]), &wrong), JSON_WHOLE);
		assert_string_equal(told, cases[i][1]);
	}
}

static void test_bad(void **state) {
	static const struct {
		const char *text;
		enum json_result result;
		const char *wrong;
	} cases[] = {
		{"", JSON_CUT_OFF, NULL},
		{"[", JSON_CUT_OFF, NULL},
		{"{\"a\":", JSON_CUT_OFF, NULL},
		{"\"a", JSON_CUT_OFF, NULL},
		{"\"\\", JSON_CUT_OFF, NULL},
		{"\"\\u00", JSON_CUT_OFF, NULL},
		{"{}{}", JSON_MORE, NULL},
		{"{} x", JSON_MORE, NULL},
		{"[\"stop\",]", JSON_STOPPED, NULL},
		{"[1,]", JSON_WRONG, "a word or sign that there is not"},
		{"[,1]", JSON_WRONG, "a word or sign that there is not"},
		{"{\"a\":1,}", JSON_WRONG, "no key where one has to be"},
		{"{a:1}", JSON_WRONG, "no key where one has to be"},
		{"{\"a\" 1}", JSON_WRONG, "no colon behind a key"},
		{"[1 2]", JSON_WRONG, "no comma between two members"},
		{"[}", JSON_WRONG, "a word or sign that there is not"},
		{"{]", JSON_WRONG, "no key where one has to be"},
		{"]", JSON_WRONG, "a word or sign that there is not"},
		{"nul", JSON_WRONG, "a word or sign that there is not"},
		{"'a'", JSON_WRONG, "a word or sign that there is not"},
		{"NaN", JSON_WRONG, "a word or sign that there is not"},
		{"01", JSON_WRONG, "a number that is none"},
		{"-", JSON_WRONG, "a number that is none"},
		{"1.", JSON_WRONG, "a number that is none"},
		{"1e", JSON_WRONG, "a number that is none"},
		{"+1", JSON_WRONG, "a word or sign that there is not"},
		{"\"\t\"", JSON_WRONG, "a control character in a string"},
		{"\"\\x41\"", JSON_WRONG, "an escape that there is not"},
		{"\"\\u12g4\"", JSON_WRONG, "a \\u without four digits"},
		{"\"\\ud800x12345\"", JSON_WRONG, "half a pair of surrogates"},
		{"\"\\udc00\"", JSON_WRONG, "half a pair of surrogates"},
		{"\"\xff\"", JSON_WRONG, "bytes that are not UTF-8"},
		{"\"\xc0\xaf\"", JSON_WRONG, "bytes that are not UTF-8"},
		{"\"\xed\xa0\x80\"", JSON_WRONG, "bytes that are not UTF-8"},
		{"\"\xf4\x90\x80\x80\"", JSON_WRONG, "bytes that are not UTF-8"},
		{"\"\xe2\x82", JSON_WRONG, "bytes that are not UTF-8"},
	};
	const char *wrong;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum json_result result = scan(cases[i].text, strlen(cases[i].text), &wrong);

		if (result != cases[i].result || (result == JSON_WRONG && strcmp(wrong, cases[i].wrong) != 0))
			fail_msg("%s: %d, %s", cases[i].text, result, wrong);
	}
}

static void test_depth(void **state) {
	char text[130];
	const char *wrong;

	(void)state;
	memset(text, '[', 65);
	memset(text + 65, ']', 65);
	assert_int_equal(scan(text + 1, 128, &wrong), JSON_WHOLE);
	assert_int_equal(scan(text, 130, &wrong), JSON_WRONG);
	assert_string_equal(wrong, "too deep");
	assert_int_equal(scan("\"a\0b\"", 5, &wrong), JSON_WRONG);
}

/* Of a text in which all kinds are, no beginning is whole. */
static void test_every_beginning(void **state) {
	static const char text[] = "{\"a\\n\":[null,true,-1.5e3,\"\\ud83d\\ude00\xc3\xa9\"],\"b\":{}}";
	const char *wrong;

	(void)state;
	for (size_t length = 0; length < sizeof(text) - 1; length++)
		assert_int_not_equal(scan(text, length, &wrong), JSON_WHOLE);
	assert_int_equal(scan(text, sizeof(text) - 1, &wrong), JSON_WHOLE);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_every_beginning),
	};

	return cmocka_run_group_tests_name("json_scan", tests, NULL, NULL);
}
