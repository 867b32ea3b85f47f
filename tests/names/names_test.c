/* SPDX-License-Identifier: BSD-2-Clause */
/* A zone like a content network's, three resolvers and the clients that people use ──► no fetch is refused. */
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "../support/lab.h"
#include "zone.h"

#define POLICY                                                                                                         \
	"version: 1\n"                                                                                                 \
	"tls: {allow: [\"*.wild.lab.test\", zero.lab.test, day.lab.test, twin.lab.test, other.lab.test]}\n"            \
	"dns: {servers: [" ZONE_RESOLVER ", \"" NO_RESOLVER "\"], bind: require, names: policy}\n"
#define NO_RESOLVER "2001:db8::2" /* where nothing listens */
#define BUILT "build/tests/names/"

enum { CLIENTS = 8, CLIENT_MS = 120000 };

/* Each takes COUNT PARALLEL NAME… behind these words. */
static const struct client {
	const char *name;
	const char *needs; /* a program, or a file that is executed */
	const char *words[6];
} clients[CLIENTS] = {
	{"glibc", BUILT "fetch-glibc", {BUILT "fetch-glibc"}},
	{"musl", BUILT "fetch-musl", {BUILT "fetch-musl"}},
	{"go", BUILT "fetch-go", {"env", "GODEBUG=netdns=go", BUILT "fetch-go"}},
	{"java", "java", {"java", "-cp", BUILT, "Fetch"}},
	{"python3", "python3", {"python3", "tests/names/fetch.py"}},
	{"node", "node", {"node", "tests/names/fetch.js"}},
	{"curl", "curl", {"tests/names/fetch-curl"}},
	{"chromium", "chromium", {"tests/names/fetch-chromium"}},
};

/* A browser asks for its maker's names, too. */
static bool is_of_the_zone(struct json_object *event) {
	struct json_object *dns, *name;

	return !json_object_object_get_ex(event, "dns", &dns) || !json_object_object_get_ex(dns, "rrname", &name) ||
	       strstr(json_object_get_string(name), "lab.test");
}

static void assert_nothing_refused(const struct lab_program *run, const char *client) {
	struct json_object *log = lab_log(run), *verdict, *action;

	for (size_t i = 0; i < json_object_array_length(log); i++) {
		struct json_object *event = json_object_array_get_idx(log, i);

		assert_true(json_object_object_get_ex(event, "verdict", &verdict));
		assert_true(json_object_object_get_ex(verdict, "action", &action));
		if (strcmp(json_object_get_string(action), "drop") == 0 && is_of_the_zone(event))
			fail_msg("%s: %s", client, json_object_to_json_string(event));
	}
}

static struct lab_program *run_client(const struct client *client, const char *count, const char *parallel,
				      const char *const names[]) {
	const char *argv[16];
	size_t words = 0;

	for (; client->words[words]; words++)
		argv[words] = client->words[words];
	argv[words++] = count;
	argv[words++] = parallel;
	do
		argv[words++] = *names;
	while (*names++);
	return lab_finish(lab_start_snifence(POLICY, (const char *const[]){"--notify", "off", NULL}, argv),
			  CLIENT_MS * lab_slowness());
}

static void fetch(const struct client *client, const char *count, const char *parallel, const char *const names[]) {
	struct lab_program *run = run_client(client, count, parallel, names);
	char all[64];

	snprintf(all, sizeof(all), "%s of %s\n", count, count);
	print_message("%s: %s fetches, %s at once: %.1f s\n", client->name, count, parallel, run->ms / 1000);
	if (strcmp(run->out, all) != 0)
		fail_msg("%s: %.200s%.1000s", client->name, run->out, run->err);
	assert_nothing_refused(run, client->name);
}

static const char *const names[] = {"zero.lab.test",  "day.lab.test",	  "twin.lab.test",
				    "other.lab.test", "n%.wild.lab.test", NULL};

/* A thousand fetches, and five hundred at once, each of another name. The resolvers take turns. */
static void test_client(void **state) {
	const struct client *client = *state;

	zone_enter(&zone_resolvers[(size_t)(client - clients) % ZONE_RESOLVERS], "options timeout:2 attempts:5\n");
	lab_needs(client->needs);
	fetch(client, "1000", "10", names);
	fetch(client, "500", "500", names + 4);
}

/* Some of every client by one resolver, and a name that is not even asked for. */
static void test_resolver(void **state) {
	static const char *const forbidden[] = {"data-that-leaves.evil.test", NULL};
	struct lab_program *run;

	zone_enter(*state, "options timeout:1 attempts:2\n");
	for (size_t i = 0; i < CLIENTS; i++) {
		if (!lab_installed(clients[i].needs))
			continue;
		fetch(&clients[i], "10", "2", names);
		run = run_client(&clients[i], "1", "1", forbidden);
		assert_string_equal(run->out, "0 of 1\n");
		assert_non_null(strstr(run->err, "dns_name"));
	}
	assert_true(zone_was_asked("zero.lab.test"));
	assert_false(zone_was_asked("evil"));
}

/* A second server, of the other family: some clients then ask both from one socket of IPv6. */
static void test_two_families(void **state) {
	(void)state;
	zone_enter(&zone_resolvers[1], "nameserver " NO_RESOLVER "\noptions timeout:1 attempts:2\n");
	for (size_t i = 0; i < CLIENTS; i++)
		if (lab_installed(clients[i].needs))
			fetch(&clients[i], "20", "2", names);
}

int main(void) {
	struct CMUnitTest tests[CLIENTS + ZONE_RESOLVERS + 1] = {
		[CLIENTS + ZONE_RESOLVERS] = cmocka_unit_test_teardown(test_two_families, zone_leave)};

	for (size_t i = 0; i < CLIENTS; i++)
		tests[i] = (struct CMUnitTest){.name = clients[i].name,
					       .test_func = test_client,
					       .teardown_func = zone_leave,
					       .initial_state = (void *)&clients[i]};
	for (size_t i = 0; i < ZONE_RESOLVERS; i++)
		tests[CLIENTS + i] = (struct CMUnitTest){.name = zone_resolvers[i].program,
							 .test_func = test_resolver,
							 .teardown_func = zone_leave,
							 .initial_state = (void *)&zone_resolvers[i]};
	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
