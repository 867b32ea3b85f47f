/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * groups.c and what it counts with: memory that stays bounded, time out of order, and names that are close to another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "event/event_words.h"
#include "analysis/groups.h"
#include "analysis/near_miss.h"
#include "analysis/reason_about.h"
#include "analysis/report_groups.h"

static const int64_t second = 1000000, start = 1767323045000000;

static void test_leaders(void **state) {
	struct leaders leaders = {0};
	const char *words[LEADERS];
	char text[64], word[16];

	(void)state;
	assert_int_equal(leaders_sorted(&leaders, words), 0);
	assert_int_equal(leaders_add(&leaders, ""), 0);
	for (int i = 0; i < 3; i++)
		leaders_add(&leaders, "often");
	leaders_add(&leaders, "b");
	leaders_add(&leaders, "a");
	leaders_write(&leaders, text, sizeof(text), "...");
	assert_string_equal(text, "often, a, b");
	leaders_add(&leaders, "c");
	leaders_write(&leaders, text, sizeof(text), "...");
	assert_string_equal(text, "often, a, b, ...");
	leaders_write(&leaders, text, 9, "...");
	assert_string_equal(text, "often, a");
	/* a word that is a fifth of all stays among them, whatever else comes */
	for (int i = 0; i < 4000; i++) {
		snprintf(word, sizeof(word), "word%d", i);
		leaders_add(&leaders, i % 5 ? word : "often");
	}
	assert_int_equal(leaders_sorted(&leaders, words), LEADERS);
	assert_string_equal(words[0], "often");
	assert_true(leaders.more);
	leaders_free(&leaders);
	assert_int_equal(leaders_sorted(&leaders, words), 0);
}

static void count_at(struct timeline *timeline, uint32_t counts[TIMELINE_BUCKETS], int64_t time) {
	struct timeline before = *timeline;

	if (timeline_cover(timeline, time))
		timeline_move(counts, &before, timeline);
	counts[timeline_bucket(timeline, time)]++;
}

/* Whatever the order and the distances, no count is lost, and each is where its time is. */
static void test_timeline(void **state) {
	static const int64_t steps[] = {0, 5, -3, 63, 64, -100, 86400, -86400 * 365, 7};
	struct timeline timeline = {0};
	uint32_t counts[TIMELINE_BUCKETS] = {0}, expected[TIMELINE_BUCKETS] = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		count_at(&timeline, counts, start + steps[i] * second);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		expected[timeline_bucket(&timeline, start + steps[i] * second)]++;
	assert_memory_equal(counts, expected, sizeof(counts));
	assert_true(timeline_begin(&timeline, 0) <= start - 86400 * 365 * second);
	assert_in_range(timeline.last, TIMELINE_BUCKETS / 2 - 1, TIMELINE_BUCKETS - 1);
	assert_true(timeline_begin(&timeline, (unsigned)timeline.last + 1) > start + 86400 * second);
}

/* Buckets begin when the clocks of the place are round: minutes, hours, days, and weeks on Mondays. */
static void test_round_timeline(void **state) {
	static const struct {
		int64_t span, width; /* seconds */
		const char *begin;
	} cases[] = {
		{63, 1, "2026-01-01 08:33:20"},
		{64, 5, "2026-01-01 08:33:20"},
		{5 * 60 + 20, 15, "2026-01-01 08:33:15"},
		{3600, 60, "2026-01-01 08:33:00"},
		{9 * 3600, 900, "2026-01-01 08:30:00"},
		{3 * 86400, 3 * 3600, "2026-01-01 06:00:00"},
		{60 * 86400, 86400, "2026-01-01 00:00:00"},
		{365 * 86400, 7 * 86400, "2025-12-29 00:00:00"},
		{800 * 86400, 14 * 86400, "2025-12-29 00:00:00"},
	};
	const int64_t first = INT64_C(1767236600); /* 2026-01-01 03:03:20 UTC */

	(void)state;
	setenv("TZ", "TST-5:30", 1); /* east of Greenwich, and not by whole hours */
	tzset();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct timeline timeline = {0};
		char begin[32];

		timeline_cover(&timeline, first * second);
		timeline_cover(&timeline, (first + cases[i].span) * second);
		report_moment(begin, sizeof(begin), timeline_begin(&timeline, 0), "%F %T");
		assert_int_equal(timeline.width / second, cases[i].width);
		assert_string_equal(begin, cases[i].begin);
	}
	setenv("TZ", "UTC", 1);
	tzset();
}

static void test_sparkline(void **state) {
	struct timeline timeline = {0};
	uint32_t counts[TIMELINE_BUCKETS] = {0};
	char text[3 * TIMELINE_BUCKETS + 1];

	(void)state;
	for (int i = 0; i < 8; i++)
		for (int times = 0; times <= i; times++)
			count_at(&timeline, counts, start + (i < 4 ? i : i + 2) * second);
	timeline_draw(&timeline, counts, 16, true, text);
	assert_string_equal(text, "▁▂▃▄  ▅▆▇█");
	timeline_draw(&timeline, counts, 16, false, text);
	assert_string_equal(text, ".:-=  +*%#");
	timeline_draw(&timeline, counts, 5, false, text);
	assert_string_equal(text, ":= *#");
}

