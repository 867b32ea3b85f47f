/* SPDX-License-Identifier: BSD-2-Clause */
/* What another build has attached ──► taken over, with nothing free meanwhile and nothing cut that was allowed. */
#include <glob.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../support/hello_maker.h"
#include "../support/resident.h"

enum { ANSWER_MS = 400, PROBERS = 2 };

#define OTHER "0123456789ab_0"

struct shared {
	int turn; /* 1: the connections are there; 2: go on; 3: done */
	bool kept_alive, refused_alive;
	atomic_bool over;
	atomic_uint tried, leaked;
};

static const char *policy;

/* An instance is known by the layout in its name: under another name it is another build's. */
static void rename_layout(const char *folder) {
	char pattern[64], to[64];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/????????????_0", folder);
	snprintf(to, sizeof(to), "%s/" OTHER, folder);
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	assert_int_equal(rename(found.gl_pathv[0], to), 0);
	globfree(&found);
}

static void attach_by_another_build(void) {
	resident_says(0, "attach", policy, "--cgroup", resident_cgroup()->path);
	rename_layout("/run/snifence/bpf");
	rename_layout("/run/snifence");
	assert_int_equal(resident_count("attachments"), 0);
	assert_int_equal(resident_count("others"), 1);
}

static int say_hello(const char *name) {
	struct bytes *hello = calloc(1, sizeof(*hello));
	int fd = lab_dial("192.0.2.2", 443);

	hello_make(hello, &(struct hello){.name = name});
	lab_send(fd, hello->data, hello->length);
	free(hello);
	return fd;
}

static bool is_answered(int fd) {
	char bytes[1024];

	return lab_readable(fd, ANSWER_MS * lab_slowness()) && recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0;
}

/* One connection that the other build has allowed, and one that it has refused, whose bytes still wait to be sent. */
static int hold(void *argument) {
	struct shared *shared = argument;
	int kept = say_hello("kept.lab.test"), refused = say_hello("other.lab.test");

	if (!is_answered(kept) || is_answered(refused))
		return 1;
	lab_turn(&shared->turn, 1);
	if (!lab_await_turn(&shared->turn, 2))
		return 2;
	shared->kept_alive = lab_send(kept, "\x17\3\3\0\1x", 6) == 0 && is_answered(kept);
	/* with the time of a retransmission */
	shared->refused_alive = is_answered(refused) || is_answered(refused);
	lab_turn(&shared->turn, 3);
	lab_reset(kept);
	lab_reset(refused);
	return 0;
}

/* Tries without pause what both refuse. */
static int probe(void *argument) {
	struct shared *shared = argument;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!atomic_load(&shared->over)) {
		int fd = say_hello("other.lab.test");

		atomic_fetch_add(&shared->leaked, lab_readable(fd, 10));
		atomic_fetch_add(&shared->tried, 1);
		lab_reset(fd);
	}
	return 0;
}

static struct shared *begin(void) {
	resident_begin();
	lab_server(LAB_TLS, "192.0.2.1", 443);
	lab_server(LAB_ECHO, "192.0.2.2", 443);
	policy = lab_write("taken.yaml", RESIDENT_ALLOW("kept.lab.test"));
	attach_by_another_build();
	return lab_shared(sizeof(struct shared));
}

static void test_take_over(void **state) {
	struct shared *shared = begin();
	pid_t holder, probers[PROBERS];

	(void)state;
	holder = resident_start(resident_cgroup(), hold, shared);
	assert_true(lab_await_turn(&shared->turn, 1));
	for (int i = 0; i < PROBERS; i++)
		probers[i] = resident_start(resident_cgroup(), probe, shared);
	lab_sleep_ms(50);
	resident_says(0, "load", "--take-over");
	lab_sleep_ms(50);
	atomic_store(&shared->over, true);
	for (int i = 0; i < PROBERS; i++)
		assert_int_equal(resident_finish(probers[i]), 0);
	lab_turn(&shared->turn, 2);
	assert_true(lab_await_turn(&shared->turn, 3));
	assert_int_equal(resident_finish(holder), 0);
	assert_true(shared->tried > 4);
	assert_int_equal(shared->leaked, 0);
	assert_true(shared->kept_alive);
	assert_false(shared->refused_alive);

	assert_string_equal(resident_state(), "live");
	assert_int_equal(resident_count("others"), 0);
	assert_int_equal(access("/run/snifence/" OTHER, F_OK), -1);
	assert_true(resident_reaches("kept.lab.test"));
	assert_false(resident_reaches("other.lab.test"));
	/* of the other nothing is left that would refuse anything */
	resident_says(0, "detach", "--cgroup", resident_cgroup()->path);
	assert_true(resident_reaches("other.lab.test"));
}

