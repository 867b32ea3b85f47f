/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports ──► listeners that answer a little, and clients that come from outside. */
#include "servers.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "../support/lab.h"
#include "random.h"
#include "storm.h"
#include "world.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

enum { MOST_OPEN = 256, ANSWER = 200 };

struct end {
	int fd;
	bool datagrams;
};

static struct {
	int there, epoll;
	struct random random;
	struct end fixed[2 * STORM_PORTS];
	int open[MOST_OPEN]; /* connections, the oldest is replaced; -1: none */
	size_t next;
	atomic_bool stop;
	pthread_t thread;
} servers;

static void watch(int fd, uint64_t key) {
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = key};

	epoll_ctl(servers.epoll, EPOLL_CTL_ADD, fd, &event);
}

static void keep(int fd) {
	int *place = &servers.open[servers.next % MOST_OPEN];

	if (*place >= 0)
		close(*place);
	*place = fd;
	watch(fd, 2 * STORM_PORTS + servers.next % MOST_OPEN);
	servers.next++;
}

static int listener(uint16_t port, int type) {
	struct sockaddr_in6 where = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	int fd = -1, one = 1, zero = 0, queue = 64;

	if (type == SOCK_STREAM)
		fd = world_socket_there(servers.there, AF_INET6, type | SOCK_NONBLOCK, IPPROTO_MPTCP);
	if (fd < 0)
		fd = world_socket_there(servers.there, AF_INET6, type | SOCK_NONBLOCK, 0);
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
	setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof(queue));
	if (bind(fd, (struct sockaddr *)&where, sizeof(where)) || (type == SOCK_STREAM && listen(fd, 512)))
		fail_msg("no server on port %u: %s", port, strerror(errno));
	return fd;
}

static void answer_datagram(int fd) {
	struct sockaddr_storage from;
	socklen_t length = sizeof(from);
	char bytes[ANSWER];
	ssize_t came = recvfrom(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &length);

	if (came >= 0)
		sendto(fd, bytes, (size_t)came, MSG_NOSIGNAL, (struct sockaddr *)&from, length);
}

static void answer(int *fd) {
	static char bytes[1 << 16];
	ssize_t came = recv(*fd, bytes, sizeof(bytes), 0);

	if (came > 0)
		send(*fd, bytes, came < ANSWER ? (size_t)came : ANSWER, MSG_NOSIGNAL);
	if (came > 0 && !random_one_in(&servers.random, 16))
		return;
	if (came != 0 && (came > 0 || errno != EAGAIN) && random_one_in(&servers.random, 2))
		lab_reset(*fd);
	else
		close(*fd);
	*fd = -1;
}

static void serve(uint64_t key) {
	struct end *end = key < 2 * STORM_PORTS ? &servers.fixed[key] : NULL;
	int fd;

	if (!end && servers.open[key - 2 * STORM_PORTS] >= 0)
		answer(&servers.open[key - 2 * STORM_PORTS]);
	else if (end && end->datagrams)
		answer_datagram(end->fd);
	else if (end && (fd = accept4(end->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
		keep(fd);
}

/* Connects or sends to an address of here, to where a storm may listen. */
static void visit(void) {
	static const char *const hosts[] = {"203.0.113.101", "192.0.2.1", "2001:db8:1::1", "2001:db8::1"};
	bool stream = random_one_in(&servers.random, 2);
	struct sockaddr_storage where;
	socklen_t length =
		lab_address(random_of(&servers.random, hosts),
			    (uint16_t)(STORM_LISTEN_PORT + random_below(&servers.random, STORM_LISTEN_PORTS)), &where);
	int fd = socket(where.ss_family, (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	if (stream) {
		connect(fd, (struct sockaddr *)&where, length);
		keep(fd);
		return;
	}
	sendto(fd, "visit", 5, MSG_NOSIGNAL, (struct sockaddr *)&where, length);
	close(fd);
}

static void *run(void *unused) {
	struct epoll_event events[32];
	int count;

	(void)unused;
	setns(servers.there, 0); /* of this thread: visitors come from there */
	while (!atomic_load(&servers.stop)) {
		count = epoll_wait(servers.epoll, events, 32, 5);
		for (int i = 0; i < count; i++)
			serve(events[i].data.u64);
		if (random_one_in(&servers.random, 4))
			visit();
	}
	return NULL;
}

void servers_start(int there, uint64_t seed) {
	servers.there = there;
	servers.random = random_part(seed, STORM_PART_SERVERS);
	servers.epoll = epoll_create1(EPOLL_CLOEXEC);
	for (size_t i = 0; i < MOST_OPEN; i++)
		servers.open[i] = -1;
	for (size_t i = 0; i < STORM_PORTS; i++) {
		servers.fixed[2 * i] = (struct end){.fd = listener(storm_ports[i], SOCK_STREAM)};
		servers.fixed[2 * i + 1] = (struct end){.fd = listener(storm_ports[i], SOCK_DGRAM), .datagrams = true};
		watch(servers.fixed[2 * i].fd, 2 * i);
		watch(servers.fixed[2 * i + 1].fd, 2 * i + 1);
	}
	assert_int_equal(pthread_create(&servers.thread, NULL, run, NULL), 0);
}

void servers_stop(void) {
	atomic_store(&servers.stop, true);
	pthread_join(servers.thread, NULL);
}
