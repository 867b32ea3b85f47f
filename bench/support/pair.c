/* SPDX-License-Identifier: BSD-2-Clause */
/* Two namespaces ──► connections whose both ends are at hand. */
#include "pair.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../../tests/support/lab_parts.h"
#include "bench.h"

enum { MOST_LISTENERS = 16, DRAIN_MS = 3000 };

static struct {
	int fd;
	bool ipv6;
	uint16_t port;
} listeners[MOST_LISTENERS];
static size_t listener_count;

void pair_network(void) {
	lab_enter();
	bench_arm();
	lab_peer();
}

static int type_of(uint16_t port) {
	return port == PAIR_UDP || port == PAIR_DNS ? SOCK_DGRAM : SOCK_STREAM;
}

/* One for each address and port, made on first use. */
static int listener(bool ipv6, uint16_t port) {
	for (size_t i = 0; i < listener_count; i++)
		if (listeners[i].ipv6 == ipv6 && listeners[i].port == port)
			return listeners[i].fd;
	if (listener_count == MOST_LISTENERS)
		bench_fail("too many different servers");
	listeners[listener_count].fd = lab_listener(lab_peer(), type_of(port), ipv6 ? PAIR_IPV6 : PAIR_IPV4, port);
	listeners[listener_count].ipv6 = ipv6;
	listeners[listener_count].port = port;
	return listeners[listener_count++].fd;
}

static int dial(bool ipv6, uint16_t port) {
	struct sockaddr_storage where;
	socklen_t length = lab_address(ipv6 ? PAIR_IPV6 : PAIR_IPV4, port, &where);
	int fd, one = 1;

	fd = socket(where.ss_family, type_of(port), 0);
	if (fd < 0 || (type_of(port) == SOCK_STREAM && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one))) ||
	    connect(fd, (struct sockaddr *)&where, length))
		bench_fail("no connection to port %u: %s", port, strerror(errno));
	return fd;
}

struct pair pair_open(const struct cell *cell, bool ipv6, uint16_t port) {
	struct pair pair = {.server = listener(ipv6, port)};

	if (cell)
		cell_enter(cell);
	pair.client = dial(ipv6, port);
	if (cell)
		cell_leave();
	if (type_of(port) == SOCK_DGRAM)
		pair.server = dup(pair.server);
	else
		pair.server = accept4(pair.server, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (pair.server < 0)
		bench_fail("the server's end of a connection is missing: %s", strerror(errno));
	return pair;
}

void pair_close(struct pair *pair) {
	lab_reset(pair->client);
	lab_reset(pair->server);
}

void pair_send(const struct pair *pair, const void *bytes, size_t length) {
	int error = lab_send(pair->client, bytes, length);

	if (error)
		bench_fail("the client cannot send: %s", strerror(-error));
}

static void read_all(int fd) {
	static uint8_t bytes[1 << 18];

	while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
}

static void acknowledge_at_once(int fd) {
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof(one));
}

void pair_drain(const struct pair *pair) {
	uint64_t end = bench_now() + DRAIN_MS * 1000000ULL;
	int left;

	do {
		acknowledge_at_once(pair->server);
		read_all(pair->server);
		if (ioctl(pair->client, SIOCOUTQ, &left) || left == 0)
			return;
		sched_yield();
	} while (bench_now() < end);
	bench_fail("what the client sends does not reach the server");
}

void pair_send_back(const struct pair *pair, const void *bytes, size_t length) {
	int error = lab_send(pair->server, bytes, length);

	if (error)
		bench_fail("the server cannot send: %s", strerror(-error));
	acknowledge_at_once(pair->client);
	read_all(pair->client);
}
