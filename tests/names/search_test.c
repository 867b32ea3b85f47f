/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Search domains with ndots:5, as in the pods of a cluster, and three readers of resolv.conf ──► the questions with a
 * suffix are let through for what may be looked up, and for nothing else.
 */
#include <string.h>

#include "../support/lab.h"
#include "zone.h"

#define SEARCH "search ns.svc.cluster.test svc.cluster.test cluster.test\noptions ndots:5 timeout:2\n"
#define POLICY                                                                                                         \
	"version: 1\n"                                                                                                 \
	"tls: {allow: [zero.lab.test]}\n"                                                                              \
	"dns: {servers: [" ZONE_RESOLVER "], bind: require, names: policy}\n"
#define BUILT "build/tests/names/"

enum { AT_ONCE_MS = 12000 };

/* What each prints when the name was found; %s is the name. */
static const struct reader {
	const char *name, *program, *first, *second, *found;
} readers[] = {
	{"glibc", BUILT "fetch-glibc", "1", "1", "1 of 1\n"},
	{"musl", BUILT "fetch-musl", "1", "1", "1 of 1\n"},
	{"c-ares", BUILT "ares", NULL, NULL, "192.0.2."},
};

static struct lab_program *look_up(const struct reader *reader, const char *name) {
	const char *const argv[] = {reader->program, reader->first ? reader->first : name, reader->second,
				    reader->first ? name : NULL, NULL};

	return lab_snifence(POLICY, (const char *const[]){"--notify", "off", NULL}, argv);
}

static void test_reader(void **state) {
	const struct reader *reader = *state;
	struct lab_program *run;

	zone_enter(&zone_resolvers[1], SEARCH);
	lab_needs(reader->program);
	run = look_up(reader, "zero.lab.test");
	if (!strstr(run->out, reader->found))
		fail_msg("%s: %s%s", reader->name, run->out, run->err);
	assert_non_null(strstr(run->err, " 0 refused"));
	/* it has asked for the domains first, as it would without a filter, or else this shows nothing */
	assert_true(zone_was_asked("zero.lab.test.ns.svc.cluster.test"));
	assert_true(zone_was_asked("zero.lab.test.cluster.test"));
	run = look_up(reader, "data.evil.test");
	assert_null(strstr(run->out, reader->found));
	assert_non_null(strstr(run->err, "data.evil.test.ns.svc.cluster.test"));
	assert_non_null(strstr(run->err, "dns_name"));
	print_message("%s: a refused name takes %.1f s\n", reader->name, run->ms / 1000);
	assert_true(run->ms < AT_ONCE_MS * lab_slowness());
	assert_false(zone_was_asked("evil"));
}

int main(void) {
	enum { READERS = sizeof(readers) / sizeof(readers[0]) };
	struct CMUnitTest tests[READERS];

	for (size_t i = 0; i < READERS; i++)
		tests[i] = (struct CMUnitTest){.name = readers[i].name,
					       .test_func = test_reader,
					       .teardown_func = zone_leave,
					       .initial_state = (void *)&readers[i]};
	return cmocka_run_group_tests_name("search", tests, NULL, NULL);
}
