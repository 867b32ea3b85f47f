/* SPDX-License-Identifier: BSD-2-Clause */
/* T15: connections that come in, and addresses and ports that are used again. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "evasion.h"

enum { PORT = 9443 }; /* of servers inside; no rule allows to send there */

static int listen_inside(const char *address) {
	struct sockaddr_storage where;
	socklen_t length = lab_address(address, PORT, &where);
	int fd = socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_int_equal(bind(fd, (struct sockaddr *)&where, length), 0);
	assert_int_equal(listen(fd, 16), 0);
	return fd;
}

static int dial_from_outside(const char *address) {
	int fd;

	evasion_count(1);
	evasion_outside();
	fd = lab_dial(address, PORT);
	evasion_inside();
	assert_true(fd >= 0);
	return fd;
}

static void expect_read(int fd, const char *text) {
	char read[64] = "";

	assert_int_equal(recv(fd, read, sizeof(read), 0), strlen(text));
	assert_string_equal(read, text);
}

static void accepted(void) {
	static const char *const addresses[] = {V4, V6};

	for (size_t i = 0; i < 2; i++) {
		int listener = listen_inside(addresses[i]), client = dial_from_outside(addresses[i]);
		int server = accept(listener, NULL, NULL);

		lab_expect(SNIF_ALLOW, SNIF_REASON_INBOUND_ALLOWED);
		assert_int_equal(lab_send(client, "question", 8), 0);
		expect_read(server, "question");
		assert_int_equal(lab_send(server, "GET / is no TLS", 15), 0);
		expect_read(client, "GET / is no TLS");
		close(server);
		assert_int_equal(recv(client, &client, 1, 0), 0);
		close(client);
		close(listener);
	}
}

static void refused(void) {
	struct sockaddr_storage where;
	socklen_t length = lab_address(V4, PORT, &where);
	int listener = listen_inside(V4), client;
	struct pollfd ready;

	evasion_outside();
	evasion_count(1);
	client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&where, length), -1);
	evasion_inside();
	assert_int_equal(errno, EINPROGRESS);
	lab_expect(SNIF_DENY, SNIF_REASON_INBOUND_DENIED);
	ready = (struct pollfd){.fd = client, .events = POLLOUT};
	assert_int_equal(poll(&ready, 1, 100), 0); /* no answer */
	close(client);
	close(listener);
	while (lab_event(50)) /* the SYN-ACK may have been tried again */
		;
}

/* Accepted before a reload that refuses inbound connections: what it sends is refused from then on. */
static void refused_after_reload(void) {
	int listener = listen_inside(V4), client = dial_from_outside(V4), server = accept(listener, NULL, NULL);

	lab_expect(SNIF_ALLOW, SNIF_REASON_INBOUND_ALLOWED);
	assert_int_equal(lab_send(server, "before", 6), 0);
	expect_read(client, "before");
	evasion_use_policy(evasion_policy_inbound);
	lab_send(server, "behind", 6);
	lab_expect(SNIF_DENY, SNIF_REASON_REVOKED);
	fcntl(client, F_SETFL, O_NONBLOCK);
	assert_int_equal(recv(client, &client, 1, 0), -1);
	assert_int_equal(errno, EAGAIN);
	lab_reset(server);
	close(client);
	close(listener);
}

/* A socket that was accepted is disconnected and connects: it is an outgoing one then. */
static void accepted_then_connected(void) {
	const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
	int listener = listen_inside(V4), client = dial_from_outside(V4);
	struct sockaddr_storage where;
	socklen_t length = lab_address(V4, 443, &where);
	struct trial trial = {.fd = accept(listener, NULL, NULL), .server = evasion_tls};
	const struct timeval patience = {.tv_sec = LAB_PATIENCE_MS / 1000};

	lab_expect(SNIF_ALLOW, SNIF_REASON_INBOUND_ALLOWED);
	setsockopt(trial.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(trial.fd, &nowhere, sizeof(nowhere)), 0);
	close(client);
	close(listener);
	evasion_count(1);
	trial.index = lab_count(evasion_tls);
	assert_int_equal(connect(trial.fd, (struct sockaddr *)&where, length), 0);
	trial_hello_refused(&trial, FORBIDDEN, REFUSE);
}