/* What comes evenly is drawn evenly, whatever number of buckets falls on a column. */
static void test_even_sparkline(void **state) {
	struct timeline timeline = {0};
	uint32_t counts[TIMELINE_BUCKETS] = {0};
	char text[3 * TIMELINE_BUCKETS + 1];

	(void)state;
	for (int i = 0; i < 57; i++)
		count_at(&timeline, counts, start + i * second);
	for (unsigned width = 1; width <= 57; width++) {
		timeline_draw(&timeline, counts, width, false, text);
		assert_int_equal(strlen(text), width);
		assert_int_equal(strspn(text, "#"), width);
	}
}

/* A program that asks for a million names must not take memory for all of them, nor hide how many there were. */
static void test_many_groups(void **state) {
	struct groups *groups = groups_new(BY_NAME);
	struct log_event event = {
		.time = start, .action = LOG_DROP, .reason_word = "name_not_allowed", .process = "curl", .rule = ""};
	const struct group **sorted;
	char name[32];
	size_t count;

	(void)state;
	assert_non_null(groups);
	for (int i = 0; i < GROUPS_MAX + 70; i++) {
		snprintf(name, sizeof(name), "n%d.test", i);
		event.name = name;
		assert_int_equal(groups_add(groups, &event), 0);
	}
	event.name = "n7.test";
	assert_int_equal(groups_add(groups, &event), 0);
	sorted = groups_sorted(groups, &count);
	assert_int_equal(count, GROUPS_MAX);
	assert_string_equal(sorted[0]->key, "n7.test");
	assert_int_equal(sorted[0]->blocked, 2);
	assert_int_equal(groups_other(groups)->blocked, 70);
	assert_int_equal(groups_total(groups)->blocked, GROUPS_MAX + 71);
	free(sorted);
	groups_free(groups);
}

/* What is of no connection is told by its numbers, an option that is judged by its name. */
static void test_objects(void **state) {
	struct log_event event = {.destination = "", .protocol = "", .hook = "device", .major = 10, .minor = 200};
	char text[GROUP_DESTINATION_SIZE];

	(void)state;
	group_destination(&event, text);
	assert_string_equal(text, "device 10:200");
	event = (struct log_event){
		.destination = "232.1.2.3", .protocol = "UDP", .hook = "setsockopt", .level = 0, .option = 46};
	group_destination(&event, text);
	assert_string_equal(text, "socket option MCAST_JOIN_SOURCE_GROUP");
	event.level = 9;
	group_destination(&event, text);
	assert_string_equal(text, "socket option 9:46");
}

/* A name can look like a destination, or like what stands for no property: they are counted apart. */
static void test_names_like_others(void **state) {
	struct groups *groups = groups_new(BY_NAME), *cgroups = groups_new(BY_CGROUP);
	struct log_event destination = {.time = start,
					.action = LOG_DROP,
					.reason_word = "port_not_allowed",
					.process = "",
					.name = "",
					.destination = "192.0.2.1",
					.destination_port = 22,
					.protocol = "TCP",
					.hook = "egress",
					.rule = "",
					.cgroup = ""};
	struct log_event name = destination;
	const struct group **sorted;
	size_t count;

	(void)state;
	assert_true(groups && cgroups);
	name.name = "192.0.2.1:22/TCP";
	name.reason_word = "name_invalid";
	name.cgroup = "(none)";
	for (int i = 0; i < 3; i++) {
		assert_int_equal(groups_add(groups, i < 2 ? &name : &destination), 0);
		assert_int_equal(groups_add(cgroups, i < 2 ? &name : &destination), 0);
	}
	sorted = groups_sorted(groups, &count);
	assert_int_equal(count, 2);
	assert_string_equal(sorted[0]->key, "192.0.2.1:22/TCP");
	assert_string_equal(sorted[0]->reasons.items[0].word, "name_invalid");
	assert_int_equal(sorted[0]->blocked, 2);
	assert_string_equal(sorted[1]->key, "192.0.2.1:22/TCP");
	assert_string_equal(sorted[1]->reasons.items[0].word, "port_not_allowed");
	free(sorted);
	sorted = groups_sorted(cgroups, &count);
	assert_int_equal(count, 2);
	free(sorted);
	groups_free(groups);
	groups_free(cgroups);
}

