/* SPDX-License-Identifier: BSD-2-Clause */
/* T1, T2: connections opened in unusual ways. */
#include <errno.h>
#include <fcntl.h>
#include <linux/mptcp.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "evasion.h"

#define NODELAY 1 /* TCP_NODELAY: <netinet/tcp.h> and <linux/tcp.h> don't go together */

enum { IPPROTO_MPTCP_ = 262, SOL_MPTCP_ = 284, MPTCP_INFO_ = 1 };

static struct stream stream;

static int new_socket(const char *address, struct sockaddr_storage *where, socklen_t *length) {
	const struct timeval patience = {.tv_sec = LAB_PATIENCE_MS / 1000};
	int one = 1, fd;

	*length = lab_address(address, 443, where);
	fd = socket(where->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(fd, IPPROTO_TCP, NODELAY, &one, sizeof(one));
	return fd;
}

/* ---- T1 ---- */

static int fastopen_by_sendto(const char *address, const uint8_t *bytes, size_t length) {
	struct sockaddr_storage where;
	socklen_t size;
	int fd = new_socket(address, &where, &size);

	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (sendto(fd, bytes, length, MSG_FASTOPEN, (struct sockaddr *)&where, size) < 0)
		assert_int_equal(errno, EINPROGRESS);
	fcntl(fd, F_SETFL, 0);
	return fd;
}

static int fastopen_by_connect(const char *address, const uint8_t *bytes, size_t length) {
	struct sockaddr_storage where;
	socklen_t size;
	int fd = new_socket(address, &where, &size), one = 1;

	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &one, sizeof(one)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&where, size), 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (send(fd, bytes, length, 0) < 0)
		assert_int_equal(errno, EINPROGRESS);
	fcntl(fd, F_SETFL, 0);
	return fd;
}

static bool data_in_syn(int fd) {
	struct tcp_info info = {0};
	socklen_t size = sizeof(info);

	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size);
	return info.tcpi_options & TCPI_OPT_SYN_DATA;
}

typedef int (*fastopen)(const char *address, const uint8_t *bytes, size_t length);
static const fastopen fastopens[] = {fastopen_by_sendto, fastopen_by_connect};
static const char *const addresses[] = {V4, V6};

static void fastopen_allowed(void) {
	stream_hello(&stream, ALLOWED);
	for (size_t i = 0; i < 4; i++) {
		struct trial trial = trial_of(-1);

		trial.fd = fastopens[i / 2](addresses[i % 2], stream.bytes.data, stream.bytes.length);
		lab_expect(SNIF_ALLOW, ALLOW);
		lab_wait_bytes(trial.server, trial.index, stream.bytes.length);
		assert_true(data_in_syn(trial.fd));
		trial_passed(&trial, stream.bytes.data, stream.bytes.length);
	}
}

static void fastopen_denied(void) {
	stream_hello(&stream, FORBIDDEN);
	for (size_t i = 0; i < 4; i++) {
		evasion_count(1);
		refused_unseen(fastopens[i / 2](addresses[i % 2], stream.bytes.data, stream.bytes.length), REFUSE);
	}
}

/* Not TLS at all, in the SYN. */
static void fastopen_other(void) {
	evasion_count(1);
	refused_unseen(fastopen_by_sendto(V4, (const uint8_t *)"GET / HTTP/1.0\r\n\r\n", 18), SNIF_REASON_NOT_TLS);
}

/* The first bytes in the SYN, the others behind the handshake. */
static void fastopen_split(void) {
	for (size_t cut = 1; cut < 180; cut += 7)
		for (int allowed = 0; allowed < 2; allowed++) {
			struct trial trial = trial_of(-1);

			stream_hello(&stream, allowed ? ALLOWED : FORBIDDEN);
			trial.fd = fastopens[cut % 2](addresses[cut / 2 % 2], stream.bytes.data, cut);
			lab_wait_bytes(trial.server, trial.index, cut);
			assert_true(data_in_syn(trial.fd));
			lab_send(trial.fd, stream.bytes.data + cut, stream.bytes.length - cut);
			if (!allowed) {
				trial_refused(&trial, REFUSE, stream.bytes.data, cut);
				continue;
			}
			lab_expect(SNIF_ALLOW, ALLOW);
			trial_passed(&trial, stream.bytes.data, stream.bytes.length);
		}
}

