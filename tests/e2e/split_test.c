/* SPDX-License-Identifier: BSD-2-Clause */
/* One ClientHello, cut into segments and records at every place ──► one verdict. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../support/hello_maker.h"
#include "../support/lab.h"

#define ALLOWED "allowed.lab.test"
#define FORBIDDEN "forbidden.lab.test"

static const char policy[] = "version: 1\n"
			     "tls:\n"
			     "  allow: [allowed.lab.test]\n";
static const char policy_of_records[] = "version: 1\n"
					"tls:\n"
					"  unusual: [split_records]\n"
					"  allow: [allowed.lab.test]\n";

static const char *const addresses[] = {"192.0.2.1", "2001:db8::1"};

/* What the child sends: the stream once for each cut from `first` to `last`, as two segments. */
struct job {
	const char *address;
	const struct bytes *stream;
	size_t first, last;
	size_t step;   /* not 0: no cut, but segments of so many bytes */
	bool answered; /* wait for the server's answer */
};

static int send_cut(int fd, const struct job *job, size_t cut) {
	const struct bytes *stream = job->stream;
	int error;

	if (job->step)
		return lab_send_segments(fd, stream->data, stream->length, job->step);
	error = lab_send(fd, stream->data, cut);
	return error ? error : lab_send(fd, stream->data + cut, stream->length - cut);
}

/* Inside. Returns 0, or 1000 + the cut that went wrong. */
static int send_all_cuts(void *argument) {
	const struct job *job = argument;
	char byte;

	for (size_t cut = job->first; cut <= job->last; cut++) {
		int fd = lab_dial(job->address, 443);

		if (fd < 0 || send_cut(fd, job, cut) || (job->answered && recv(fd, &byte, 1, 0) != 1))
			return 1000 + (int)cut;
		lab_reset(fd);
	}
	return 0;
}

static void expect_allowed(struct lab_server *server, size_t first, const struct job *job) {
	for (size_t i = 0; i <= job->last - job->first; i++) {
		struct lab_connection seen = lab_wait(server, first + i, LAB_CLOSED);
		const struct snif_event *event = lab_expect(SNIF_ALLOW, SNIF_REASON_NAME_ALLOWED);

		assert_int_equal(event->name_length, strlen(ALLOWED));
		assert_memory_equal(event->name, ALLOWED, strlen(ALLOWED));
		assert_true(seen.hello);
		assert_string_equal(seen.name, ALLOWED);
		assert_int_equal(seen.received, job->stream->length);
	}
}

/* Of the segments before the completing one the server has every byte, of that one none. */
static void expect_forbidden(struct lab_server *server, size_t first, const struct job *job) {
	for (size_t i = 0; i <= job->last - job->first; i++) {
		size_t passed = job->first + i < job->stream->length ? job->first + i : 0;
		const struct snif_event *event = lab_expect(SNIF_DENY, SNIF_REASON_NAME_NOT_ALLOWED);
		struct lab_connection seen = lab_wait(server, first + i, LAB_CLOSED);

		if (job->step)
			passed = (job->stream->length - 1) / job->step * job->step;
		assert_int_equal(event->name_length, strlen(FORBIDDEN));
		assert_memory_equal(event->name, FORBIDDEN, strlen(FORBIDDEN));
		assert_false(seen.hello);
		assert_int_equal(seen.received, passed);
		assert_memory_equal(seen.bytes, job->stream->data, passed);
	}
}

/* Sends the stream of `hello` in both ways, to the server on `job->address`. */
static void try_both(struct lab_server *server, struct job *job, struct hello hello) {
	static struct bytes stream;
	bool cuts = job->step == 0 && job->last == 0;

	job->stream = &stream;
	for (int allowed = 0; allowed <= 1; allowed++) {
		size_t first = lab_count(server);

		hello.name = allowed ? ALLOWED : FORBIDDEN;
		hello_make(&stream, &hello);
		job->answered = allowed;
		if (cuts) {
			job->first = 1;
			job->last = stream.length;
		}
		assert_int_equal(lab_inside(send_all_cuts, job), 0);
		if (allowed)
			expect_allowed(server, first, job);
		else
			expect_forbidden(server, first, job);
		lab_expect_no_more();
	}
}

static void test_two_segments(void **state) {
	(void)state;
	lab_enter();
	lab_confine(policy);
	for (size_t i = 0; i < 2; i++) {
		struct job job = {.address = addresses[i]};

		try_both(lab_server(LAB_TLS, addresses[i], 443), &job, (struct hello){0});
	}
}

static void test_two_segments_of_small_records(void **state) {
	struct job job = {.address = addresses[0]};

	(void)state;
	lab_enter();
	lab_confine(policy_of_records);
	try_both(lab_server(LAB_TLS, addresses[0], 443), &job, (struct hello){.record_size = 7});
}

/* The last record is the completing one; in one segment it comes with the others. */
static void test_records(void **state) {
	static const size_t sizes[] = {1, 2, 3, 5, 50, 100, 150, 16384};

	(void)state;
	lab_enter();
	lab_confine(policy_of_records);
	for (size_t i = 0; i < 2; i++) {
		struct lab_server *server = lab_server(LAB_TLS, addresses[i], 443);

		for (size_t size = 0; size < sizeof(sizes) / sizeof(sizes[0]); size++) {
			struct job job = {.address = addresses[i], .first = 20, .last = 20};

			try_both(server, &job, (struct hello){.record_size = sizes[size]});
		}
	}
}

static void test_many_segments(void **state) {
	static const size_t steps[] = {1, 2, 3, 10, 100};

	(void)state;
	lab_enter();
	lab_confine(policy);
	for (size_t i = 0; i < 2; i++) {
		struct lab_server *server = lab_server(LAB_TLS, addresses[i], 443);

		for (size_t step = 0; step < sizeof(steps) / sizeof(steps[0]); step++) {
			struct job job = {.address = addresses[i], .step = steps[step]};

			try_both(server, &job, (struct hello){0});
		}
	}
}

/* As with post-quantum key shares: longer than one segment of an ordinary network. */
static void test_name_far_back(void **state) {
	static const struct hello hello = {.name_at = 1500, .size = 1700};
	static struct bytes stream;

	(void)state;
	lab_enter();
	lab_confine(policy);
	hello_make(&stream, &(struct hello){.name = ALLOWED, .name_at = 1500, .size = 1700});
	assert_int_equal(stream.length, 1700);
	assert_memory_equal(stream.data + 1500, ALLOWED, strlen(ALLOWED));
	for (size_t i = 0; i < 2; i++) {
		struct lab_server *server = lab_server(LAB_TLS, addresses[i], 443);
		struct job whole = {.address = addresses[i], .first = 1700, .last = 1700};
		struct job around = {.address = addresses[i], .first = 1490, .last = 1520};
		struct job segments = {.address = addresses[i], .step = 1400};

		try_both(server, &whole, hello);
		try_both(server, &around, hello);
		try_both(server, &segments, hello);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		lab_test(test_two_segments),  lab_test(test_two_segments_of_small_records),
		lab_test(test_records),	      lab_test(test_many_segments),
		lab_test(test_name_far_back),
	};
	return cmocka_run_group_tests_name("split", tests, NULL, NULL);
}
