/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers ──► socket calls on a few sockets that all threads and processes share. */
#include "operations.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "targets.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What each slot's socket is; drawn once, so that a thread's calls fit the sockets that others make. */
static struct kind { int family, type, protocol; } kinds[SLOTS];

static int draw_slot(struct actor *actor) {
	return FIRST_SLOT + (int)random_below(&actor->random, SLOTS);
}

static bool one_in(struct actor *actor, unsigned count) {
	return random_one_in(&actor->random, count);
}

static void make_socket(const struct kind *kind, int slot) {
	int fd = socket(kind->family, kind->type | SOCK_NONBLOCK, kind->protocol), zero = 0;

	if (fd < 0)
		return;
	if (kind->family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
	if (fd != slot) {
		dup2(fd, slot);
		close(fd);
	}
}

void operations_prepare(const struct storm_plan *plan) {
	static const struct kind usual[] = {
		{AF_INET, SOCK_STREAM, 0},  {AF_INET6, SOCK_STREAM, 0},
		{AF_INET6, SOCK_STREAM, 0}, {AF_INET, SOCK_DGRAM, 0},
		{AF_INET6, SOCK_DGRAM, 0},  {AF_INET6, SOCK_DGRAM, 0},
		{AF_INET, SOCK_STREAM, 0},  {AF_INET6, SOCK_STREAM, IPPROTO_MPTCP},
	};
	struct random random = random_part(plan->seed, STORM_PART_SOCKETS);
	int nothing =
		open("/", O_PATH | O_CLOEXEC); /* what a slot has whose socket is refused: no call can write there */

	payloads_make(plan->seed);
	for (size_t i = 0; i < SLOTS; i++) {
		kinds[i] = random_of(&random, usual);
		dup2(nothing, FIRST_SLOT + (int)i);
		make_socket(&kinds[i], FIRST_SLOT + (int)i);
	}
	close(nothing);
}

/* ---- calls ------------------------------------------------------------------------------------------------------ */

static void do_socket(struct actor *actor) {
	int slot = draw_slot(actor);

	make_socket(&kinds[slot - FIRST_SLOT], slot);
}

/* A socket of any family and kind, which is used once. */
static void do_strange_socket(struct actor *actor) {
	static const int families[] = {AF_INET,	   AF_INET6,  AF_INET,	AF_INET6, AF_UNIX,
				       AF_NETLINK, AF_PACKET, AF_VSOCK, 0};
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET, SOCK_RDM, SOCK_DCCP};
	static const int protocols[] = {0, 0, 1, 2, 6, 17, 33, 41, 47, 50, 58, 132, 136, 255, 262};
	int family = random_one_in(&actor->random, 8) ? (int)random_below(&actor->random, 46)
						      : random_of(&actor->random, families);
	int type = random_of(&actor->random, types), protocol = random_of(&actor->random, protocols);
	struct payload payload = payload_draw(&actor->random);
	struct sockaddr_storage to;
	socklen_t length = target_draw(&actor->random, &to);
	int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		return;
	if (type == SOCK_RAW) /* a packet socket would show nothing of the filter, and no user has one */
		setsockopt(fd, IPPROTO_IP, IP_HDRINCL, &(int){0}, sizeof(int));
	if (sendto(fd, payload.bytes, payload.length, MSG_NOSIGNAL, (struct sockaddr *)&to, length) < 0 &&
	    connect(fd, (struct sockaddr *)&to, length) == 0)
		send(fd, payload.bytes, payload.length, MSG_NOSIGNAL);
	close(fd);
}

static void do_connect(struct actor *actor) {
	struct sockaddr_storage to;
	socklen_t length = target_draw(&actor->random, &to);

	connect(draw_slot(actor), (struct sockaddr *)&to, length);
}

static void disconnect(int fd) {
	connect(fd, &(struct sockaddr){.sa_family = AF_UNSPEC}, sizeof(struct sockaddr));
}

static void do_disconnect(struct actor *actor) {
	disconnect(draw_slot(actor));
}

static int draw_flags(struct actor *actor) {
	static const struct {
		int flag;
		unsigned one_in;
	} flags[] = {{MSG_MORE, 4},	 {MSG_OOB, 16},		 {MSG_CONFIRM, 20},   {MSG_EOR, 20},
		     {MSG_ZEROCOPY, 30}, {0x10 /* PROBE */, 20}, {MSG_DONTROUTE, 30}, {MSG_FASTOPEN, 6}};
	int drawn = MSG_NOSIGNAL | MSG_DONTWAIT;

	for (size_t i = 0; i < COUNT(flags); i++)
		if (one_in(actor, flags[i].one_in))
			drawn |= flags[i].flag;
	return drawn;
}

static void do_send(struct actor *actor) {
	struct payload payload = payload_draw(&actor->random);
	int flags = draw_flags(actor);

	send(draw_slot(actor), payload.bytes, payload.length, flags & ~MSG_FASTOPEN);
}

