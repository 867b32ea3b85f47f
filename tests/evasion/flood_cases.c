/* SPDX-License-Identifier: BSD-2-Clause */
/* T16, K5: very many connections at once. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "evasion.h"

enum { HALVES = 2000, FLOOD = 20000, FLOOD_THREADS = 64, SLAB_SLACK_KB = 16384, MOST_FILES = 2 * HALVES + 1000 };

static void allow_files(void) {
	if (!lab_allow_files(MOST_FILES))
		evasion_skip("it takes %d open files, and a process may not have as many here (ulimit -Hn)",
			     MOST_FILES);
}

/* The number behind `key` in a file of /proc. */
static long proc_number(const char *path, const char *key) {
	FILE *file = fopen(path, "r");
	char line[256], *found;
	long number = -1;

	while (file && number < 0 && fgets(line, sizeof(line), file))
		if ((found = strstr(line, key)))
			number = strtol(found + strlen(key), NULL, 10);
	if (file)
		fclose(file);
	return number;
}

struct memory {
	long slab_kb, sockets; /* sockets: of TCP, in this namespace */
};

static struct memory memory_now(void) {
	return (struct memory){proc_number("/proc/meminfo", "Slab:"), proc_number("/proc/net/sockstat", "TCP: inuse")};
}

/* Waits for what the kernel frees with a delay, and compares. */
static void memory_is_back(struct memory before, const char *what) {
	struct memory now = memory_now();

	for (int i = 0; i < 100 && (now.sockets > before.sockets || now.slab_kb > before.slab_kb + 1024); i++) {
		lab_sleep_ms(50);
		now = memory_now();
	}
	print_message("%s: kernel slabs %ld kB before, %ld kB after; TCP sockets %ld before, %ld after\n", what,
		      before.slab_kb, now.slab_kb, before.sockets, now.sockets);
	if (now.slab_kb > before.slab_kb + SLAB_SLACK_KB)
		fail_msg("the kernel's memory has grown by %ld kB", now.slab_kb - before.slab_kb);
	assert_true(now.sockets <= before.sockets);
}

/* ---- a server that only counts ---- */

static struct {
	int listener, epoll, stop;
	pthread_t thread;
	size_t accepted, closed, bytes;
} sink;

