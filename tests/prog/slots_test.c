/* SPDX-License-Identifier: BSD-2-Clause */
/* Reloads and policies, one after the other ──► slots are used again, and the kernel holds no more than before. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "../support/lab.h"

/* More than there are slots that are kept for the next time; some are warm-up. */
enum { WARM_UP = 12, RELOADS = 40, POLICIES = 40 };

static size_t maps_of_kernel(void) {
	size_t count = 0;

	for (__u32 id = 0; bpf_map_get_next_id(id, &id) == 0;)
		count++;
	return count;
}

/* The kernel frees maps a moment after they are given up. */
static void expect_maps(size_t wanted) {
	size_t count = 0;

	for (double end = lab_now_ms() + LAB_PATIENCE_MS * lab_slowness(); lab_now_ms() < end; lab_sleep_ms(50))
		if ((count = maps_of_kernel()) <= wanted)
			return;
	fail_msg("there are %zu maps in the kernel, and were %zu", count, wanted);
}

static struct compiled compile(int number) {
	struct diagnostics diagnostics = {0};
	struct compiled compiled;
	struct policy *policy;
	char text[128];

	snprintf(text, sizeof(text), "version: 1\ntls: {allow: [n%d.lab.test]}\n", number);
	policy = policy_parse("slots.yaml", text, strlen(text), &diagnostics);
	assert_non_null(policy);
	assert_int_equal(compile_for_kernel(policy, &compiled), 0);
	policy_free(policy);
	return compiled;
}

static void put_in_force(struct filter *filter, uint32_t policy, int number) {
	struct compiled compiled = compile(number);

	assert_int_equal(filter_set_policy(filter, policy, &compiled), 0);
	compiled_free(&compiled);
}

static void test_reloads(void **state) {
	struct filter *filter;
	uint32_t generation;
	size_t maps;

	(void)state;
	lab_enter();
	filter = filter_load();
	assert_non_null(filter);
	for (int i = 0; i < WARM_UP; i++)
		put_in_force(filter, 1, i);
	maps = maps_of_kernel();
	generation = filter_active(filter, 1).generation;
	for (int i = 0; i < RELOADS; i++)
		put_in_force(filter, 1, 1000 + i);
	assert_int_equal(filter_active(filter, 1).generation, generation + RELOADS);
	assert_true(filter_active(filter, 1).slot <= WARM_UP + 1);
	expect_maps(maps);
	filter_free(filter);
}

static void test_policies(void **state) {
	struct filter *filter;
	uint32_t policy;
	size_t maps = 0;

	(void)state;
	lab_enter();
	filter = filter_load();
	assert_non_null(filter);
	put_in_force(filter, 1, 0);
	for (int i = 0; i < WARM_UP + POLICIES; i++) {
		if (i == WARM_UP)
			maps = maps_of_kernel();
		policy = filter_free_policy(filter);
		assert_int_equal(policy, 2);
		put_in_force(filter, policy, i + 1);
		assert_int_equal(filter_end_policy(filter, policy), 0);
		assert_int_equal(filter_active(filter, policy).slot, 0);
	}
	expect_maps(maps);
	filter_free(filter);
}

/* The same policy a second time needs no tables: a run of one that was run before starts at once. */
static void test_same_again(void **state) {
	struct filter *filter;
	uint16_t slot;

	(void)state;
	lab_enter();
	filter = filter_load();
	assert_non_null(filter);
	put_in_force(filter, 1, 7);
	put_in_force(filter, 2, 8);
	slot = filter_active(filter, 2).slot;
	assert_int_equal(filter_end_policy(filter, 2), 0);
	put_in_force(filter, 3, 8);
	assert_int_equal(filter_active(filter, 3).slot, slot);
	/* but not where somebody may have changed them */
	filter_distrust_tables(filter, 3);
	put_in_force(filter, 3, 8);
	assert_int_not_equal(filter_active(filter, 3).slot, slot);
	filter_free(filter);
}

int main(void) {
	const struct CMUnitTest tests[] = {lab_test(test_reloads), lab_test(test_policies), lab_test(test_same_again)};

	return cmocka_run_group_tests_name("slots", tests, NULL, NULL);
}
