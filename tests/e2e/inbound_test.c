/* SPDX-License-Identifier: BSD-2-Clause */
/* A connection accepted inside the cgroup ──► works in both directions, unless the policy denies it. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../support/lab.h"

#define POLICY "version: 1\ntls: {allow: [allowed.lab.test]}\ndns: {servers: none}\n"

enum { PORT = 8443, ANSWER = 1 << 20 };

struct service {
	const char *address;
	int turn; /* 1: it listens */
};

/* Inside: accepts one connection, reads "ping", answers with a megabyte. */
static int serve_one(void *argument) {
	struct service *service = argument;
	struct sockaddr_storage where;
	socklen_t length = lab_address(service->address, PORT, &where);
	int listener = socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, fd;
	char *answer = calloc(1, ANSWER), request[4];

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&where, length) || listen(listener, 8))
		return -errno;
	lab_turn(&service->turn, 1);
	if (!lab_readable(listener, LAB_PATIENCE_MS))
		return -ETIMEDOUT;
	fd = accept(listener, NULL, NULL);
	if (fd < 0 || lab_receive(fd, request, sizeof(request)) != sizeof(request) || memcmp(request, "ping", 4))
		return -EPROTO;
	return lab_send(fd, answer, ANSWER);
}

static pid_t start_service(struct service **service, const char *address) {
	pid_t pid;

	*service = lab_shared(sizeof(**service));
	(*service)->address = address;
	pid = lab_start_inside(serve_one, *service);
	assert_true(lab_await_turn(&(*service)->turn, 1));
	return pid;
}

static void ask(int fd) {
	static char answer[ANSWER];

	assert_true(fd >= 0);
	assert_int_equal(lab_send(fd, "ping", 4), 0);
	assert_int_equal(lab_receive(fd, answer, ANSWER), ANSWER);
	close(fd);
}

static void test_accepted(void **state) {
	static const char *const addresses[] = {"192.0.2.2", "2001:db8::2"};
	struct service *service;

	(void)state;
	lab_enter();
	lab_confine(POLICY);
	for (size_t i = 0; i < 2; i++) {
		pid_t pid = start_service(&service, addresses[i]);

		ask(lab_dial(addresses[i], PORT));
		assert_int_equal(lab_finish_inside(pid), 0);
		lab_expect(SNIF_ALLOW, SNIF_REASON_INBOUND_ALLOWED);
		lab_expect_no_more();
	}
}

/* The same over a device, from another host. */
static void test_accepted_from_elsewhere(void **state) {
	static const char *const addresses[] = {"203.0.113.101", "2001:db8:1::1"};
	struct service *service;
	int peer;

	(void)state;
	lab_enter();
	peer = lab_peer();
	lab_confine(POLICY);
	for (size_t i = 0; i < 2; i++) {
		pid_t pid = start_service(&service, addresses[i]);

		ask(lab_dial_at(peer, addresses[i], PORT));
		assert_int_equal(lab_finish_inside(pid), 0);
		lab_expect(SNIF_ALLOW, SNIF_REASON_INBOUND_ALLOWED);
		lab_expect_no_more();
	}
}

/*
 * Whether a service at the address answers. That the connection comes about says nothing: Linux 6.1 shows the SYN-ACK
 * over IPv6 to no hook, and holds back all that follows it.
 */
static bool answers(const char *address) {
	struct sockaddr_storage where;
	socklen_t length = lab_address(address, PORT, &where);
	int fd = socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct pollfd ready = {.fd = fd, .events = POLLOUT};
	char byte;
	bool answered = false;

	if (connect(fd, (struct sockaddr *)&where, length) == 0 || poll(&ready, 1, 300) == 1) {
		lab_send(fd, "ping", 4);
		answered = lab_readable(fd, 300) && recv(fd, &byte, 1, 0) == 1;
	}
	close(fd);
	return answered;
}

static void test_denied(void **state) {
	static const char *const addresses[] = {"192.0.2.2", "2001:db8::2"};
	struct service *service;

	(void)state;
	lab_enter();
	/* the answer is not let through as if the connection had been opened here */
	lab_confine(POLICY "direct: {allow: [{to: 192.0.2.2}, {to: \"2001:db8::2\"}]}\ninbound: deny\n");
	for (size_t i = 0; i < 2; i++) {
		start_service(&service, addresses[i]);
		assert_false(answers(addresses[i]));
		lab_expect(SNIF_DENY, SNIF_REASON_INBOUND_DENIED);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		lab_test(test_accepted),
		lab_test(test_accepted_from_elsewhere),
		lab_test(test_denied),
	};
	return cmocka_run_group_tests_name("inbound", tests, NULL, NULL);
}
