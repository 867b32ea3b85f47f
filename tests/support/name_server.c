/* SPDX-License-Identifier: BSD-2-Clause */
/* Questions ──► what the test answers. */
#include "name_server.h"

#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dns.h"
#include "lab.h"

enum { MOST_SERVERS = 8, MOST_CONNECTIONS = 64, PAUSE_US = 500 };

struct server {
	name_answer answer;
	unsigned piece; /* bytes; 0: all at once */
	bool loses;	/* the first one */
	bool repeats;
	unsigned gathers; /* answers; 0: each is sent by itself */
	int datagrams, listener;
	struct pollfd open[MOST_CONNECTIONS];
};

static pid_t servers[MOST_SERVERS];
static size_t server_count;
static struct name_log *asked;

static void read_query(const struct bytes *message, struct name_query *query) {
	size_t at = SNIF_DNS_HEADER, length = 0;

	query->message = message;
	while (at < message->length && message->data[at] != 0) {
		size_t label = message->data[at++];

		if (length > 0)
			query->name[length++] = '.';
		for (; label > 0 && at < message->length && length < sizeof(query->name) - 2; label--)
			query->name[length++] = (char)tolower(message->data[at++]);
	}
	query->name[length] = '\0';
	query->type = (uint16_t)(message->data[at + 1] << 8 | message->data[at + 2]);
}

static void reply(const struct server *server, const struct bytes *message, bool tcp, struct bytes *answer) {
	struct name_query query = {.tcp = tcp};
	unsigned number = __atomic_fetch_add(&asked->count, 1, __ATOMIC_RELAXED);

	read_query(message, &query);
	if (number < 256)
		strcpy(asked->names[number], query.name);
	answer->length = 0;
	server->answer(&query, answer);
}

static void serve_datagram(const struct server *server) {
	static struct bytes question, answer;
	struct sockaddr_storage from;
	socklen_t size = sizeof(from);
	ssize_t length = recvfrom(server->datagrams, question.data, sizeof(question.data) / 2, 0,
				  (struct sockaddr *)&from, &size);

	if (length <= SNIF_DNS_HEADER)
		return;
	question.length = (size_t)length;
	reply(server, &question, false, &answer);
	if (answer.length > 0)
		sendto(server->datagrams, answer.data, answer.length, 0, (struct sockaddr *)&from, size);
}

static bool begin_repair(int fd) {
	int on = 1, queue = TCP_SEND_QUEUE;

	return setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)) == 0 &&
	       setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, &queue, sizeof(queue)) == 0;
}

static bool end_repair(int fd) {
	int off = 0;

	return setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &off, sizeof(off)) == 0;
}

/* In repair, what is sent counts as being on its way. So the kernel sends it again, when no acknowledgement comes. */
static int send_lost(int fd, const void *data, size_t length) {
	if (!begin_repair(fd) || lab_send(fd, data, length))
		return -errno;
	return end_repair(fd) ? 0 : -errno;
}

/* A SYN-ACK once more, whose connection has sent so many bytes. Over IPv6, where the kernel does a raw packet's sum. */
static bool repeat_syn(int fd, size_t sent) {
	struct tcphdr header = {.doff = sizeof(header) / 4, .syn = 1, .ack = 1};
	int raw = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_TCP);
	int sum_at = offsetof(struct tcphdr, check);
	socklen_t size = sizeof(uint32_t), from_size, to_size;
	struct sockaddr_in6 from = {0}, to = {0};
	uint32_t next = 0;
	bool done;

	from_size = to_size = sizeof(from);
	done = begin_repair(fd) && getsockopt(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, &next, &size) == 0 && end_repair(fd) &&
	       getsockname(fd, (struct sockaddr *)&from, &from_size) == 0 &&
	       getpeername(fd, (struct sockaddr *)&to, &to_size) == 0;
	header.source = from.sin6_port;
	header.dest = to.sin6_port;
	header.seq = htonl(next - (uint32_t)sent - 1);
	from.sin6_port = to.sin6_port = 0;
	done = done && bind(raw, (struct sockaddr *)&from, from_size) == 0 &&
	       setsockopt(raw, IPPROTO_IPV6, IPV6_CHECKSUM, &sum_at, sizeof(sum_at)) == 0 &&
	       sendto(raw, &header, sizeof(header), 0, (struct sockaddr *)&to, to_size) == sizeof(header);
	close(raw);
	return done;
}