/* A server that does not want it: what was in the SYN comes again behind the handshake. */
static void fastopen_ignored(void) {
	stream_hello(&stream, ALLOWED);
	assert_int_equal(evasion_system("echo 5 >/proc/sys/net/ipv4/tcp_fastopen"), 0);
	for (size_t i = 0; i < 2; i++) {
		struct trial trial = trial_of(-1);

		trial.fd = fastopen_by_sendto(addresses[i], stream.bytes.data, stream.bytes.length);
		lab_expect(SNIF_ALLOW, ALLOW);
		trial_passed(&trial, stream.bytes.data, stream.bytes.length);
	}
	stream_hello(&stream, FORBIDDEN);
	for (size_t i = 0; i < 2; i++) {
		struct trial trial = trial_of(-1);

		trial.fd = fastopen_by_sendto(addresses[i], stream.bytes.data, 100);
		lab_wait_bytes(trial.server, trial.index, 100);
		assert_false(data_in_syn(trial.fd));
		lab_send(trial.fd, stream.bytes.data + 100, stream.bytes.length - 100);
		trial_refused(&trial, REFUSE, stream.bytes.data, 100);
	}
	assert_int_equal(evasion_system("echo 1543 >/proc/sys/net/ipv4/tcp_fastopen"), 0);
}

static void fastopen_refused_address(void) {
	struct sockaddr_storage where;
	socklen_t size = lab_address(V4_REFUSED, 443, &where);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	stream_hello(&stream, ALLOWED);
	evasion_count(1);
	assert_int_equal(
		sendto(fd, stream.bytes.data, stream.bytes.length, MSG_FASTOPEN, (struct sockaddr *)&where, size), -1);
	assert_int_equal(errno, EPERM);
	lab_expect(SNIF_DENY, SNIF_REASON_ADDRESS_NOT_ALLOWED);
	close(fd);
}

/* On a connected socket the address that comes with it means nothing. */
static void fastopen_when_connected(void) {
	struct trial trial = trial_open(V4);
	struct sockaddr_storage where;
	socklen_t size = lab_address(V4_REFUSED, 443, &where);

	assert_int_equal(sendto(trial.fd, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&where, size), -1);
	assert_int_equal(errno, EISCONN);
	trial_hello_refused(&trial, FORBIDDEN, REFUSE);
}

/* ---- T2 ---- */

/* Whether the kernel has it: sockets of it can be made outside. */
static bool has_mptcp(void) {
	int fd;

	evasion_outside();
	fd = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP_);
	evasion_inside();
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* A kernel without MPTCP says the same, so programs take TCP at once. */
static void mptcp(void) {
	static const int families[] = {AF_INET, AF_INET6};

	for (size_t i = 0; i < 2; i++) {
		int fd = socket(families[i], SOCK_STREAM, IPPROTO_MPTCP_);

		evasion_count(1);
		assert_int_equal(fd, -1);
		assert_int_equal(errno, EPROTONOSUPPORT);
		if (has_mptcp())
			assert_int_equal(lab_expect(SNIF_DENY, SNIF_REASON_MPTCP)->hook, SNIF_HOOK_SOCKET);
	}
}

/* A socket that was made before the filter. */
static int mptcp_socket(struct second *second, int family) {
	int fd;

	if (!has_mptcp())
		evasion_skip("no MPTCP here");
	second_open(second);
	fd = socket(family, SOCK_STREAM, IPPROTO_MPTCP_);
	assert_true(fd >= 0);
	second_attach(second, false);
	evasion_count(1);
	return fd;
}