static void *sink_serve(void *argument) {
	struct epoll_event events[256];
	char read[4096];
	ssize_t length;
	int count, fd;

	(void)argument;
	while (!__atomic_load_n(&sink.stop, __ATOMIC_ACQUIRE)) {
		count = epoll_wait(sink.epoll, events, 256, 100);
		for (int i = 0; i < count; i++) {
			if (events[i].data.fd == sink.listener) {
				while ((fd = accept4(sink.listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
					struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

					epoll_ctl(sink.epoll, EPOLL_CTL_ADD, fd, &event);
					sink.accepted++;
				}
				continue;
			}
			while ((length = recv(events[i].data.fd, read, sizeof(read), 0)) > 0)
				sink.bytes += (size_t)length;
			if (length == 0 || errno != EAGAIN) {
				close(events[i].data.fd);
				sink.closed++;
			}
		}
	}
	return NULL;
}

static void sink_open(void) {
	struct sockaddr_storage where;
	socklen_t length = lab_address(V4, 8443, &where);
	struct epoll_event event = {.events = EPOLLIN};
	int one = 1;

	evasion_outside();
	memset(&sink, 0, sizeof(sink));
	sink.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	setsockopt(sink.listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_int_equal(bind(sink.listener, (struct sockaddr *)&where, length), 0);
	assert_int_equal(listen(sink.listener, 4096), 0);
	sink.epoll = epoll_create1(0);
	event.data.fd = sink.listener;
	epoll_ctl(sink.epoll, EPOLL_CTL_ADD, sink.listener, &event);
	assert_int_equal(pthread_create(&sink.thread, NULL, sink_serve, NULL), 0);
	evasion_inside();
}

static void sink_close(void) {
	__atomic_store_n(&sink.stop, 1, __ATOMIC_RELEASE);
	pthread_join(sink.thread, NULL);
	close(sink.listener);
	close(sink.epoll);
}

/* ---- T16 ---- */

static void half_finished(void) {
	static int fds[HALVES];
	static struct stream stream;
	struct memory before;
	size_t passed = 0, counted = filter_counter(lab_filter(), 1, SNIF_REASON_HELLO_INCOMPLETE);

	allow_files();
	evasion_spoilt();
	sink_open();
	stream_hello(&stream, ALLOWED);
	before = memory_now();
	for (size_t i = 0; i < HALVES; i++) {
		fds[i] = lab_dial(V4, 8443);
		assert_true(fds[i] >= 0);
		assert_int_equal(lab_send(fds[i], stream.bytes.data, 60 + i % 100), 0);
		passed += 60 + i % 100;
		evasion_count(1);
	}
	assert_null(lab_event(100));
	for (int i = 0; i < 100 && sink.bytes < passed; i++)
		lab_sleep_ms(20);
	assert_int_equal(sink.bytes, passed);
	print_message("%d half-finished hellos: kernel slabs %ld kB before, %ld kB while they are there\n", HALVES,
		      before.slab_kb, memory_now().slab_kb);
	/* every second one is finished after all */
	for (size_t i = 0; i < HALVES; i += 2) {
		assert_int_equal(lab_send(fds[i], stream.bytes.data + 60 + i % 100, stream.bytes.length - 60 - i % 100),
				 0);
		lab_expect(SNIF_ALLOW, ALLOW);
	}
	for (size_t i = 0; i < HALVES; i++) {
		lab_reset(fds[i]);
		if (i % 2)
			lab_expect(SNIF_DENY, SNIF_REASON_HELLO_INCOMPLETE);
	}
	assert_int_equal(filter_counter(lab_filter(), 1, SNIF_REASON_HELLO_INCOMPLETE), counted + HALVES / 2);
	memory_is_back(before, "half-finished hellos, closed");
	sink_close();
}

struct flood {
	size_t events; /* that came through the ring buffer */
	size_t strange;
};

static void on_flood_event(void *context, const struct snif_event *event) {
	struct flood *flood = context;

	flood->events++;
	if (event->verdict != SNIF_DENY || event->reason != REFUSE)
		flood->strange++;
}

/* The sink is in this process, too: where it falls behind, its ends of connections take the last descriptors. */
static int flood_dial(void) {
	int fd = lab_dial(V4, 8443);

	for (int i = 0; i < 1000 && fd == -EMFILE; i++) {
		lab_sleep_ms(10);
		fd = lab_dial(V4, 8443);
	}
	return fd;
}

static void *flood_thread(void *argument) {
	const struct bytes *hello = argument;
	size_t failed = 0;

	for (int i = 0; i < FLOOD / FLOOD_THREADS + (FLOOD % FLOOD_THREADS != 0); i++) {
		int fd = flood_dial();

		if (fd < 0) {
			failed++;
			continue;
		}
		lab_send(fd, hello->data, hello->length);
		lab_reset(fd);
	}
	return (void *)failed;
}

/* Nobody reads the ring buffer for a while, so that it overflows. */
static size_t flood_wave(struct filter *filter, const struct bytes *hello) {
	pthread_t threads[FLOOD_THREADS];
	size_t failed = 0;
	void *result;

	for (size_t i = 0; i < FLOOD_THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, flood_thread, (void *)hello), 0);
	lab_sleep_ms(300);
	filter_consume(filter);
	for (size_t i = 0; i < FLOOD_THREADS; i++) {
		pthread_join(threads[i], &result);
		failed += (size_t)result;
		filter_consume(filter);
	}
	return failed;
}

static void blocked_flood(void) {
	static struct stream stream;
	struct flood flood = {0};
	struct second second;
	struct memory before;
	size_t failed, expected = FLOOD_THREADS * (FLOOD / FLOOD_THREADS + (FLOOD % FLOOD_THREADS != 0)), lost;
	double started = lab_now_ms();

	allow_files();
	evasion_spoilt();
	sink_open();
	stream_hello(&stream, FORBIDDEN);
	second_open(&second);
	second_attach(&second, true);
	assert_true(filter_events(second.filter, 0, on_flood_event, &flood) >= 0);
	before = memory_now();
	failed = flood_wave(second.filter, &stream.bytes);
	evasion_count(expected);
	lost = filter_counter(second.filter, 1, SNIF_COUNTER_LOST);
	print_message(
		"flood: %zu connections from %d threads in %.0f ms: %zu refused connect(), %zu events, %zu lost\n",
		expected, FLOOD_THREADS, lab_now_ms() - started, failed, flood.events, lost);
	assert_int_equal(failed, 0);
	assert_int_equal(flood.strange, 0);
	assert_int_equal(filter_counter(second.filter, 1, REFUSE), expected);
	assert_int_equal(flood.events + lost, expected);
	/* where the queue of accept() was full for a moment, a connection ends before the server has seen it */
	for (int i = 0; i < 100 && (sink.accepted == 0 || sink.closed < sink.accepted); i++)
		lab_sleep_ms(50);
	assert_int_equal(sink.closed, sink.accepted);
	assert_true(sink.accepted > expected / 10 * 9);
	assert_int_equal(sink.bytes, 0);
	memory_is_back(before, "flood, closed");
	sink_close();
	second_close(&second);
}

/* ---- K5: how much may leave of hellos that are not complete ---- */

enum { UNFINISHED = 400, UNFINISHED_BYTES = 16000, SPLIT = 500, SPLIT_ROUNDS = 3 };

static void sink_waits_for(size_t bytes) {
	for (int i = 0; i < 100 && sink.bytes < bytes; i++)
		lab_sleep_ms(20);
}

/* Opens connections that send most of a hello, until one is refused for that; returns how many. */
static size_t leave_unfinished(int fds[UNFINISHED], const struct bytes *hello) {
	const struct snif_event *event = NULL;
	size_t count = 0;

	while (count < UNFINISHED && !event) {
		fds[count] = lab_dial(V4, 8443);
		assert_true(fds[count] >= 0);
		lab_send(fds[count++], hello->data, UNFINISHED_BYTES);
		event = lab_event(0);
	}
	if (!event)
		fail_msg("%zu unfinished hellos, and none is refused", count);
	assert_int_equal(event->verdict, SNIF_DENY);
	assert_int_equal(event->reason, SNIF_REASON_HELLO_BUDGET);
	return count;
}

/* Many hellos that never end, to where somebody may listen: what leaves is little, and a whole hello still passes. */
static void unfinished(void) {
	static int fds[UNFINISHED];
	static struct stream stream;
	double started = lab_now_ms();
	size_t count, most;
	struct trial trial;

	allow_files();
	evasion_spoilt();
	sink_open();
	stream_of(&stream, &(struct hello){.name = ALLOWED, .size = 16384});
	lab_refill_budget();
	count = leave_unfinished(fds, &stream.bytes);
	lab_sleep_ms(100);
	most = SNIF_EARLY_BURST + (size_t)((lab_now_ms() - started) / 1000 * SNIF_EARLY_RATE);
	print_message("%zu unfinished hellos: %zu bytes have left\n", count, sink.bytes);
	assert_true(sink.bytes <= most);
	assert_true(sink.bytes > most - 2 * UNFINISHED_BYTES - SNIF_EARLY_RATE);
	trial = trial_open(V4);
	trial_hello_passes(&trial, ALLOWED);
	for (size_t i = 0; i < count; i++) {
		lab_reset(fds[i]);
		if (i + 1 < count)
			lab_expect(SNIF_DENY, SNIF_REASON_HELLO_INCOMPLETE);
	}
	sink_close();
}

/* As many clients at once as cut their hellos in two, of which all first halves leave first, again and again. */
static void split_in_parallel(void) {
	static const size_t sizes[] = {517, 1800};
	static int fds[SPLIT];
	static struct stream stream;
	size_t passed = 0, half;

	allow_files();
	evasion_spoilt();
	sink_open();
	lab_refill_budget();
	for (size_t round = 0; round < SPLIT_ROUNDS * COUNT(sizes); round++) {
		stream.bytes.length = 0;
		stream_of(&stream, &(struct hello){.name = ALLOWED, .size = sizes[round % COUNT(sizes)]});
		half = stream.bytes.length / 2;
		for (size_t i = 0; i < SPLIT; i++) {
			fds[i] = lab_dial(V4, 8443);
			assert_true(fds[i] >= 0);
			assert_int_equal(lab_send(fds[i], stream.bytes.data, half), 0);
		}
		sink_waits_for(passed + SPLIT * half);
		assert_null(lab_event(0));
		for (size_t i = 0; i < SPLIT; i++) {
			assert_int_equal(lab_send(fds[i], stream.bytes.data + half, stream.bytes.length - half), 0);
			lab_expect(SNIF_ALLOW, ALLOW);
		}
		passed += SPLIT * stream.bytes.length;
		sink_waits_for(passed);
		for (size_t i = 0; i < SPLIT; i++)
			lab_reset(fds[i]);
	}
	assert_int_equal(sink.bytes, passed);
	sink_close();
	evasion_count(SPLIT_ROUNDS * COUNT(sizes) * SPLIT);
}

static const struct evasion cases[] = {
	{"K5-unfinished-hellos", .run = unfinished},
	{"K5-split-hellos-in-parallel", .run = split_in_parallel},
	{"T16-half-finished-hellos", .run = half_finished},
	{"T16-blocked-flood", .run = blocked_flood},
};

CATALOGUE(flood_cases, cases);
