/* SPDX-License-Identifier: BSD-2-Clause */
/* setsockopt() and open() of a device ──► what the calls take, confined and not. */
#include "call_cost.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

enum { SLICES = 200, CALLS = 500 };

static int call_once(int fd, enum call call) {
	int value = call == CALL_OPTION;

	if (call == CALL_DEVICE)
		return close(open("/dev/null", O_RDWR | O_CLOEXEC));
	if (call == CALL_OPTION)
		return setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, sizeof(value));
	return setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &value, sizeof(value));
}

/* A socket belongs to the cell in which it is made. */
static void measure(struct place *place, const void *argument) {
	const enum call call = *(const enum call *)argument;
	uint64_t begin;
	int fd, error = 0;

	cell_enter(&place->cell);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	begin = bench_now();
	for (int i = 0; i < CALLS; i++)
		error |= call_once(fd, call);
	place_add(place, (double)(bench_now() - begin) / CALLS);
	cell_leave();
	if (error)
		bench_fail("a call failed: %s", strerror(errno));
	close(fd);
}

void call_cost(struct place *places, size_t count, enum call call) {
	places_take_turns(places, count, bench_count(SLICES, 5), measure, &call);
	places_print(places, count);
}