/* The question comes in the SYN, and the answer leaves before the handshake is over. */
static void accepted_fastopen(void) {
	struct sockaddr_storage where;
	socklen_t length = lab_address(V4, PORT, &where);
	int listener = listen_inside(V4), client, server;

	evasion_outside();
	evasion_count(1);
	client = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(sendto(client, "question", 8, MSG_FASTOPEN, (struct sockaddr *)&where, length), 8);
	evasion_inside();
	server = accept(listener, NULL, NULL);
	lab_expect(SNIF_ALLOW, SNIF_REASON_INBOUND_ALLOWED);
	expect_read(server, "question");
	assert_int_equal(lab_send(server, "answer", 6), 0);
	expect_read(client, "answer");
	lab_reset(server);
	close(client);
	close(listener);
}

/* A network namespace of one's own, with a server in it, is no way around: the cgroup is the same. */
static void own_namespace(void) {
	static struct bytes hello;
	int here = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), listener, client, server;
	struct sockaddr_storage where;
	socklen_t length = lab_address("127.0.0.1", 443, &where);
	char byte;

	evasion_outside();
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	assert_int_equal(system("ip link set lo up"), 0);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&where, length), 0);
	assert_int_equal(listen(listener, 8), 0);
	evasion_inside();
	evasion_count(1);
	client = lab_dial("127.0.0.1", 443);
	assert_true(client >= 0);
	server = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	hello_make(&hello, &(struct hello){.name = FORBIDDEN});
	lab_send(client, hello.data, hello.length);
	lab_expect(SNIF_DENY, REFUSE);
	assert_int_equal(recv(server, &byte, 1, 0), -1);
	assert_int_equal(errno, EAGAIN);
	lab_reset(client);
	close(server);
	close(listener);
	assert_int_equal(setns(here, CLONE_NEWNET), 0);
	close(here);
}

/* Connects from port 9444, which another socket may have too. */
static struct trial open_from_port(const char *address) {
	struct trial trial = trial_of(socket(AF_INET, SOCK_STREAM, 0));
	const struct timeval patience = {.tv_sec = LAB_PATIENCE_MS / 1000};
	struct sockaddr_storage from, where;
	socklen_t length = lab_address(V4, PORT + 1, &from);
	int one = 1;

	lab_address(address, 443, &where);
	setsockopt(trial.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(trial.fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(trial.fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	assert_int_equal(bind(trial.fd, (struct sockaddr *)&from, length), 0);
	assert_int_equal(connect(trial.fd, (struct sockaddr *)&where, length), 0);
	lab_wait(trial.server, trial.index, LAB_ACCEPTED);
	return trial;
}

/* The same four numbers again, one after the other. */
static void port_again(void) {
	for (int i = 0; i < 10; i++) {
		struct trial trial = open_from_port(V4);
		size_t index = trial.index;

		if (i % 2)
			trial_hello_refused(&trial, FORBIDDEN, REFUSE);
		else
			trial_hello_passes(&trial, ALLOWED);
		lab_wait(evasion_tls, index, LAB_CLOSED);
	}
}

/* Two connections from one port at a time, with different rights. */
static void port_shared(void) {
	struct trial here = open_from_port(V4), there = open_from_port(V4_OTHER);

	trial_hello_refused(&here, BOUND, SNIF_REASON_NAME_ELSEWHERE);
	trial_hello_passes(&there, BOUND);
}

static const struct evasion cases[] = {
	{"T15-accepted", .run = accepted},
	{"T15-inbound-refused", .run = refused, .policy = evasion_policy_inbound},
	{"T15-inbound-refused-after-reload", .run = refused_after_reload},
	{"T15-accepted-then-connected", .run = accepted_then_connected},
	{"T15-accepted-fastopen", .run = accepted_fastopen},
	{"X-own-network-namespace", .run = own_namespace},
	{"T15-same-port-again", .run = port_again},
	{"T15-port-shared", .run = port_shared},
};

CATALOGUE(inbound_cases, cases);
