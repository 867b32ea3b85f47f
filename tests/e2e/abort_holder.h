/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process that holds both ends of a TCP connection over loopback, in whatever network namespace, and says what comes
 * of it. All of this runs in the forked process: no asserts, it ends with status 1 instead.
 */
#ifndef SNIF_ABORT_HOLDER_H
#define SNIF_ABORT_HOLDER_H

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../support/lab.h"
#include "address.h"

enum where { HERE, IN_NEW_NAMESPACE, IN_NEW_USER_NAMESPACE };
enum command { SAY_WHAT_CAME = 'w', SAY_WHETHER_ALIVE = 'a', BIND_TO_DEVICE = 'b' };

/* The process, as the test sees it. */
struct holder {
	pid_t pid;
	int control;
	struct snif_event event, listener; /* of the connecting socket; of the one that accepted it */
};

struct answer {
	int client, peer; /* what read() says: 0 or an errno */
};

#define CHECK(condition)                                                                                               \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			print_error("%s:%d: %s (errno %d)\n", __FILE__, __LINE__, #condition, errno);                  \
			_exit(1);                                                                                      \
		}                                                                                                      \
	} while (0)

static void enter_namespace(enum where where) {
	struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd;

	if (where == HERE)
		return;
	CHECK(unshare(CLONE_NEWNET | (where == IN_NEW_USER_NAMESPACE ? CLONE_NEWUSER : 0)) == 0);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK(ioctl(fd, SIOCSIFFLAGS, &loopback) == 0);
	close(fd);
}

/* An address as events have it. */
static __u16 read_address(const struct sockaddr_storage *from, __u8 address[16]) {
	const struct sockaddr_in6 *ipv6 = (const void *)from;
	const struct sockaddr_in *ipv4 = (const void *)from;

	if (from->ss_family == AF_INET)
		snif_map_ipv4(address, &ipv4->sin_addr);
	else
		memcpy(address, &ipv6->sin6_addr, 16);
	return ntohs(from->ss_family == AF_INET ? ipv4->sin_port : ipv6->sin6_port);
}

static struct snif_event describe(int fd) {
	struct snif_event event = {.protocol = IPPROTO_TCP,
				   .hook = SNIF_HOOK_EGRESS,
				   .verdict = SNIF_DENY,
				   .process.pid = (__u32)getpid(),
				   .interface = if_nametoindex("lo"),
				   .reason = SNIF_REASON_NAME_NOT_ALLOWED};
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);

	CHECK(getsockname(fd, (void *)&address, &length) == 0);
	event.source_port = read_address(&address, event.source);
	length = sizeof(address);
	if (getpeername(fd, (void *)&address, &length) == 0)
		event.destination_port = read_address(&address, event.destination);
	length = sizeof(event.flow);
	CHECK(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &event.flow, &length) == 0);
	CHECK(getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &event.netns_cookie, &length) == 0);
	return event;
}

static int listen_on(const char *address, __u16 port, struct sockaddr_storage *bound, socklen_t *length) {
	int fd, off = 0;

	*length = lab_address(address, port, bound);
	fd = socket(bound->ss_family, SOCK_STREAM, 0);
	if (bound->ss_family == AF_INET6)
		CHECK(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) == 0);
	CHECK(fd >= 0 && bind(fd, (void *)bound, *length) == 0 && listen(fd, 1) == 0);
	CHECK(getsockname(fd, (void *)bound, length) == 0);
	return fd;
}

/* From the port below, unless the kernel is to choose both. */
static int connect_to(const char *address, const struct sockaddr_storage *listener, __u16 port) {
	int fd = socket(listener->ss_family, SOCK_STREAM, 0);
	struct sockaddr_storage own;
	socklen_t length = lab_address(address, port ? port - 1 : 0, &own);

	CHECK(bind(fd, (void *)&own, length) == 0);
	CHECK(connect(fd, (const void *)listener, length) == 0);
	return fd;
}

static int read_error(int fd) {
	struct timeval patience = {.tv_sec = LAB_PATIENCE_MS / 1000};
	char byte;

	CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0);
	return read(fd, &byte, 1) < 0 ? errno : 0;
}

static int echo_error(int from, int to) {
	return send(from, "x", 1, MSG_NOSIGNAL) == 1 ? read_error(to) : errno;
}

/* Opens the connection, tells of it, and does what the test asks until the test has enough. */
static void hold(int control, const char *address, __u16 port, enum where where) {
	struct sockaddr_storage bound;
	struct answer answer;
	struct snif_event events[2];
	socklen_t length;
	int listener, client, peer;
	char command;

	alarm((unsigned)(LAB_TEST_SECONDS * lab_slowness()));
	enter_namespace(where);
	listener = listen_on(address, port, &bound, &length);
	client = connect_to(address, &bound, port);
	peer = accept(listener, NULL, NULL);
	CHECK(peer >= 0);
	events[0] = describe(client);
	events[1] = describe(listener);
	CHECK(write(control, events, sizeof(events)) == sizeof(events));
	while (read(control, &command, 1) == 1) {
		if (command == BIND_TO_DEVICE)
			CHECK(setsockopt(client, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) == 0);
		if (command == SAY_WHAT_CAME)
			answer = (struct answer){read_error(client), read_error(peer)};
		else
			answer = (struct answer){echo_error(peer, client), echo_error(client, peer)};
		CHECK(write(control, &answer, sizeof(answer)) == sizeof(answer));
	}
	_exit(0);
}

#endif
