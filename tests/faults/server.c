/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets of this process's network namespace ──► whether anything has come. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "faults.h"

static int plain, tls, datagrams;

static int listen_on(int type, uint16_t port) {
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	inet_pton(AF_INET, SERVER_ADDRESS, &address.sin_addr);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) || (type == SOCK_STREAM && listen(fd, 64)))
		abort();
	return fd;
}

void server_start(void) {
	plain = listen_on(SOCK_STREAM, SERVER_PORT);
	tls = listen_on(SOCK_STREAM, SERVER_TLS_PORT);
	datagrams = listen_on(SOCK_DGRAM, SERVER_UDP_PORT);
}

/* Takes all connections; returns whether there was one, or bytes in one. */
static bool take(int listener, bool bytes) {
	bool seen = false;
	char byte;
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
		seen |= !bytes || recv(fd, &byte, 1, 0) > 0;
		close(fd);
	}
	return seen;
}

bool server_has_seen(char text[FINDING_TEXT]) {
	bool connection = take(plain, false), hello = take(tls, true), datagram = false;
	char byte;

	while (recv(datagrams, &byte, 1, 0) >= 0)
		datagram = true;
	snprintf(text, FINDING_TEXT, "the server has seen%s%s%s", connection ? " a connection" : "",
		 hello ? " a ClientHello" : "", datagram ? " a datagram" : "");
	return connection || hello || datagram;
}
