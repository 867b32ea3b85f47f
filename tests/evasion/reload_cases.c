/* SPDX-License-Identifier: BSD-2-Clause */
/* T18: connections from threads and processes, while policies change. */
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "evasion.h"

enum { THREADS = 8, ROUNDS = 60, RELOADS = 100, FORKS = 200 };

/* Two policies that say the same of the names at hand. */
static const char *const same_policies[] = {
	"version: 1\ndns: {servers: none}\ntls: {allow: [allowed.test, one.test]}\n",
	"version: 1\ndns: {servers: none}\ntls: {allow: [two.test, allowed.test, three.test], deny: [no.test]}\n",
};

struct exchange {
	int fd;
	bool forbidden;
	const struct bytes *hello;
	pthread_t sender;
};

static void *send_thread(void *argument) {
	const struct exchange *exchange = argument;

	lab_send(exchange->fd, exchange->hello->data, 90);
	lab_send(exchange->fd, exchange->hello->data + 90, exchange->hello->length - 90);
	return NULL;
}

/* Connects here, sends from another thread. Returns how often that went wrong. */
static void *exchange_thread(void *argument) {
	const struct bytes *hellos = argument;
	struct exchange exchange;
	size_t wrong = 0;
	char byte;

	for (int i = 0; i < ROUNDS; i++) {
		exchange.forbidden = i % 2;
		exchange.hello = &hellos[i % 2];
		exchange.fd = lab_dial(V4, 443);
		if (exchange.fd < 0 || pthread_create(&exchange.sender, NULL, send_thread, &exchange)) {
			wrong++;
			continue;
		}
		pthread_join(exchange.sender, NULL);
		/* an answer comes, or none will */
		if (exchange.forbidden ? recv(exchange.fd, &byte, 1, MSG_DONTWAIT) > 0
				       : recv(exchange.fd, &byte, 1, 0) != 1)
			wrong++;
		lab_reset(exchange.fd);
	}
	return (void *)wrong;
}

static struct bytes *two_hellos(void) {
	static struct bytes hellos[2];

	hello_make(&hellos[0], &(struct hello){.name = ALLOWED});
	hello_make(&hellos[1], &(struct hello){.name = FORBIDDEN});
	return hellos;
}

/* Of `count` connections since the `first` one, no server has seen the forbidden name, and half have the other one. */
static void only_allowed_seen(size_t first, size_t count) {
	size_t named = 0;

	for (size_t i = 0; i < count; i++) {
		struct lab_connection seen = lab_wait(evasion_tls, first + i, LAB_CLOSED);

		assert_string_not_equal(seen.name, FORBIDDEN);
		if (strcmp(seen.name, ALLOWED) == 0)
			named++;
	}
	assert_int_equal(named, count / 2);
}

static void expect_both(size_t count) {
	size_t allowed = 0, refused = 0;
	const struct snif_event *event;

	for (size_t i = 0; i < count; i++) {
		event = lab_event(1000);
		assert_non_null(event);
		allowed += event->reason == ALLOW;
		refused += event->reason == REFUSE;
	}
	assert_int_equal(allowed, count / 2);
	assert_int_equal(refused, count / 2);
}

static void threads_and_reloads(void) {
	pthread_t threads[THREADS];
	size_t first = lab_count(evasion_tls), wrong = 0;
	void *result;

	evasion_spoilt();
	evasion_use_policy(same_policies[0]);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, exchange_thread, two_hellos()), 0);
	for (size_t i = 0; i < RELOADS; i++) {
		evasion_use_policy(same_policies[(i + 1) % 2]);
		filter_consume(lab_filter());
	}
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &result);
		wrong += (size_t)result;
	}
	evasion_count(THREADS * ROUNDS);
	assert_int_equal(wrong, 0);
	expect_both(THREADS * ROUNDS);
	only_allowed_seen(first, THREADS * ROUNDS);
}

/* A child that is gone before its last segment is: the socket is judged all the same. */
static void fork_storm(void) {
	const struct bytes *hellos = two_hellos();
	size_t first = lab_count(evasion_tls);
	int status, failed = 0, fd;
	pid_t pid;

	for (int i = 0; i < FORKS; i++) {
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			fd = lab_dial(V4, 443);
			if (fd < 0 || lab_send(fd, hellos[i % 2].data, hellos[i % 2].length))
				_exit(1);
			lab_sleep_ms(20);
			lab_reset(fd);
			_exit(0);
		}
	}
	while (wait(&status) > 0)
		failed += status != 0;
	evasion_count(FORKS);
	assert_int_equal(failed, 0);
	expect_both(FORKS);
	only_allowed_seen(first, FORKS);
}

/* A name that is taken off the list loses its open connection, at the next packet; `how` it was allowed matters not. */
static void reload_takes_it_away(void) {
	static struct stream stream;

	for (int settled = 0; settled < 2; settled++) {
		struct trial trial;

		evasion_use_policy(evasion_policy);
		trial = trial_open(V4);
		stream_hello(&stream, SECOND);
		if (settled)
			hello_record(&stream.bytes, 23, "x", 1);
		assert_int_equal(lab_send(trial.fd, stream.bytes.data, stream.bytes.length), 0);
		lab_expect(SNIF_ALLOW, ALLOW);
		lab_wait_bytes(trial.server, trial.index, stream.bytes.length);
		evasion_use_policy(same_policies[0]);
		lab_send(trial.fd, "more", 4);
		trial.may_see[0] = SECOND;
		trial_refused(&trial, SNIF_REASON_REVOKED, stream.bytes.data, stream.bytes.length);
	}
}

static const struct evasion cases[] = {
	{"T18-threads-and-reloads", .run = threads_and_reloads},
	{"T18-fork-storm", .run = fork_storm},
	{"T18-reload-takes-it-away", .run = reload_takes_it_away},
};

CATALOGUE(reload_cases, cases);
