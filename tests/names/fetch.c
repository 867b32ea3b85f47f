/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fetch COUNT PARALLEL NAME…: asks the C library for the addresses of these names in turns, connects to port 443 of the
 * first that lets it, and says hello; so often, in so many processes. A % in a name is the number of the fetch. Prints how
 * many were answered, and why others were not.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/hello_maker.h"

static int dial(const struct addrinfo *address) {
	int fd = -1;

	for (; address && fd < 0; address = address->ai_next) {
		fd = socket(address->ai_family, address->ai_socktype, address->ai_protocol);
		if (fd >= 0 && connect(fd, address->ai_addr, address->ai_addrlen)) {
			close(fd);
			fd = -1;
		}
	}
	return fd;
}

static _Bool greet(int fd, const char *name) {
	struct hello hello = {.name = name};
	static struct bytes stream;
	char byte;

	hello_make(&stream, &hello);
	return send(fd, stream.data, stream.length, 0) == (ssize_t)stream.length && recv(fd, &byte, 1, 0) == 1;
}

static _Bool fetch(const char *name) {
	const struct addrinfo stream = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *addresses;
	int error = getaddrinfo(name, "443", &stream, &addresses), fd;
	_Bool good;

	if (error) {
		fprintf(stderr, "%s: %s\n", name, gai_strerror(error));
		return 0;
	}
	fd = dial(addresses);
	good = fd >= 0 && greet(fd, name);
	if (!good)
		fprintf(stderr, "%s: %s\n", name, strerror(errno));
	if (fd >= 0)
		close(fd);
	freeaddrinfo(addresses);
	return good;
}

static int fetch_some(int first, int count, char **names, int name_count) {
	char name[256];
	int good = 0;

	for (int i = first; i < first + count; i++) {
		const char *pattern = names[i % name_count];
		size_t before = strcspn(pattern, "%");

		if (pattern[before])
			snprintf(name, sizeof(name), "%.*s%d%s", (int)before, pattern, i, pattern + before + 1);
		else
			snprintf(name, sizeof(name), "%s", pattern);
		good += fetch(name);
	}
	return good;
}

int main(int argc, char **argv) {
	int count = argc > 3 ? atoi(argv[1]) : 0, parallel = argc > 3 ? atoi(argv[2]) : 0, results[2], good = 0, one;

	if (count <= 0 || parallel <= 0 || pipe(results))
		return 2;
	for (int i = 0; i < parallel; i++)
		if (fork() == 0) {
			one = fetch_some(i * (count / parallel), count / parallel, argv + 3, argc - 3);
			return write(results[1], &one, sizeof(one)) != sizeof(one);
		}
	close(results[1]);
	while (read(results[0], &one, sizeof(one)) == sizeof(one))
		good += one;
	while (wait(NULL) > 0)
		;
	printf("%d of %d\n", good, count / parallel * parallel);
	return 0;
}
