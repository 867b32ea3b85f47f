/* SPDX-License-Identifier: BSD-2-Clause */
/* attach, reload, detach, load and unload, ended at each of their calls ──► nothing that the next command cannot mend. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../support/resident.h"

enum { MOST_WORDS = 16 };

static void begin(void) {
	resident_begin();
	lab_server(LAB_TLS, "192.0.2.1", 443);
}

/* Ends the command before its n-th call that changes something. Returns whether it came to its end before that. */
static bool kill_at(unsigned nth, const char *const words[]) {
	static const char calls[] = "bpf,mount,mkdir,mkdirat,rename,renameat,unlink,unlinkat,flock";
	const char *argv[MOST_WORDS + 8] = {"strace", "-qq", "-o", "/dev/null", "-e", NULL, "build/snifence"};
	char inject[160];

	snprintf(inject, sizeof(inject), "inject=%s:signal=SIGKILL:when=%u", calls, nth);
	argv[5] = inject;
	for (size_t i = 0; words[i]; i++)
		argv[i + 7] = words[i];
	return resident_run_quietly(argv) != 128 + SIGKILL;
}

static const char *attach_words[] = {"attach", NULL, "--cgroup", NULL, NULL};
static const char *detach_words[] = {"detach", "--cgroup", NULL, NULL};
static const char *reload_words[] = {"reload", NULL, NULL};

static void begin_killing(void) {
	begin();
	/* a hundred trials: on a busy machine they take longer than a test has */
	alarm(4 * LAB_TEST_SECONDS);
	lab_needs("strace");
	attach_words[1] = reload_words[1] = lab_write("killed.yaml", RESIDENT_ALLOW("kept.lab.test"));
	attach_words[3] = detach_words[2] = resident_cgroup()->path;
	resident_says(0, "load");
}

static void test_killed_attach(void **state) {
	unsigned nth = 1;

	(void)state;
	begin_killing();
	for (; !kill_at(nth, attach_words); nth++) {
		assert_null(resident_untruth());
		resident_anyhow(attach_words); /* finishes it, or finds that it was */
		assert_string_equal(resident_state(), "live");
		resident_anyhow(detach_words);
	}
	assert_true(nth > 20);
}

static void test_killed_reload(void **state) {
	unsigned nth = 1;

	(void)state;
	begin_killing();
	resident_expect(0, attach_words);
	for (; !kill_at(nth, reload_words); nth++)
		assert_null(resident_untruth());
	assert_true(nth > 4);
	assert_true(resident_reaches("kept.lab.test"));
}

static void test_killed_detach(void **state) {
	unsigned nth = 1;

	(void)state;
	begin_killing();
	resident_expect(0, attach_words);
	for (; !kill_at(nth, detach_words); nth += 2) {
		assert_null(resident_untruth());
		resident_anyhow(detach_words);
		assert_int_equal(resident_count("attachments"), 0);
		resident_anyhow(attach_words);
	}
	assert_true(nth > 20);
	assert_true(resident_reaches("other.lab.test"));
}

/*
 * An instance is there whole, or not at all. Ended at each call from which on something is left, and at every fifth of
 * those before; the thread that loads the object makes nothing that stays.
 */
static void test_killed_load(void **state) {
	static const char *const load_words[] = {"load", NULL}, *const unload_words[] = {"unload", NULL};
	unsigned nth = 1, step;

	(void)state;
	begin_killing();
	resident_expect(0, unload_words);
	for (; !kill_at(nth, load_words); nth += step) {
		step = resident_is_pinned("/run/snifence/bpf/*_0*") ? 1 : 5;
		assert_int_equal(resident_count("attachments"), 0);
		resident_anyhow(load_words);
		assert_true(resident_is_pinned("/run/snifence/bpf/*_0/snif_egress"));
		assert_false(resident_is_pinned("/run/snifence/bpf/*_new"));
		resident_anyhow(unload_words);
		assert_false(resident_is_pinned("/run/snifence"));
	}
	assert_true(nth > 40);
	resident_expect(0, attach_words);
	assert_false(resident_reaches("other.lab.test"));
}

static void test_killed_unload(void **state) {
	static const char *const unload_words[] = {"unload", NULL};
	unsigned nth = 1;

	(void)state;
	begin_killing();
	resident_expect(0, attach_words);
	/* nine programs and as many maps: from every third call on */
	for (; !kill_at(nth, unload_words); nth += 3) {
		assert_null(resident_untruth());
		resident_anyhow(unload_words);
		assert_false(resident_is_pinned("/run/snifence"));
		assert_true(resident_reaches("other.lab.test"));
		resident_anyhow(attach_words);
	}
	assert_true(nth > 20);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		resident_test(test_killed_attach), resident_test(test_killed_reload), resident_test(test_killed_detach),
		resident_test(test_killed_load),   resident_test(test_killed_unload),
	};

	return cmocka_run_group_tests_name("killed", tests, NULL, NULL);
}