static void do_sendto(struct actor *actor) {
	struct payload payload = payload_draw(&actor->random);
	int flags = draw_flags(actor), fd = draw_slot(actor);
	struct sockaddr_storage to;
	socklen_t length = target_draw(&actor->random, &to);

	sendto(fd, payload.bytes, payload.length, flags, (struct sockaddr *)&to, length);
}

static void wait_for(int fd, short events, int ms) {
	struct pollfd ready = {.fd = fd, .events = events};

	poll(&ready, 1, ms);
}

/* A slot; half of the time, its socket is made anew first: others have done things to it. */
static int draw_fresh(struct actor *actor) {
	int slot = draw_slot(actor);

	if (one_in(actor, 2))
		make_socket(&kinds[slot - FIRST_SLOT], slot);
	return slot;
}

/* Connects, waits perhaps until that is done, and sends. */
static void do_dial(struct actor *actor) {
	int fd = draw_fresh(actor), ms = (int)random_below(&actor->random, 3);
	struct payload payload = payload_draw(&actor->random);
	struct sockaddr_storage to;
	socklen_t length = target_draw(&actor->random, &to);

	connect(fd, (struct sockaddr *)&to, length);
	wait_for(fd, POLLOUT, ms);
	send(fd, payload.bytes, payload.length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* As clients do, but for the name and for what may follow: a hello, in two pieces perhaps, and then anything. */
static void do_hello(struct actor *actor) {
	int fd = draw_fresh(actor), flags = MSG_NOSIGNAL | MSG_DONTWAIT, ms = 1 + (int)random_below(&actor->random, 4);
	struct payload hello = payload_hello(&actor->random), more = payload_draw(&actor->random);
	size_t cut = one_in(actor, 2) ? random_below(&actor->random, (unsigned)hello.length) : 0;
	bool goes_on = one_in(actor, 4);
	struct sockaddr_storage to;
	socklen_t length = target_inspected(&actor->random, &to);

	connect(fd, (struct sockaddr *)&to, length);
	wait_for(fd, POLLOUT, ms);
	if (cut > 0)
		send(fd, hello.bytes, cut, flags);
	send(fd, hello.bytes + cut, hello.length - cut, flags);
	if (goes_on)
		send(fd, more.bytes, more.length, flags);
}

/* The same socket to one place and then to another: connected, by Fast Open, or with both. */
static void do_again(struct actor *actor) {
	int fd = draw_fresh(actor), flags = draw_flags(actor), ms = (int)random_below(&actor->random, 2);
	struct payload payload = payload_draw(&actor->random);
	struct sockaddr_storage first, second;
	socklen_t first_length = target_draw(&actor->random, &first);
	socklen_t second_length = target_draw(&actor->random, &second);
	bool fast = one_in(actor, 2);

	connect(fd, (struct sockaddr *)&first, first_length);
	if (ms)
		wait_for(fd, POLLOUT, ms);
	disconnect(fd);
	if (!fast)
		connect(fd, (struct sockaddr *)&second, second_length);
	sendto(fd, payload.bytes, payload.length, fast ? flags | MSG_FASTOPEN : flags & ~MSG_FASTOPEN,
	       (struct sockaddr *)&second, fast ? second_length : 0);
}

/* A stream in pieces, each of which may become a segment. */
static void do_pieces(struct actor *actor) {
	struct payload payload = payload_draw(&actor->random);
	unsigned step = 1 + random_below(&actor->random, 400);
	int fd = draw_slot(actor), one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	for (size_t at = 0; at < payload.length && at < (size_t)16 * step; at += step)
		send(fd, payload.bytes + at, step < payload.length - at ? step : payload.length - at,
		     MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void do_sendmsg(struct actor *actor) {
	struct payload payload = payload_draw(&actor->random);
	struct iovec parts[2] = {{(void *)payload.bytes, payload.length / 2},
				 {(void *)(payload.bytes + payload.length / 2), payload.length - payload.length / 2}};
	_Alignas(struct cmsghdr) uint8_t control[256] = {0};
	int flags = draw_flags(actor), fd = draw_slot(actor), count = 1 + (int)random_below(&actor->random, 3);
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	struct mmsghdr several[3];
	struct sockaddr_storage to;
	socklen_t length = target_draw(&actor->random, &to);

	if (one_in(actor, 2)) {
		message.msg_name = &to;
		message.msg_namelen = length;
	}
	option_messages(actor, &message, control, sizeof(control));
	for (int i = 0; i < count; i++)
		several[i].msg_hdr = message;
	sendmmsg(fd, several, (unsigned)count, flags);
}

static void do_listen(struct actor *actor) {
	int fd = draw_slot(actor);

	listen(fd, (int)random_below(&actor->random, 8));
}

static void do_accept(struct actor *actor) {
	int slot = draw_slot(actor), keep = (int)random_below(&actor->random, 2), to = draw_slot(actor);
	struct payload payload = payload_draw(&actor->random);
	int fd = accept4(slot, NULL, NULL, SOCK_NONBLOCK);

	if (fd < 0)
		return;
	send(fd, payload.bytes, payload.length, MSG_NOSIGNAL);
	if (keep)
		dup2(fd, to);
	close(fd);
}

static void do_bind(struct actor *actor) {
	struct sockaddr_storage from;
	socklen_t length = target_source(&actor->random, &from);
	int fd = draw_slot(actor);

	bind(fd, (struct sockaddr *)&from, length);
}

/* A socket that listens, for the visitors from outside; whatever it was before. */
static void do_serve(struct actor *actor) {
	int fd = draw_fresh(actor), one = 1;
	bool anew = one_in(actor, 2);
	struct sockaddr_storage from;
	socklen_t length = target_source(&actor->random, &from);

	if (anew)
		disconnect(fd);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	bind(fd, (struct sockaddr *)&from, length);
	listen(fd, 8);
}

static void do_shutdown(struct actor *actor) {
	int fd = draw_slot(actor);

	shutdown(fd, (int)random_below(&actor->random, 3));
}

static void do_option(struct actor *actor) {
	option_usual(actor, draw_slot(actor));
}

static void do_any_option(struct actor *actor) {
	option_any(actor, draw_slot(actor));
}

static void do_receive(struct actor *actor) {
	static const int flags[] = {0, 0, MSG_PEEK, MSG_TRUNC, MSG_OOB, MSG_ERRQUEUE};
	int fd = draw_slot(actor), flag = random_of(&actor->random, flags);
	char bytes[3000];

	recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT | flag);
}

static void do_linger(struct actor *actor) {
	const struct linger linger = {.l_onoff = one_in(actor, 2)};

	setsockopt(draw_slot(actor), SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

static void do_duplicate(struct actor *actor) {
	int from = draw_slot(actor), to = draw_slot(actor);

	dup2(from, to);
}

/* Gives a slot's socket to whatever process reads it, and takes one. */
static void do_pass(struct actor *actor) {
	_Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec byte = {"x", 1};
	struct msghdr message = {
		.msg_iov = &byte, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	int fd = draw_slot(actor);

	*header =
		(struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	sendmsg(actor->other_end, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void do_take(struct actor *actor) {
	_Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(int))] = {0};
	char byte;
	struct iovec into = {&byte, 1};
	struct msghdr message = {
		.msg_iov = &into, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	int slot = draw_slot(actor), fd;

	if (recvmsg(actor->other_end, &message, MSG_DONTWAIT) < 1 || !CMSG_FIRSTHDR(&message))
		return;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	dup2(fd, slot);
	close(fd);
}

/* From a pipe, whose pages become the packet's. */
static void do_splice(struct actor *actor) {
	struct payload payload = payload_draw(&actor->random);
	int slot = draw_slot(actor), ends[2];
	ssize_t written;

	if (pipe2(ends, O_NONBLOCK | O_CLOEXEC))
		return;
	written = write(ends[1], payload.bytes, payload.length);
	if (written > 0)
		splice(ends[0], NULL, slot, NULL, (size_t)written, SPLICE_F_NONBLOCK | SPLICE_F_MORE);
	close(ends[0]);
	close(ends[1]);
}

static void do_wait(struct actor *actor) {
	wait_for(draw_slot(actor), POLLIN, (int)random_below(&actor->random, 3));
}

static const struct {
	void (*call)(struct actor *actor);
	unsigned weight; /* times that of the plan, to which one is added */
} calls[] = {
	{do_connect, 3},    {do_disconnect, 1}, {do_send, 3},	{do_sendto, 3},	   {do_dial, 4},
	{do_hello, 3},	    {do_again, 3},	{do_pieces, 2}, {do_sendmsg, 2},   {do_listen, 1},
	{do_accept, 1},	    {do_bind, 1},	{do_serve, 1},	{do_shutdown, 1},  {do_option, 4},
	{do_any_option, 3}, {do_receive, 1},	{do_linger, 1}, {do_duplicate, 1}, {do_pass, 1},
	{do_take, 1},	    {do_splice, 1},	{do_wait, 1},	{do_socket, 3},	   {do_strange_socket, 1},
};

_Static_assert(COUNT(calls) <= STORM_OPERATION_KINDS, "each kind of call has a weight");

static unsigned weight(const struct actor *actor, size_t kind) {
	return calls[kind].weight * (1U + actor->plan->weights[kind]);
}

void operation(struct actor *actor) {
	struct timespec pause = {0};
	unsigned drawn;
	size_t kind = 0;

	if (!actor->total)
		for (size_t i = 0; i < COUNT(calls); i++)
			actor->total += weight(actor, i);
	drawn = random_below(&actor->random, actor->total);
	while (drawn >= weight(actor, kind))
		drawn -= weight(actor, kind++);
	calls[kind].call(actor);
	actor->calls++;
	pause.tv_nsec = 1000L * random_below(&actor->random, 400);
	if (one_in(actor, 8))
		nanosleep(&pause, NULL);
}
