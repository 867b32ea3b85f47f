/* SPDX-License-Identifier: BSD-2-Clause */
/* A server thread ──► a record of what reached it. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "lab_parts.h"

enum { MOST = 8192 }; /* connections to one server */

struct connection {
	int fd; /* -1: closed */
	SSL *ssl;
	uint8_t *bytes;
	struct lab_connection seen;
};

struct lab_server {
	struct lab_server *next;
	enum lab_kind kind;
	int listener, stop;
	pthread_t thread;
	SSL_CTX *context;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t changed;
	struct connection *connections[MOST];
	size_t count;
	size_t first_open; /* all before it are closed */
};

static struct lab_server *servers;

static void add_connection(struct lab_server *server, int fd) {
	struct connection *connection = calloc(1, sizeof(*connection));

	if (!connection || server->count == MOST || !(connection->bytes = malloc(LAB_KEPT)))
		abort();
	connection->fd = fd;
	connection->seen.accepted = true;
	connection->seen.bytes = connection->bytes;
	if (server->kind == LAB_TLS)
		connection->ssl = lab_tls_new(server->context, &connection->seen);
	server->connections[server->count++] = connection;
}

static void close_connection(struct connection *connection, int error) {
	connection->seen.closed = true;
	connection->seen.error = error;
	close(connection->fd);
	connection->fd = -1;
}

static void take(struct lab_server *server, struct connection *connection, const uint8_t *bytes, size_t length) {
	struct lab_connection *seen = &connection->seen;

	if (seen->received < LAB_KEPT)
		memcpy(connection->bytes + seen->received, bytes,
		       length < LAB_KEPT - seen->received ? length : LAB_KEPT - seen->received);
	seen->received += length;
	if (server->kind == LAB_ECHO)
		send(connection->fd, bytes, length, MSG_NOSIGNAL);
	/* no close here: one with unread bytes would be a reset, and the client would miss the answer */
	if (server->kind == LAB_TLS && connection->ssl &&
	    !lab_tls_feed(connection->ssl, seen, connection->fd, bytes, length)) {
		SSL_free(connection->ssl);
		connection->ssl = NULL;
		shutdown(connection->fd, SHUT_WR);
	}
}

static void read_connection(struct lab_server *server, struct connection *connection) {
	static __thread uint8_t bytes[1 << 16];
	int one = 1;
	ssize_t length;

	while ((length = recv(connection->fd, bytes, sizeof(bytes), 0)) > 0) {
		/* clients that send in small segments wait for it */
		setsockopt(connection->fd, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof(one));
		take(server, connection, bytes, (size_t)length);
	}
	if (server->kind != LAB_UDP && (length == 0 || errno != EAGAIN))
		close_connection(connection, length == 0 ? 0 : errno);
}

