/* SPDX-License-Identifier: BSD-2-Clause */
/* Reloads and policies, one after the other ──► slots are used again, and the kernel holds no more than before. */
#include <string.h>

#include "../support/lab.h"

/* More than there are slots that are kept for the next time; some are warm-up. */
enum { WARM_UP = 12, RELOADS = 40, POLICIES = 40 };

/* Slots with tables in the kernel. */
static unsigned filled(const struct filter *filter) {
	static const __u8 none[32];
	unsigned count = 0;

	for (uint32_t i = 1; i < SNIF_SLOTS; i++)
		count += memcmp(filter_settings(filter, i)->sha256, none, sizeof(none)) != 0;
	return count;
}

static struct compiled compile(const char *text) {
	struct diagnostics diagnostics = {0};
	struct compiled compiled;
	struct policy *policy;

	policy = policy_parse("slots.yaml", text, strlen(text), &diagnostics);
	assert_non_null(policy);
	assert_int_equal(compile_for_kernel(policy, &compiled), 0);
	policy_free(policy);
	return compiled;
}

static void put_text_in_force(struct filter *filter, uint32_t policy, const char *text) {
	struct compiled compiled = compile(text);

	assert_int_equal(filter_set_policy(filter, policy, &compiled), 0);
	compiled_free(&compiled);
}

static void put_in_force(struct filter *filter, uint32_t policy, int number) {
	char text[128];

	snprintf(text, sizeof(text), "version: 1\ntls: {allow: [n%d.lab.test]}\n", number);
	put_text_in_force(filter, policy, text);
}

static void test_reloads(void **state) {
	struct filter *filter;
	uint32_t generation;
	unsigned slots;

	(void)state;
	lab_enter();
	filter = filter_load(true);
	assert_non_null(filter);
	for (int i = 0; i < WARM_UP; i++)
		put_in_force(filter, 1, i);
	slots = filled(filter);
	generation = filter_active(filter, 1).generation;
	for (int i = 0; i < RELOADS; i++)
		put_in_force(filter, 1, 1000 + i);
	assert_int_equal(filter_active(filter, 1).generation, generation + RELOADS);
	assert_true(filter_active(filter, 1).slot <= WARM_UP + 1);
	assert_int_equal(filled(filter), slots);
	filter_free(filter);
}

static void test_policies(void **state) {
	struct filter *filter;
	uint32_t policy;
	unsigned slots = 0;

	(void)state;
	lab_enter();
	filter = filter_load(true);
	assert_non_null(filter);
	put_in_force(filter, 1, 0);
	for (int i = 0; i < WARM_UP + POLICIES; i++) {
		if (i == WARM_UP)
			slots = filled(filter);
		policy = filter_free_policy(filter);
		assert_int_equal(policy, 2);
		put_in_force(filter, policy, i + 1);
		assert_int_equal(filter_end_policy(filter, policy), 0);
		assert_int_equal(filter_active(filter, policy).slot, 0);
	}
	assert_int_equal(filled(filter), slots);
	filter_free(filter);
}

/* The same policy a second time needs no tables: a run of one that was run before starts at once. */
static void test_same_again(void **state) {
	struct filter *filter;
	uint16_t slot;

	(void)state;
	lab_enter();
	filter = filter_load(true);
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

/* Rules in another order have other numbers, by which events name them: the tables of the one are not those of the
 * other. */
static void test_another_order(void **state) {
	struct filter *filter;

	(void)state;
	lab_enter();
	filter = filter_load(true);
	assert_non_null(filter);
	put_text_in_force(filter, 1, "version: 1\ntls: {allow: [a.lab.test, b.lab.test]}\n");
	put_text_in_force(filter, 2, "version: 1\ntls: {allow: [b.lab.test, a.lab.test]}\n");
	put_text_in_force(filter, 3, "# elsewhere\nversion: 1\n\ntls: {allow: [a.lab.test, b.lab.test]}\n");
	assert_int_not_equal(filter_active(filter, 2).slot, filter_active(filter, 1).slot);
	assert_int_equal(filter_active(filter, 3).slot, filter_active(filter, 1).slot);
	filter_free(filter);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		lab_test(test_reloads),
		lab_test(test_policies),
		lab_test(test_same_again),
		lab_test(test_another_order),
	};

	return cmocka_run_group_tests_name("slots", tests, NULL, NULL);
}
