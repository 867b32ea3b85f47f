/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections ──► TLS 1.3 ──► as many bytes as each request asks for. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "bench.h"
#include "sides.h"
#include "tls.h"
#include "../../tests/support/lab_parts.h"

struct peer {
	int fd;
	SSL *ssl;
	struct tls_request request;
	size_t have; /* bytes of the request */
	uint64_t upload, download;
};

static uint8_t chunk[TLS_CHUNK];

static SSL_CTX *context(void) {
	SSL_CTX *made = lab_tls_context();

	SSL_CTX_set_client_hello_cb(made, NULL, NULL);
	SSL_CTX_set_tlsext_servername_callback(made, NULL);
	SSL_CTX_set_min_proto_version(made, TLS1_3_VERSION);
	SSL_CTX_set_num_tickets(made, 0);
	SSL_CTX_set_mode(made, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	return made;
}

/* One step on a connection. Returns what OpenSSL does: over 0, or its way to say why not. */
static int step(struct peer *peer) {
	int count;

	if (peer->upload == 0 && peer->download > 0) {
		count = SSL_write(peer->ssl, chunk, (int)(peer->download < TLS_CHUNK ? peer->download : TLS_CHUNK));
		peer->download -= count > 0 ? (uint64_t)count : 0;
		return count;
	}
	if (peer->upload > 0) {
		count = SSL_read(peer->ssl, chunk, (int)(peer->upload < TLS_CHUNK ? peer->upload : TLS_CHUNK));
		peer->upload -= count > 0 ? (uint64_t)count : 0;
		return count;
	}
	count = SSL_read(peer->ssl, (uint8_t *)&peer->request + peer->have, (int)(TLS_REQUEST_SIZE - peer->have));
	peer->have += count > 0 ? (size_t)count : 0;
	if (peer->have == TLS_REQUEST_SIZE) {
		peer->upload = peer->request.upload;
		peer->download = peer->request.download;
		peer->have = 0;
	}
	return count;
}

/* Goes on until the connection has to wait. False: it has ended. */
static bool serve(struct peer *peer) {
	int result, error;

	do
		result = step(peer);
	while (result > 0);
	error = SSL_get_error(peer->ssl, result);
	return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

static void welcome(SSL_CTX *tls, int epoll, int listener) {
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET};
	struct peer *peer;
	int fd, one = 1;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		peer = calloc(1, sizeof(*peer));
		if (!peer || !(peer->ssl = SSL_new(tls)))
			bench_fail("the server is out of memory");
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		peer->fd = fd;
		SSL_set_fd(peer->ssl, fd);
		SSL_set_accept_state(peer->ssl);
		event.data.ptr = peer;
		epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
	}
}

static void dismiss(struct peer *peer) {
	SSL_free(peer->ssl);
	close(peer->fd);
	free(peer);
}

struct start {
	SSL_CTX *tls;
	int ready[2];
};

enum { LISTENERS = 2 };

static _Noreturn void serve_all(SSL_CTX *tls, int epoll, const int listeners[LISTENERS]) {
	struct epoll_event events[64];
	int count;

	for (;;) {
		count = epoll_wait(epoll, events, 64, -1);
		for (int i = 0; i < count; i++) {
			for (size_t j = 0; !events[i].data.ptr && j < LISTENERS; j++)
				welcome(tls, epoll, listeners[j]);
			if (events[i].data.ptr && !serve(events[i].data.ptr))
				dismiss(events[i].data.ptr);
		}
	}
}

static int be_server(void *argument) {
	const struct start *start = argument;
	struct epoll_event accepting = {.events = EPOLLIN};
	int listeners[LISTENERS] = {lab_listener(-1, SOCK_STREAM, FAR_ADDRESS, TLS_PORT),
				    lab_listener(-1, SOCK_STREAM, FAR_ADDRESS, TLS_PLAIN_PORT)};
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < LISTENERS; i++)
		epoll_ctl(epoll, EPOLL_CTL_ADD, listeners[i], &accepting);
	close(start->ready[0]);
	close(start->ready[1]);
	serve_all(start->tls, epoll, listeners);
}

/* So that the client can check who it talks to, as clients do. */
static void publish_certificate(SSL_CTX *tls) {
	const char *path = sides_write(TLS_CERTIFICATE, "");
	FILE *file = fopen(path, "w");

	if (!file || !PEM_write_X509(file, SSL_CTX_get0_certificate(tls)) || fclose(file))
		bench_fail("cannot write %s: %s", path, strerror(errno));
}

void tls_server_start(void) {
	struct start start = {.tls = context()};
	char none;

	publish_certificate(start.tls);
	if (pipe(start.ready))
		bench_fail("no pipe: %s", strerror(errno));
	sides_fork(FAR, be_server, &start);
	close(start.ready[1]);
	if (read(start.ready[0], &none, 1) != 0) /* its end: the server listens, or has failed and said so */
		bench_fail("the server does not start");
	close(start.ready[0]);
	SSL_CTX_free(start.tls);
}