static void accept_all(struct lab_server *server) {
	int fd;

	while ((fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
		add_connection(server, fd);
}

/* One turn: waits for whatever may come and takes it. False: stop. */
static bool turn(struct lab_server *server) {
	static __thread struct pollfd fds[MOST + 2];
	static __thread struct connection *open[MOST];
	nfds_t count = 0;

	while (server->first_open < server->count && server->connections[server->first_open]->fd < 0)
		server->first_open++;
	for (size_t i = server->first_open; i < server->count; i++)
		if (server->connections[i]->fd >= 0) {
			open[count] = server->connections[i];
			fds[count] = (struct pollfd){.fd = open[count]->fd, .events = POLLIN};
			count++;
		}
	fds[count] = (struct pollfd){.fd = server->stop, .events = POLLIN};
	fds[count + 1] = (struct pollfd){.fd = server->kind == LAB_UDP ? -1 : server->listener, .events = POLLIN};
	poll(fds, count + 2, -1);
	pthread_mutex_lock(&server->lock);
	for (nfds_t i = 0; i < count; i++)
		if (fds[i].revents)
			read_connection(server, open[i]);
	if (fds[count + 1].revents)
		accept_all(server);
	pthread_cond_broadcast(&server->changed);
	pthread_mutex_unlock(&server->lock);
	return fds[count].revents == 0;
}

static void *serve(void *argument) {
	while (turn(argument))
		;
	return NULL;
}

struct lab_server *lab_server_at(int namespace_fd, enum lab_kind kind, const char *address, uint16_t port) {
	struct lab_server *server = calloc(1, sizeof(*server));
	pthread_condattr_t monotonic;

	assert_non_null(server);
	server->kind = kind;
	server->listener = lab_listener(namespace_fd, kind == LAB_UDP ? SOCK_DGRAM : SOCK_STREAM, address, port);
	server->stop = eventfd(0, EFD_CLOEXEC);
	pthread_mutex_init(&server->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&server->changed, &monotonic);
	if (kind == LAB_TLS)
		server->context = lab_tls_context();
	if (kind == LAB_UDP)
		add_connection(server, server->listener);
	assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
	server->next = servers;
	servers = server;
	return server;
}

struct lab_server *lab_server(enum lab_kind kind, const char *address, uint16_t port) {
	return lab_server_at(-1, kind, address, port);
}

size_t lab_count(struct lab_server *server) {
	size_t count;

	pthread_mutex_lock(&server->lock);
	count = server->count;
	pthread_mutex_unlock(&server->lock);
	return count;
}

/* With the lock held. */
static struct lab_connection copy(const struct lab_server *server, size_t index) {
	return index < server->count ? server->connections[index]->seen : (struct lab_connection){0};
}

struct lab_connection lab_seen(struct lab_server *server, size_t index) {
	struct lab_connection seen;

	pthread_mutex_lock(&server->lock);
	seen = copy(server, index);
	pthread_mutex_unlock(&server->lock);
	return seen;
}

static bool has_come_to(const struct lab_connection *seen, enum lab_stage stage) {
	switch (stage) {
	case LAB_ACCEPTED:
		return seen->accepted;
	case LAB_HELLO:
		return seen->hello || seen->closed;
	case LAB_HANDSHAKE:
		return seen->handshake || seen->closed;
	default:
		return seen->closed;
	}
}

static struct lab_connection wait_for(struct lab_server *server, size_t index, enum lab_stage stage, size_t bytes) {
	struct lab_connection seen;
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += LAB_PATIENCE_MS / 1000;
	pthread_mutex_lock(&server->lock);
	for (;;) {
		seen = copy(server, index);
		if (has_come_to(&seen, stage) && (seen.received >= bytes || seen.closed))
			break;
		if (pthread_cond_timedwait(&server->changed, &server->lock, &end) == ETIMEDOUT)
			break;
	}
	pthread_mutex_unlock(&server->lock);
	return seen;
}

struct lab_connection lab_wait(struct lab_server *server, size_t index, enum lab_stage stage) {
	return wait_for(server, index, stage, 0);
}

struct lab_connection lab_wait_bytes(struct lab_server *server, size_t index, size_t bytes) {
	return wait_for(server, index, LAB_ACCEPTED, bytes);
}

static void free_server(struct lab_server *server) {
	uint64_t one = 1;

	if (write(server->stop, &one, sizeof(one)) != sizeof(one))
		abort();
	pthread_join(server->thread, NULL);
	for (size_t i = 0; i < server->count; i++) {
		if (server->connections[i]->fd >= 0)
			lab_reset(server->connections[i]->fd);
		SSL_free(server->connections[i]->ssl);
		free(server->connections[i]->bytes);
		free(server->connections[i]);
	}
	if (server->kind != LAB_UDP)
		close(server->listener);
	close(server->stop);
	SSL_CTX_free(server->context);
	pthread_mutex_destroy(&server->lock);
	pthread_cond_destroy(&server->changed);
	free(server);
}

void lab_servers_end(void) {
	struct lab_server *next;

	for (; servers; servers = next) {
		next = servers->next;
		free_server(servers);
	}
}
