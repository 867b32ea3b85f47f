/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The servers of the demo ──► one page each, and a line for each connection: what had come in on it.
 *
 * servers CERTIFICATE KEY: prints "ready" when they listen. By HTTPS, who asks for /again can do so again and again.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <openssl/ssl.h>

enum { TIMEOUT_S = 10, HTTPS = 443 };

struct site {
	const char *address;
	uint16_t port;
	const char *name;
	int listener;
};

static struct site sites[] = {
	{.address = "192.0.2.10", .port = HTTPS, .name = "allowed.example"},
	{.address = "2001:db8::10", .port = HTTPS, .name = "allowed.example"},
	{.address = "192.0.2.20", .port = HTTPS, .name = "forbidden.example"},
	{.address = "198.51.100.30", .port = 80, .name = "a plain HTTP server"},
};

enum { SITES = sizeof(sites) / sizeof(sites[0]) };

static SSL_CTX *tls;

static _Noreturn void give_up(const char *what, const struct site *site) {
	fprintf(stderr, "servers: %s %s: %s\n", what, site->address, strerror(errno));
	exit(1);
}

static int print_page(const struct site *site, bool again, char *text, size_t size) {
	char line[128];
	int length = snprintf(line, sizeof(line), "Hello from %s at %s.\n", site->name, site->address);

	return snprintf(text, size, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: %s\r\n\r\n%s", length,
			again ? "keep-alive" : "close", line);
}

/* Answers one request, whatever it asks for. */
static bool answer(const struct site *site, int fd) {
	char request[4096], text[512];
	int length = print_page(site, false, text, sizeof(text));

	return read(fd, request, sizeof(request)) > 0 && write(fd, text, (size_t)length) == length;
}

/* Reads to the end of a request, which may come in pieces. Whether one has come. */
static bool read_request(SSL *ssl, char *request, size_t size) {
	size_t length = 0;
	int got;

	do {
		got = SSL_read(ssl, request + length, (int)(size - 1 - length));
		if (got <= 0)
			return false;
		length += (size_t)got;
		request[length] = '\0';
	} while (!strstr(request, "\r\n\r\n"));
	return true;
}

static bool answer_requests(const struct site *site, SSL *ssl) {
	char request[4096], text[512];
	bool again = true, answered = false;

	while (again && read_request(ssl, request, sizeof(request))) {
		again = strncmp(request, "GET /again ", 11) == 0;
		answered = SSL_write(ssl, text, print_page(site, again, text, sizeof(text))) > 0;
	}
	return answered;
}

static bool answer_tls(const struct site *site, int fd) {
	SSL *ssl = SSL_new(tls);
	bool done = ssl && SSL_set_fd(ssl, fd) == 1 && SSL_accept(ssl) == 1 && answer_requests(site, ssl);

	if (done)
		SSL_shutdown(ssl);
	SSL_free(ssl);
	return done;
}

/* What became of a connection, on which something, or its end, is waited for. */
static const char *serve(const struct site *site, int fd) {
	const struct timeval timeout = {.tv_sec = TIMEOUT_S};
	char byte;
	ssize_t got;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	got = recv(fd, &byte, 1, MSG_PEEK);
	if (got == 0)
		return "closed, not one byte had come";
	if (got < 0)
		return errno == ECONNRESET ? "reset, not one byte had come" : "failed, not one byte had come";
	return (site->port == HTTPS ? answer_tls : answer)(site, fd) ? "sent its page" : "failed";
}

static void *serve_all(void *context) {
	const struct site *site = context;
	int fd;

	while ((fd = accept(site->listener, NULL, NULL)) >= 0) {
		const char *became = serve(site, fd);

		printf("%s at %s port %u: %s\n", site->name, site->address, site->port, became);
		close(fd);
	}
	give_up("cannot accept at", site);
}

static void listen_at(struct site *site) {
	bool ipv6 = strchr(site->address, ':') != NULL;
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(site->port)};
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(site->port)};
	const struct sockaddr *where = ipv6 ? (struct sockaddr *)&six : (struct sockaddr *)&four;

	inet_pton(where->sa_family, site->address, ipv6 ? (void *)&six.sin6_addr : &four.sin_addr);
	site->listener = socket(where->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(site->listener, where, ipv6 ? sizeof(six) : sizeof(four)) || listen(site->listener, 16))
		give_up("cannot listen at", site);
}

int main(int argc, char **argv) {
	bool ipv6 = access("/proc/net/if_inet6", F_OK) == 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	tls = SSL_CTX_new(TLS_server_method());
	if (argc != 3 || !tls || SSL_CTX_use_certificate_chain_file(tls, argv[1]) != 1 ||
	    SSL_CTX_use_PrivateKey_file(tls, argv[2], SSL_FILETYPE_PEM) != 1) {
		fputs("servers: it takes a certificate and its key, in PEM\n", stderr);
		return 1;
	}
	for (size_t i = 0; i < SITES; i++) {
		pthread_t thread;

		if (strchr(sites[i].address, ':') && !ipv6)
			continue;
		listen_at(&sites[i]);
		if (pthread_create(&thread, NULL, serve_all, &sites[i]))
			give_up("cannot start a thread for", &sites[i]);
	}
	puts("ready");
	while (true)
		pause();
}