/* A log can hold longer names than TLS; of what is too long the beginning counts. */
static void test_long_keys(void **state) {
	struct groups *groups = groups_new(BY_CGROUP);
	struct log_event event = {.time = start, .action = LOG_DROP, .reason_word = "", .process = "", .rule = ""};
	static char path[60000];
	const struct group **sorted;
	size_t count;

	(void)state;
	assert_non_null(groups);
	memset(path, 'x', sizeof(path) - 1);
	event.cgroup = event.name = path;
	assert_int_equal(groups_add(groups, &event), 0);
	for (size_t length = GROUP_KEY_LENGTH + 1; length > GROUP_KEY_LENGTH - 9; length--) {
		path[length] = '\0';
		assert_int_equal(groups_add(groups, &event), 0);
		assert_int_equal(groups_add(groups, &event), 0);
	}
	sorted = groups_sorted(groups, &count);
	assert_int_equal(count, 9);
	assert_int_equal(strlen(sorted[0]->key), GROUP_KEY_LENGTH);
	assert_int_equal(sorted[0]->blocked, 5);
	assert_int_equal(strlen(sorted[0]->names.items[0].word), LEADER_LENGTH);
	assert_int_equal(sorted[0]->names.items[0].count, 5);
	for (size_t i = 1; i < count; i++)
		assert_int_equal(sorted[i]->blocked, 2);
	free(sorted);
	groups_free(groups);
}

static void expect_near(const char *refused, const char *allowed, enum host_form form, enum near_miss kind) {
	const struct allowed_name name = {allowed, strlen(allowed), form}, *which = NULL;

	assert_int_equal(near_miss_find(refused, &name, 1, &which), kind);
	assert_ptr_equal(which, kind == NEAR_NONE ? NULL : &name);
}

static void test_near_misses(void **state) {
	(void)state;
	expect_near("example.com", "example.com", HOST_BELOW, NEAR_APEX);
	expect_near("example.com", "example.com", HOST_BOTH, NEAR_NONE);
	expect_near("exampl.com", "example.com", HOST_EXACT, NEAR_EDIT);
	expect_near("eexample.com", "example.com", HOST_EXACT, NEAR_EDIT);
	expect_near("exanple.com", "example.com", HOST_EXACT, NEAR_EDIT);
	expect_near("examlpe.com", "example.com", HOST_EXACT, NEAR_EDIT);
	expect_near("example.co", "example.com", HOST_EXACT, NEAR_EDIT);
	expect_near("exmpel.com", "example.com", HOST_EXACT, NEAR_NONE);
	expect_near("exampl.com", "example.com", HOST_BOTH, NEAR_EDIT);
	expect_near("www.exampl.com", "example.com", HOST_BELOW, NEAR_EDIT);
	expect_near("exampl.com", "example.com", HOST_BELOW, NEAR_NONE);
	expect_near("beta.example.com", "alpha.example.com", HOST_EXACT, NEAR_SIBLING);
	expect_near("beta.example.com", "alpha.xexample.com", HOST_EXACT, NEAR_NONE);
	expect_near("a.beta.example.com", "alpha.example.com", HOST_EXACT, NEAR_NONE);
	expect_near("other.com", "example.com", HOST_EXACT, NEAR_NONE);
	expect_near("other.co.uk", "example.co.uk", HOST_EXACT, NEAR_NONE);
	expect_near("other.github.io", "example.github.io", HOST_EXACT, NEAR_NONE);
	expect_near("", "example.com", HOST_BELOW, NEAR_NONE);
}

/* The closest kind wins, not the first that is found. */
static void test_nearest(void **state) {
	const struct allowed_name names[] = {{"alpha.example.com", 17, HOST_EXACT},
					     {"bets.example.com", 16, HOST_EXACT},
					     {"gamma.example.com", 17, HOST_EXACT}};
	const struct allowed_name *which = NULL;

	(void)state;
	assert_int_equal(near_miss_find("beta.example.com", names, 3, &which), NEAR_EDIT);
	assert_ptr_equal(which, &names[1]);
}

static void test_reasons(void **state) {
	(void)state;
	for (unsigned reason = SNIF_REASON_NONE + 1; reason < SNIF_REASON_COUNT; reason++) {
		assert_int_not_equal(reason_class(reason), REASON_UNKNOWN);
		assert_int_equal(reason_of(reason_code(reason)), reason);
	}
	assert_int_equal(reason_class(reason_of("whim")), REASON_UNKNOWN);
	assert_int_equal(reason_class(SNIF_REASON_NAME_ELSEWHERE), REASON_ELSEWHERE);
	assert_int_equal(reason_class(SNIF_REASON_UNTRACKED), REASON_FILTER);
	assert_int_equal(reason_class(SNIF_REASON_SOCKET_TYPE), REASON_ATTACK);
	assert_int_equal(reason_class(SNIF_REASON_NAME_NOT_ALLOWED), REASON_NO_RULE);
	assert_int_equal(reason_class(SNIF_REASON_NAME_DENIED), REASON_DENY_RULE);
	assert_int_equal(reason_class(SNIF_REASON_NOT_TLS), REASON_UNUSUAL);
	assert_int_equal(reason_class(SNIF_REASON_FURTHER_SUBFLOW), REASON_FILTER);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leaders),		  cmocka_unit_test(test_timeline),
		cmocka_unit_test(test_round_timeline),	  cmocka_unit_test(test_sparkline),
		cmocka_unit_test(test_even_sparkline),	  cmocka_unit_test(test_objects),
		cmocka_unit_test(test_names_like_others), cmocka_unit_test(test_many_groups),
		cmocka_unit_test(test_long_keys),	  cmocka_unit_test(test_near_misses),
		cmocka_unit_test(test_nearest),		  cmocka_unit_test(test_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
