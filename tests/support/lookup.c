/* SPDX-License-Identifier: BSD-2-Clause */
/* A name ──► a question, and a ClientHello. */
#include "lookup.h"

#include <errno.h>
#include <sys/time.h>
#include <unistd.h>

#include "dns.h"

enum { A_LITTLE_MS = 200 };

int lookup_socket(const struct lookup *lookup) {
	const char *server = lookup->server ? lookup->server : LOOKUP_SERVER;
	struct timeval limit = {.tv_sec = 1};
	struct sockaddr_storage where;
	socklen_t size = lab_address(server, SNIF_DNS_PORT, &where);
	int fd = lookup->tcp ? lab_dial(server, SNIF_DNS_PORT) : socket(where.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (!lookup->tcp && connect(fd, (struct sockaddr *)&where, size))
		return -errno;
	return fd;
}

static int receive_framed(int fd) {
	static uint8_t answer[1 << 16];
	size_t length;

	if (lab_receive(fd, answer, 2) != 2)
		return 1;
	length = (size_t)(answer[0] << 8 | answer[1]);
	return lab_receive(fd, answer, length) != length;
}

int look_up(void *argument) {
	struct lookup *lookup = argument;
	static struct bytes framed;
	int fd = lookup_socket(lookup), error;
	char byte;

	if (fd < 0)
		return fd;
	if (lookup->question.length == 0)
		dns_make_question(&lookup->question, LOOKUP_NUMBER, lookup->name,
				  lookup->type ? lookup->type : SNIF_DNS_A);
	framed = lookup->question;
	if (lookup->tcp)
		dns_frame(&framed, &lookup->question);
	error = lookup->piece ? lab_send_segments(fd, framed.data, framed.length, lookup->piece)
			      : lab_send(fd, framed.data, framed.length);
	if (error == 0)
		error = lookup->tcp ? receive_framed(fd) : recv(fd, &byte, 1, 0) <= 0;
	lab_reset(fd);
	return error;
}

int look_up_name(const char *name) {
	struct lookup *lookup = lab_shared(sizeof(*lookup));

	lookup->name = name;
	return lab_inside(look_up, lookup);
}

int greet(void *argument) {
	const struct greeting *greeting = argument;
	struct hello hello = {.name = greeting->name};
	static struct bytes stream;
	int fd = lab_dial(greeting->address, 443), error;
	char byte;

	if (fd < 0)
		return fd;
	hello_make(&stream, &hello);
	error = lab_send(fd, stream.data, stream.length);
	error = error || (greeting->ms && !lab_readable(fd, greeting->ms)) || lab_receive(fd, &byte, 1) != 1;
	lab_reset(fd);
	return error;
}

int greet_at(const char *name, const char *address) {
	return lab_inside(greet, &(struct greeting){name, address, 0});
}

int greet_in_vain(const char *name, const char *address) {
	return lab_inside(greet, &(struct greeting){name, address, A_LITTLE_MS});
}
