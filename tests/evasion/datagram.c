/* SPDX-License-Identifier: BSD-2-Clause */
/* A place ──► a socket ──► what became of what was sent. */
#include "datagram.h"

#include <errno.h>

#include "evasion.h"

struct place place(const char *address, uint16_t port) {
	struct place place;

	place.length = lab_address(address, port, &place.address);
	return place;
}

int datagram_socket(const struct place *place) {
	int fd = socket(place->address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	evasion_count(1);
	return fd;
}

void connect_to(int fd, const struct place *place) {
	assert_int_equal(connect(fd, (const struct sockaddr *)&place->address, place->length), 0);
}

ssize_t send_to(int fd, const struct place *place) {
	return sendto(fd, "x", 1, 0, (const struct sockaddr *)&place->address, place->length);
}

void refused(ssize_t result) {
	assert_int_equal(result, -1);
	assert_int_equal(errno, EPERM);
}

void nothing_arrived(struct lab_server *server, size_t before) {
	lab_sleep_ms(20);
	assert_int_equal(lab_seen(server, 0).received, before);
}

void drain(void) {
	while (lab_event(0))
		;
}

void only_refusals(bool only) {
	struct compiled compiled = *lab_compiled();

	compiled.settings.options.skip_allowed = only;
	assert_int_equal(filter_set_policy(lab_filter(), 1, &compiled), 0);
}
