/* SPDX-License-Identifier: BSD-2-Clause */
/* Names that are bound under resident policies ──► what `status` says of them, and what passes. */
#include <errno.h>
#include <json-c/json.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../support/name_server.h"
#include "../support/resident.h"
#include "dns.h"

#define SERVER "203.0.113.1"

static int leave(void **state) {
	name_servers_end();
	return resident_end(state);
}

#define names_test(function) cmocka_unit_test_teardown(function, leave)

/* Every name is at 192.0.2.1, for two minutes. */
static void answer_all(const struct name_query *query, struct bytes *answer) {
	dns_begin_answer(answer, query->message);
	if (query->type == SNIF_DNS_A)
		dns_add_address(answer, query->name, 120, "192.0.2.1");
}

/* Every name is at more addresses than are shown. */
static void answer_many(const struct name_query *query, struct bytes *answer) {
	char address[16];

	dns_begin_answer(answer, query->message);
	for (int i = 1; i <= SNIF_DNS_ADDRESSES; i++) {
		snprintf(address, sizeof(address), "192.0.2.%d", i);
		dns_add_address(answer, query->name, 120, address);
	}
}

/* Asks for a name's A records. 0: there is an answer; 1: there is none. */
static int look_up(void *name) {
	struct timeval limit = {.tv_sec = 2};
	struct sockaddr_storage where;
	socklen_t size = lab_address(SERVER, SNIF_DNS_PORT, &where);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	static struct bytes question;
	char answer[2048];

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	dns_make_question(&question, 7, name, SNIF_DNS_A);
	return connect(fd, (struct sockaddr *)&where, size) || send(fd, question.data, question.length, 0) < 0 ||
	       recv(fd, answer, sizeof(answer), 0) <= 0;
}

static void expect_answer(const char *name) {
	assert_int_equal(resident_inside(resident_cgroup(), look_up, (void *)name), 0);
}

/* Returns the policy's file. */
static const char *begin(name_answer answer, const char *policy) {
	const char *file;

	resident_begin();
	lab_server(LAB_TLS, "192.0.2.1", 443);
	name_server(SERVER, answer);
	file = lab_write("names.yaml", policy);
	resident_says(0, "attach", file, "--cgroup", resident_cgroup()->path);
	return file;
}

static struct json_object *member(struct json_object *object, const char *key) {
	struct json_object *found = NULL;

	if (!json_object_object_get_ex(object, key, &found))
		fail_msg("there is no %s", key);
	return found;
}

/* Of the only policy. */
static struct json_object *policy_of(struct json_object *status) {
	return json_object_array_get_idx(member(status, "policies"), 0);
}

static void test_status(void **state) {
	struct json_object *status, *binding;
	struct lab_program *text;
	const char *file;
	int64_t left;

	(void)state;
	file = begin(answer_all,
		     "version: 1\ntls: {allow: [\"*.lab.test\"]}\ndns: {servers: [" SERVER "], bind: require}\n");
	status = resident_status();
	assert_int_equal(json_object_get_int(member(policy_of(status), "bound")), 0);
	json_object_put(status);
	assert_false(resident_reaches("kept.lab.test"));

	expect_answer("kept.lab.test");
	assert_true(resident_reaches("kept.lab.test"));
	status = resident_status();
	assert_int_equal(json_object_get_int(member(policy_of(status), "bound")), 1);
	binding = json_object_array_get_idx(member(policy_of(status), "bindings"), 0);
	assert_string_equal(json_object_get_string(member(binding, "address")), "192.0.2.1");
	assert_string_equal(json_object_get_string(member(member(binding, "rule"), "text")), "*.lab.test");
	assert_int_equal(json_object_get_int(member(member(binding, "rule"), "line")), 2);
	/* the least time is an hour, and ten minutes more */
	left = json_object_get_int64(member(binding, "seconds_left"));
	assert_true(left > 4100 && left <= 4200);
	json_object_put(status);
	text = resident_says(0, "status");
	assert_non_null(strstr(text->out, "names found at addresses: 1\n      192.0.2.1  *.lab.test  1:09:5"));

	/* a reload that numbers the rules anew: what was found was found by the old ones */
	lab_write("names.yaml", "version: 1\ntls: {allow: [first.test, \"*.lab.test\"]}\n"
				"dns: {servers: [" SERVER "], bind: require}\n");
	resident_says(0, "reload", file);
	text = resident_says(0, "status");
	assert_non_null(strstr(text->out, "192.0.2.1  *.lab.test  1:"));
}

static void test_many(void **state) {
	static const char *const names[] = {"a.lab.test", "b.lab.test", "c.lab.test", "d.lab.test"};
	struct json_object *status;

	(void)state;
	begin(answer_many, "version: 1\ntls: {allow: [\"*.lab.test\"]}\ndns: {servers: [" SERVER "], bind: observe}\n");
	for (size_t i = 0; i < 4; i++)
		expect_answer(names[i]);
	status = resident_status();
	assert_int_equal(json_object_get_int(member(policy_of(status), "bound")), 128);
	assert_int_equal(json_object_array_length(member(policy_of(status), "bindings")), 100);
	json_object_put(status);
	assert_non_null(strstr(resident_says(0, "status")->out, "\n      and 28 more\n"));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		names_test(test_status),
		names_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