/* Its SYN does not leave, whatever name it might say: a server could read other bytes than the filter. */
static void mptcp_made_before(void) {
	for (size_t i = 0; i < 2; i++) {
		struct sockaddr_storage where;
		socklen_t size = lab_address(addresses[i], 443, &where);
		struct second second;
		int fd = mptcp_socket(&second, where.ss_family);

		fcntl(fd, F_SETFL, O_NONBLOCK);
		assert_int_equal(connect(fd, (struct sockaddr *)&where, size), -1);
		assert_int_equal(errno, EINPROGRESS);
		fcntl(fd, F_SETFL, 0);
		refused_unseen(fd, SNIF_REASON_MPTCP);
		second_close(&second);
	}
}

static void mptcp_refused_address(void) {
	struct sockaddr_storage where;
	socklen_t size = lab_address(V4_REFUSED, 443, &where);
	struct second second;
	int fd = mptcp_socket(&second, AF_INET);

	assert_int_equal(connect(fd, (struct sockaddr *)&where, size), -1);
	assert_int_equal(errno, EPERM);
	lab_expect(SNIF_DENY, SNIF_REASON_ADDRESS_NOT_ALLOWED);
	close(fd);
	second_close(&second);
}

/* A server that speaks MPTCP on port 8443, outside. */
static int mptcp_listener(void) {
	struct sockaddr_storage where;
	socklen_t size = lab_address(V4, 8443, &where);
	int fd, one = 1;

	evasion_outside();
	fd = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP_);
	evasion_inside();
	if (fd < 0)
		evasion_skip("no MPTCP here: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_int_equal(bind(fd, (struct sockaddr *)&where, size), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

static unsigned mptcp_subflows(int fd) {
	struct mptcp_info info = {0};
	socklen_t size = sizeof(info);

	return getsockopt(fd, SOL_MPTCP_, MPTCP_INFO_, &info, &size) ? 0 : info.mptcpi_subflows;
}

/*
 * A connection that was there before the filter: a further subflow wants to join it from another address, to where names
 * are checked. It could carry bytes that no name stands before. Its SYN does not leave.
 */
static void mptcp_subflow(void) {
	int listener = mptcp_listener(), client, server;
	struct sockaddr_storage where;
	socklen_t size = lab_address(V4, 8443, &where);
	struct second second;
	char byte;

	second_open(&second);
	client = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP_);
	evasion_count(1);
	assert_int_equal(evasion_system("ip mptcp limits set subflow 4 add_addr_accepted 4"), 0);
	assert_int_equal(connect(client, (struct sockaddr *)&where, size), 0);
	server = accept(listener, NULL, NULL);
	assert_int_equal(send(client, "x", 1, 0), 1); /* so that the connection counts as established at both ends */
	assert_int_equal(recv(server, &byte, 1, 0), 1);
	assert_int_equal(send(server, "x", 1, 0), 1);
	assert_int_equal(recv(client, &byte, 1, 0), 1);
	second_attach(&second, false);
	assert_int_equal(evasion_system("ip mptcp endpoint add 192.0.2.2 subflow"), 0);
	lab_expect(SNIF_DENY, SNIF_REASON_FURTHER_SUBFLOW);
	lab_sleep_ms(50);
	assert_int_equal(mptcp_subflows(server), 0);
	lab_reset(client);
	lab_reset(server);
	close(listener);
	lab_sleep_ms(50);
	while (lab_event(0))
		;
	assert_int_equal(evasion_system("ip mptcp endpoint flush"), 0);
	second_close(&second);
}

/* ---- a socket that connects to itself: a simultaneous open, whose SYN-ACK is no answer of a listener ---- */

