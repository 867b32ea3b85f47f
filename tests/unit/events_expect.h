/* SPDX-License-Identifier: BSD-2-Clause */
/* An event, and what its line of JSON must be. */
#ifndef SNIF_EVENTS_EXPECT_H
#define SNIF_EVENTS_EXPECT_H

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "address.h"
#include "event/event_words.h"
#include "event/event_write.h"

static struct rule rules[] = {{0}, {.file = "agent.yaml", .line = 7, .column = 5}};
static const struct policy policy = {.name = (char *)"agent", .rules = rules, .rule_count = 2};
static const struct event_context context = {
	.policy = &policy, .policy_sha256 = "c0ffee", .cgroup_path = "/snifence-42", .wall_clock = true};

/* What the first line of a log says of itself. */
#define LINE_ID "\"event_version\":1,\"run_id\":\"000000000000f00d\",\"sequence\":1,"

static void set_ipv4(__u8 address[16], __u32 ipv4) {
	ipv4 = htonl(ipv4);
	snif_map_ipv4(address, &ipv4);
}

static void set_name(struct snif_event *event, const void *name, size_t length) {
	event->flags |= SNIF_EVENT_HELLO;
	event->name_length = (__u16)length;
	memcpy(event->name, name, length);
}

/* A forbidden name that was met on egress. */
static struct snif_event hello_event(void) {
	struct snif_event event = {
		.time = 1767323045123456789, /* 2026-01-02 03:04:05 UTC */
		.flow = 77,
		.process = {.cgroup_id = 4711, .pid = 1234, .uid = 1000, .name = "curl"},
		.rule = 1,
		.source_port = 40000,
		.destination_port = 443,
		.protocol = IPPROTO_TCP,
		.hook = SNIF_HOOK_EGRESS,
		.verdict = SNIF_DENY,
		.reason = SNIF_REASON_NAME_DENIED,
		.version = 0x0304,
	};

	set_ipv4(event.source, 0xc0000201);
	set_ipv4(event.destination, 0xcb007109);
	set_name(&event, "forbidden.test", 14);
	return event;
}

/* The line of the event, without its end; one line of printable ASCII. To be freed. */
static char *line_in(const struct snif_event *event, const struct event_context *words) {
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct log *log = log_new(out, 0xf00d);

	assert_non_null(log);
	assert_int_equal(event_write(log, event, words), 0);
	assert_int_equal(log_flush(log), 0);
	log_free(log);
	fclose(out);
	assert_true(size > 1 && text[size - 1] == '\n');
	text[--size] = '\0';
	for (size_t i = 0; i < size; i++)
		assert_in_range(text[i], 0x20, 0x7e);
	return text;
}

static void expect_line(const struct snif_event *event, const struct event_context *words, const char *line) {
	char *text = line_in(event, words);

	assert_string_equal(text, line);
	free(text);
}

/* The member at the path (JSON pointer) as text; NULL when there is none. Valid until the next call. */
static const char *member(const struct snif_event *event, const char *path) {
	static char found[2048];
	struct json_tokener *tokener = json_tokener_new();
	char *text = line_in(event, &context);
	struct json_object *line, *value = NULL;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	line = json_tokener_parse_ex(tokener, text, (int)strlen(text) + 1);
	assert_int_equal(json_tokener_get_error(tokener), json_tokener_success);
	assert_true(json_object_is_type(line, json_type_object));
	if (json_pointer_get(line, path, &value) == 0)
		assert_true(snprintf(found, sizeof(found), "%s", json_object_get_string(value)) < (int)sizeof(found));
	json_object_put(line);
	json_tokener_free(tokener);
	free(text);
	return value ? found : NULL;
}

static void expect(const struct snif_event *event, const char *path, const char *value) {
	const char *found = member(event, path);

	assert_non_null(found);
	assert_string_equal(found, value);
}

#endif
