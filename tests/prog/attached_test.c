/* SPDX-License-Identifier: BSD-2-Clause */
/* Cgroups that come and go, an older kernel, errors ──► all that are attached are found, or none and an error. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "../support/lab.h"
#include "filter/filter_parts.h"

enum { CGROUPS = 5, MOST_CALLS = 100 };

struct made {
	struct cgroup top; /* the others are below */
	int fds[CGROUPS];
	uint64_t ids[CGROUPS];
	struct filter *filter;
};

static struct made made;
static int calls, goes_at, fails_at; /* the calls at which the last answer's cgroup goes, or that fail; 0: none */
static bool is_old;

static void remove_one(uint64_t id);

/*
 * In libbpf's place, to ask the same kernel; what goes on meanwhile happens here. Before Linux 7.1 there was something
 * behind the last one, which that did not know: it was read where nothing is, and is 0.
 */
int bpf_map_get_next_key(int fd, const void *key, void *next_key) {
	union bpf_attr attr = {.map_fd = (__u32)fd, .key = (uintptr_t)key, .next_key = (uintptr_t)next_key};
	__u64 value[64], none = 0;

	if (++calls > MOST_CALLS)
		fail_msg("it does not end");
	if (calls == goes_at)
		remove_one(*(const uint64_t *)key);
	if (calls == fails_at)
		return -EIO;
	if (syscall(SYS_bpf, BPF_MAP_GET_NEXT_KEY, &attr, sizeof(attr)) == 0)
		return 0;
	if (!is_old || !key || bpf_map_lookup_elem(fd, key, value))
		return -errno;
	*(uint64_t *)next_key = none;
	return 0;
}

static const char *name_of(int number) {
	static char name[2];

	name[0] = (char)('a' + number);
	return name;
}

static void make(void) {
	struct stat status;

	assert_int_equal(cgroup_create(&made.top), 0);
	made.filter = filter_load(true);
	assert_non_null(made.filter);
	assert_int_equal(filter_finish_loading(made.filter), 0);
	for (int i = 0; i < CGROUPS; i++) {
		assert_int_equal(mkdirat(made.top.fd, name_of(i), 0755), 0);
		made.fds[i] = openat(made.top.fd, name_of(i), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_int_equal(fstat(made.fds[i], &status), 0);
		made.ids[i] = status.st_ino;
		assert_int_equal(filter_attach(made.filter, made.fds[i], made.ids[i], 1, 0), 0);
	}
}

/* What is attached to it goes soon after it. */
static void remove_one(uint64_t id) {
	struct snif_attachment attachment;
	double end = lab_now_ms() + LAB_PATIENCE_MS * lab_slowness();

	for (int i = 0; i < CGROUPS; i++)
		if (made.ids[i] == id) {
			assert_int_equal(unlinkat(made.top.fd, name_of(i), AT_REMOVEDIR), 0);
			close(made.fds[i]);
			made.fds[i] = -1;
		}
	while (filter_attachment(made.filter, id, &attachment) == 0 && lab_now_ms() < end)
		lab_sleep_ms(1);
}

static bool is_among(const uint64_t *ids, size_t count, uint64_t id) {
	for (size_t i = 0; i < count; i++)
		if (ids[i] == id)
			return true;
	return false;
}

/* Each that is still there is found, once. */
static void expect_all(void) {
	size_t count, there = 0;
	uint64_t *ids;

	calls = 0;
	assert_int_equal(filter_attached(made.filter, &ids, &count), 0);
	for (int i = 0; i < CGROUPS; i++) {
		assert_true(made.fds[i] < 0 || is_among(ids, count, made.ids[i]));
		there += made.fds[i] >= 0;
	}
	/* of one that went after it was found nobody knows */
	assert_in_range(count, there, there + 1);
	free(ids);
}

static int undo(void **state) {
	for (int i = 0; i < CGROUPS; i++) {
		if (made.fds[i] > 0)
			close(made.fds[i]);
		made.fds[i] = -1;
	}
	filter_free(made.filter);
	cgroup_remove(&made.top);
	calls = goes_at = fails_at = 0;
	is_old = false;
	return lab_leave(state);
}

static void test_all(void **state) {
	(void)state;
	lab_enter();
	make();
	expect_all();
}

static void test_older_kernel(void **state) {
	(void)state;
	lab_enter();
	make();
	is_old = true;
	expect_all();
}

/* Whichever was found last goes, before the next one is asked for; in the end there is one, and then none. */
static void test_gone_meanwhile(void **state) {
	(void)state;
	lab_enter();
	make();
	for (goes_at = CGROUPS; goes_at > 1; goes_at--) {
		is_old = goes_at % 2;
		expect_all();
	}
	goes_at = 2;
	expect_all();
	goes_at = 0;
	expect_all();
}

static void test_errors(void **state) {
	size_t count = 1;
	uint64_t *ids;

	(void)state;
	lab_enter();
	make();
	for (fails_at = 1; fails_at <= CGROUPS + 1; fails_at++) {
		calls = 0;
		assert_int_equal(filter_attached(made.filter, &ids, &count), -EIO);
		assert_null(ids);
		assert_int_equal(count, 0);
	}
}

#define attached_test(function) cmocka_unit_test_teardown(function, undo)

int main(void) {
	const struct CMUnitTest tests[] = {
		attached_test(test_all),
		attached_test(test_older_kernel),
		attached_test(test_gone_meanwhile),
		attached_test(test_errors),
	};

	return cmocka_run_group_tests_name("attached", tests, NULL, NULL);
}