static void self_connect(void) {
	struct sockaddr_storage where;
	socklen_t size = lab_address(V4, 8443, &where);
	char read[400];

	for (int allowed = 0; allowed < 2; allowed++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
		const struct timeval short_time = {.tv_usec = 100000};

		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &short_time, sizeof(short_time));
		evasion_count(1);
		assert_int_equal(bind(fd, (struct sockaddr *)&where, size), 0);
		assert_int_equal(connect(fd, (struct sockaddr *)&where, size), 0);
		stream_hello(&stream, allowed ? ALLOWED : FORBIDDEN);
		lab_send(fd, stream.bytes.data, stream.bytes.length);
		lab_expect(allowed ? SNIF_ALLOW : SNIF_DENY, allowed ? ALLOW : REFUSE);
		assert_int_equal(recv(fd, read, sizeof(read), 0), allowed ? (ssize_t)stream.bytes.length : -1);
		lab_reset(fd);
	}
}

/* ---- TCP_REPAIR: a connection without a handshake, for who has CAP_NET_ADMIN ---- */

static void repair(void) {
	const struct tcp_repair_window window = {.snd_wnd = 65535, .max_window = 65535, .rcv_wnd = 65535};
	struct sockaddr_storage where;
	socklen_t size;
	int fd = new_socket(V4, &where, &size), on = TCP_REPAIR_ON, off = TCP_REPAIR_OFF_NO_WP;

	evasion_set_refused(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on));
	evasion_count(1);
	assert_int_equal(connect(fd, (struct sockaddr *)&where, size), 0);
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_WINDOW, &window, sizeof(window)), 0);
	evasion_set_refused(fd, IPPROTO_TCP, TCP_REPAIR, &off, sizeof(off));
	stream_hello(&stream, ALLOWED);
	lab_send(fd, stream.bytes.data, stream.bytes.length);
	lab_expect(SNIF_DENY, SNIF_REASON_UNTRACKED);
	lab_reset(fd);
}

/*
 * Bytes that repair puts into the queue as if they were sent: the filter has not seen them when those behind them come,
 * and they would follow as a retransmission.
 */
static void repair_gap(void) {
	struct trial trial = trial_open(V4);
	int on = TCP_REPAIR_ON, off = TCP_REPAIR_OFF_NO_WP, queue = TCP_SEND_QUEUE;

	stream_hello(&stream, ALLOWED);
	assert_int_equal(lab_send(trial.fd, stream.bytes.data, 50), 0);
	lab_wait_bytes(trial.server, trial.index, 50);
	evasion_set_refused(trial.fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on));
	assert_int_equal(setsockopt(trial.fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, &queue, sizeof(queue)), 0);
	assert_int_equal(lab_send(trial.fd, stream.bytes.data + 50, 60), 0);
	evasion_set_refused(trial.fd, IPPROTO_TCP, TCP_REPAIR, &off, sizeof(off));
	lab_send(trial.fd, stream.bytes.data + 110, stream.bytes.length - 110);
	trial_refused(&trial, SNIF_REASON_SEQUENCE_GAP, stream.bytes.data, 50);
}

static const struct evasion cases[] = {
	{"T1-fastopen-allowed", .run = fastopen_allowed},
	{"T1-fastopen-denied", .run = fastopen_denied},
	{"T1-fastopen-not-tls", .run = fastopen_other},
	{"T1-fastopen-split", .run = fastopen_split},
	{"T1-fastopen-ignored-by-the-server", .run = fastopen_ignored},
	{"T1-fastopen-refused-address", .run = fastopen_refused_address},
	{"X-fastopen-when-connected", .run = fastopen_when_connected},
	{"T2-mptcp", .run = mptcp},
	{"T2-mptcp-made-before", .run = mptcp_made_before},
	{"T2-mptcp-refused-address", .run = mptcp_refused_address},
	{"T2-mptcp-further-subflow", .run = mptcp_subflow},
	{"X-simultaneous-open", .run = self_connect},
	{"X-tcp-repair", .run = repair},
	{"X-tcp-repair-gap", .run = repair_gap},
};

CATALOGUE(open_cases, cases);