/* A file that is wrong now leaves all as it is. */
static void test_wrong_file(void **state) {
	(void)state;
	begin();
	lab_write("taken.yaml", "version: 1\ntls: [\n");
	resident_says(125, "load", "--take-over");
	assert_int_equal(resident_count("others"), 1);
	assert_int_equal(resident_count("attachments"), 0);
	assert_true(resident_reaches("kept.lab.test"));
	assert_false(resident_reaches("other.lab.test"));
	lab_write("taken.yaml", RESIDENT_ALLOW("kept.lab.test"));
	resident_says(0, "load", "--take-over");
	assert_string_equal(resident_state(), "live");
}

/* One of two files is wrong now: what is under the other one is taken over, whichever comes first. */
static void take_one_of_two(bool second_is_wrong) {
	struct cgroup second;
	const char *other, *wrong;

	resident_begin();
	lab_server(LAB_TLS, "192.0.2.1", 443);
	assert_int_equal(cgroup_create(&second), 0);
	policy = lab_write("taken.yaml", RESIDENT_ALLOW("kept.lab.test"));
	other = lab_write("second.yaml", RESIDENT_ALLOW("kept.lab.test"));
	resident_says(0, "attach", other, "--cgroup", second.path);
	attach_by_another_build();
	wrong = second_is_wrong ? "second.yaml" : "taken.yaml";
	lab_write(wrong, "version: 1\ntls: [\n");
	resident_says(125, "load", "--take-over");
	assert_int_equal(resident_count("others"), 1);
	assert_int_equal(resident_count("attachments"), 1);
	assert_string_equal(resident_state(), "live");
	assert_false(resident_reaches("other.lab.test"));
	assert_int_not_equal(resident_inside(&second, resident_greet, "other.lab.test"), 0);
	lab_write(wrong, RESIDENT_ALLOW("kept.lab.test"));
	resident_says(0, "load", "--take-over");
	assert_int_equal(resident_count("others"), 0);
	assert_int_equal(resident_count("attachments"), 2);
	resident_says(0, "unload");
	cgroup_remove(&second);
}

static void test_wrong_first(void **state) {
	(void)state;
	take_one_of_two(false);
}

static void test_wrong_second(void **state) {
	(void)state;
	take_one_of_two(true);
}

/* Ended at any call, the next one goes on. */
static void test_killed(void **state) {
	static const char *const words[] = {"load", "--take-over", NULL};
	char inject[100];
	unsigned nth = 1;
	int status;

	(void)state;
	begin();
	lab_needs("strace");
	resident_says(0, "load");
	do {
		snprintf(inject, sizeof(inject), "inject=bpf,unlink,unlinkat,rename,mkdir:signal=SIGKILL:when=%u", nth);
		status = resident_run_quietly((const char *const[]){"strace", "-qq", "-o", "/dev/null", "-e", inject,
								    "build/snifence", "load", "--take-over", NULL});
		assert_false(resident_reaches("other.lab.test"));
		nth += 9;
	} while (status == 128 + SIGKILL);
	assert_true(nth > 40);
	resident_expect(0, words);
	assert_string_equal(resident_state(), "live");
	assert_int_equal(resident_count("others"), 0);
	resident_says(0, "detach", "--cgroup", resident_cgroup()->path);
	assert_true(resident_reaches("other.lab.test"));
}

int main(void) {
	const struct CMUnitTest tests[] = {resident_test(test_take_over), resident_test(test_wrong_file),
					   resident_test(test_wrong_first), resident_test(test_wrong_second),
					   resident_test(test_killed)};

	return cmocka_run_group_tests_name("take_over", tests, NULL, NULL);
}