/* Keeps an answer until there are enough. */
static bool gather(const struct server *server, int fd, const struct bytes *framed) {
	static struct bytes all;
	static unsigned count;

	bytes_add(&all, framed->data, framed->length);
	if (++count < server->gathers)
		return true;
	if (lab_send(fd, all.data, all.length))
		return false;
	all.length = count = 0;
	return true;
}

static bool serve_segment(const struct server *server, int fd) {
	static struct bytes question, answer, framed;
	uint8_t length[2];

	if (lab_receive(fd, length, 2) != 2)
		return false;
	question.length = (size_t)(length[0] << 8 | length[1]);
	if (lab_receive(fd, question.data, question.length) != question.length)
		return false;
	reply(server, &question, true, &answer);
	if (answer.length == 0)
		return true;
	dns_frame(&framed, &answer);
	if (server->gathers)
		return gather(server, fd, &framed);
	for (size_t at = 0, piece; at < framed.length; at += piece) {
		piece = server->piece ? server->piece : framed.length;
		if (piece > framed.length - at)
			piece = framed.length - at;
		if (server->loses && at == 0 ? send_lost(fd, framed.data, piece)
					     : lab_send(fd, framed.data + at, piece))
			return false;
		if (server->piece)
			usleep(PAUSE_US);
	}
	return !server->repeats || asked->count > 1 || repeat_syn(fd, framed.length);
}

static void take_connection(struct server *server) {
	int fd = accept(server->listener, NULL, NULL), one = 1;

	for (size_t i = 2; i < MOST_CONNECTIONS; i++) {
		if (fd < 0 || server->open[i].fd >= 0)
			continue;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		server->open[i].fd = fd;
		return;
	}
	if (fd >= 0)
		close(fd);
}

_Noreturn static void serve(struct server *server) {
	server->open[0].fd = server->datagrams;
	server->open[1].fd = server->listener;
	for (size_t i = 0; i < MOST_CONNECTIONS; i++) {
		server->open[i].events = POLLIN;
		if (i > 1)
			server->open[i].fd = -1;
	}
	for (;;) {
		poll(server->open, MOST_CONNECTIONS, -1);
		if (server->open[0].revents)
			serve_datagram(server);
		if (server->open[1].revents)
			take_connection(server);
		for (size_t i = 2; i < MOST_CONNECTIONS; i++) {
			if (server->open[i].fd < 0 || !server->open[i].revents ||
			    serve_segment(server, server->open[i].fd))
				continue;
			close(server->open[i].fd);
			server->open[i].fd = -1;
		}
	}
}

static void start(const char *address, struct server server) {
	struct sockaddr_storage where;
	socklen_t size = lab_address(address, SNIF_DNS_PORT, &where);
	int one = 1;
	pid_t pid;

	if (!asked)
		asked = mmap(NULL, sizeof(*asked), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(asked != MAP_FAILED && server_count < MOST_SERVERS);
	server.datagrams = socket(where.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	server.listener = socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(server.listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_int_equal(bind(server.datagrams, (struct sockaddr *)&where, size), 0);
	assert_int_equal(bind(server.listener, (struct sockaddr *)&where, size), 0);
	assert_int_equal(listen(server.listener, MOST_CONNECTIONS), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(&server);
	}
	close(server.datagrams);
	close(server.listener);
	servers[server_count++] = pid;
}

void name_server(const char *address, name_answer answer) {
	start(address, (struct server){.answer = answer});
}

void name_server_in_pieces(const char *address, name_answer answer, unsigned piece) {
	start(address, (struct server){.answer = answer, .piece = piece});
}

void name_server_that_loses(const char *address, name_answer answer, unsigned piece) {
	start(address, (struct server){.answer = answer, .piece = piece, .loses = true});
}

void name_server_that_repeats(const char *address, name_answer answer) {
	start(address, (struct server){.answer = answer, .repeats = true});
}

void name_server_that_gathers(const char *address, name_answer answer, unsigned count) {
	start(address, (struct server){.answer = answer, .gathers = count});
}

const struct name_log *name_servers_asked(void) {
	return asked;
}

void name_servers_end(void) {
	while (server_count > 0) {
		kill(servers[--server_count], SIGKILL);
		waitpid(servers[server_count], NULL, 0);
	}
	if (asked)
		memset(asked, 0, sizeof(*asked));
}
