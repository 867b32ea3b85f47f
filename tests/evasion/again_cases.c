/* SPDX-License-Identifier: BSD-2-Clause */
/* T14: sockets that are opened again. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "evasion.h"

static struct stream stream;

static void disconnect(int fd) {
	const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};

	assert_int_equal(connect(fd, &nowhere, sizeof(nowhere)), 0);
}

/* Connects the same socket once more. */
static struct trial again(int fd, const char *address, uint16_t port) {
	struct lab_server *server = port == 443 ? evasion_tls : evasion_plain;
	struct trial trial = {.fd = fd, .server = server, .index = lab_count(server)};
	struct sockaddr_storage where;
	socklen_t size = lab_address(address, port, &where);

	evasion_count(1);
	assert_int_equal(connect(fd, (struct sockaddr *)&where, size), 0);
	return trial;
}

static void hello_and_leave(struct trial *trial, const char *name, enum snif_verdict verdict, enum snif_reason reason) {
	stream_hello(&stream, name);
	lab_send(trial->fd, stream.bytes.data, stream.bytes.length);
	lab_expect(verdict, reason);
	disconnect(trial->fd);
	lab_wait(trial->server, trial->index, LAB_CLOSED);
}

static void again_before_a_verdict(void) {
	struct trial trial = trial_open(V4);

	disconnect(trial.fd);
	lab_wait(trial.server, trial.index, LAB_CLOSED);
	trial = again(trial.fd, V4_OTHER, 443);
	trial_hello_passes(&trial, BOUND);
}

static void again_elsewhere_after_allow(void) {
	struct trial trial = trial_open(V4_OTHER);

	hello_and_leave(&trial, BOUND, SNIF_ALLOW, ALLOW);
	trial = again(trial.fd, V4, 443);
	trial_hello_refused(&trial, BOUND, SNIF_REASON_NAME_ELSEWHERE);
}

static void again_other_name_after_allow(void) {
	struct trial trial = trial_open(V4);

	hello_and_leave(&trial, ALLOWED, SNIF_ALLOW, ALLOW);
	trial = again(trial.fd, V4, 443);
	trial_hello_refused(&trial, FORBIDDEN, REFUSE);
}

static void again_inspected_after_plain(void) {
	struct trial trial = trial_open_at(evasion_plain, V4, 8080);

	lab_expect(SNIF_ALLOW, SNIF_REASON_ADDRESS_ALLOWED);
	assert_int_equal(lab_send(trial.fd, "plain", 5), 0);
	lab_wait_bytes(trial.server, trial.index, 5);
	disconnect(trial.fd);
	trial = again(trial.fd, V4, 443);
	trial_hello_refused(&trial, FORBIDDEN, REFUSE);
}

static void again_after_refusal(void) {
	struct trial trial = trial_open(V4);

	hello_and_leave(&trial, FORBIDDEN, SNIF_DENY, REFUSE);
	trial = again(trial.fd, V4, 443);
	trial_hello_passes(&trial, ALLOWED);
}

/* The half of a hello that one connection has sent is nothing that the next one can build on. */
static void again_in_the_middle(void) {
	struct trial trial = trial_open(V4);

	stream_hello(&stream, ALLOWED);
	assert_int_equal(lab_send(trial.fd, stream.bytes.data, 111), 0);
	lab_wait_bytes(trial.server, trial.index, 111);
	disconnect(trial.fd);
	lab_expect(SNIF_DENY, SNIF_REASON_HELLO_INCOMPLETE);
	trial = again(trial.fd, V4, 443);
	lab_send(trial.fd, stream.bytes.data + 111, stream.bytes.length - 111);
	trial_refused_all(&trial, SNIF_REASON_NOT_TLS);
}

static void again_after_refused_address(void) {
	struct sockaddr_storage refused;
	socklen_t size;
	const struct timeval patience = {.tv_sec = LAB_PATIENCE_MS / 1000};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct trial trial;

	evasion_count(1);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	size = lab_address(V4_REFUSED, 443, &refused);
	assert_int_equal(connect(fd, (struct sockaddr *)&refused, size), -1);
	assert_int_equal(errno, EPERM);
	lab_expect(SNIF_DENY, SNIF_REASON_ADDRESS_NOT_ALLOWED);
	trial = again(fd, V4, 443);
	trial_hello_refused(&trial, FORBIDDEN, REFUSE);
}

/* Another connect() while connected is none, and leaves the tag alone. */
static void connect_when_connected(void) {
	static const char *const to[] = {V4_REFUSED, V4_OTHER, V4};
	struct sockaddr_storage where;
	socklen_t size;

	for (size_t i = 0; i < COUNT(to); i++) {
		struct trial trial = trial_open(V4);

		size = lab_address(to[i], 443, &where);
		assert_int_equal(connect(trial.fd, (struct sockaddr *)&where, size), -1);
		assert_int_equal(errno, EISCONN);
		trial_hello_refused(&trial, i == 1 ? BOUND : FORBIDDEN, i == 1 ? SNIF_REASON_NAME_ELSEWHERE : REFUSE);
	}
}

static const struct evasion cases[] = {
	{"T14-again-before-a-verdict", .run = again_before_a_verdict},
	{"T14-again-elsewhere-after-allow", .run = again_elsewhere_after_allow},
	{"T14-again-other-name-after-allow", .run = again_other_name_after_allow},
	{"T14-again-inspected-after-plain", .run = again_inspected_after_plain},
	{"T14-again-after-refusal", .run = again_after_refusal},
	{"T14-again-in-the-middle", .run = again_in_the_middle},
	{"T14-again-after-refused-address", .run = again_after_refused_address},
	{"X-connect-when-connected", .run = connect_when_connected},
};

CATALOGUE(again_cases, cases);
