/* SPDX-License-Identifier: BSD-2-Clause */
/* T7, T8: sockets that are older than the filter, and sockets and processes that move. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "datagram.h"
#include "evasion.h"

static struct stream stream;

/* ---- T7 ---- */

static void open_before_inspected(void) {
	static const char *const addresses[] = {V4, V6};
	struct second second;

	for (size_t i = 0; i < 2; i++) {
		struct trial trial;

		second_open(&second);
		trial = trial_open(addresses[i]);
		second_attach(&second, false);
		trial_hello_refused(&trial, ALLOWED, SNIF_REASON_UNTRACKED);
		second_close(&second);
	}
}

static void open_before_in_hello(void) {
	struct second second;
	struct trial trial;

	second_open(&second);
	trial = trial_open(V4);
	stream_hello(&stream, ALLOWED);
	assert_int_equal(lab_send(trial.fd, stream.bytes.data, 100), 0);
	lab_wait_bytes(trial.server, trial.index, 100);
	second_attach(&second, false);
	lab_send(trial.fd, stream.bytes.data + 100, stream.bytes.length - 100);
	trial_refused(&trial, SNIF_REASON_UNTRACKED, stream.bytes.data, 100);
	second_close(&second);
}

static void open_before_plain(void) {
	struct second second;
	struct trial allowed, refused;

	second_open(&second);
	allowed = trial_open_at(evasion_plain, V4, 8080);
	refused = trial_open_at(evasion_plain, V4_REFUSED, 8080);
	lab_wait(refused.server, refused.index, LAB_ACCEPTED);
	refused.index = allowed.index + 1;
	second_attach(&second, false);
	assert_int_equal(lab_send(allowed.fd, "plain", 5), 0);
	assert_int_equal(lab_expect(SNIF_ALLOW, SNIF_REASON_ADDRESS_ALLOWED)->hook, SNIF_HOOK_EGRESS);
	trial_passed(&allowed, "plain", 5);
	lab_send(refused.fd, "plain", 5);
	trial_refused_all(&refused, SNIF_REASON_ADDRESS_NOT_ALLOWED);
	second_close(&second);
}

static int connected_to(const char *address, uint16_t port) {
	const struct place where = place(address, port);
	int fd = datagram_socket(&where);

	connect_to(fd, &where);
	return fd;
}

static void open_before_udp(void) {
	struct second second;
	int allowed, forbidden, elsewhere;

	second_open(&second);
	allowed = connected_to(V4, 5353);
	forbidden = connected_to(V4, 443);
	elsewhere = connected_to(V4_REFUSED, 5353);
	second_attach(&second, false);
	assert_int_equal(send(allowed, "x", 1, 0), 1);
	lab_expect(SNIF_ALLOW, SNIF_REASON_ADDRESS_ALLOWED);
	refused(send(forbidden, "x", 1, 0));
	lab_expect(SNIF_DENY, SNIF_REASON_PORT_NOT_ALLOWED);
	refused(send(elsewhere, "x", 1, 0));
	lab_expect(SNIF_DENY, SNIF_REASON_ADDRESS_NOT_ALLOWED);
	close(allowed);
	close(forbidden);
	close(elsewhere);
	second_close(&second);
}

/* An IP packet without payload but 20 bytes that can be a TCP header, or the beginning of one of UDP. */
static void forge(uint8_t packet[40], uint8_t protocol) {
	struct iphdr header = {.ihl = 5, .version = 4, .ttl = 64, .protocol = protocol, .tot_len = htons(40)};
	struct sockaddr_storage where;

	lab_address(V4, 0, &where);
	memcpy(&header.daddr, &((struct sockaddr_in *)&where)->sin_addr, 4);
	memcpy(&header.saddr, &((struct sockaddr_in *)&where)->sin_addr, 4);
	memset(packet, 0, 40);
	memcpy(packet, &header, sizeof(header));
	packet[20] = 0x30;
	packet[22] = 8080 >> 8;
	packet[23] = 8080 & 0xff;
	packet[32] = 0x50;
	packet[33] = 0x10; /* an ACK, as of a connection that is allowed */
}

/* A raw socket that was there already can forge any packet: also one to where TCP and UDP are allowed. */
static void open_before_raw(void) {
	static const int protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_RAW};
	struct sockaddr_storage where;
	socklen_t length = lab_address(V4, 0, &where);
	struct second second;
	uint8_t packet[40];
	int fds[COUNT(protocols)], one = 1;

	second_open(&second);
	for (size_t i = 0; i < COUNT(protocols); i++) {
		evasion_count(1);
		fds[i] = socket(AF_INET, SOCK_RAW, protocols[i]);
		assert_true(fds[i] >= 0);
		setsockopt(fds[i], IPPROTO_IP, IP_HDRINCL, &one, sizeof(one));
	}
	second_attach(&second, false);
	for (size_t i = 0; i < COUNT(protocols); i++) {
		forge(packet, i == 3 ? IPPROTO_TCP : (uint8_t)protocols[i]);
		assert_int_equal(sendto(fds[i], packet, sizeof(packet), 0, (struct sockaddr *)&where, length), -1);
		assert_int_equal(errno, EPERM);
		lab_expect(SNIF_DENY, SNIF_REASON_SOCKET_TYPE);
		close(fds[i]);
	}
	second_close(&second);
}

/* A connect() that is under way: its SYN is dropped behind the filter, and sent again when the filter is there. */
static void open_before_syn_sent(void) {
	struct sockaddr_storage where;
	socklen_t length = lab_address(V4, 443, &where);
	struct second second;
	const struct timeval patience = {.tv_sec = LAB_PATIENCE_MS / 1000};

	if (!lab_installed("nft"))
		evasion_skip("nft is not installed");
	for (int allowed = 0; allowed < 2; allowed++) {
		struct trial trial;

		second_open(&second);
		if (system("nft 'add table inet evasion; add chain inet evasion in { type filter hook input priority 0; }; "
			   "add rule inet evasion in tcp dport 443 drop'"))
			evasion_skip("nft cannot drop packets here");
		trial = trial_of(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
		setsockopt(trial.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		assert_int_equal(connect(trial.fd, (struct sockaddr *)&where, length), -1);
		assert_int_equal(system("nft delete table inet evasion"), 0);
		second_attach(&second, false);
		fcntl(trial.fd, F_SETFL, 0);
		lab_wait(trial.server, trial.index, LAB_ACCEPTED);
		if (allowed)
			trial_hello_passes(&trial, ALLOWED);
		else
			trial_hello_refused(&trial, FORBIDDEN, REFUSE);
		second_close(&second);
	}
}

/* ---- T8 ---- */

static void send_socket(int channel, int fd) {
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct iovec piece = {(void *)"s", 1};
	struct msghdr message = {
		.msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};

	*CMSG_FIRSTHDR(&message) = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), &fd, sizeof(fd));
	sendmsg(channel, &message, 0);
}

static int receive_socket(int channel) {
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	char byte;
	struct iovec piece = {&byte, 1};
	struct msghdr message = {
		.msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	int fd = -1;

	if (recvmsg(channel, &message, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&message))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

/*
 * A socket that another process made outside the cgroup belongs to that one's cgroup for life: no hook of this one sees
 * it. the threat model says so; `run` closes what it can, the descriptors that the command would inherit.
 */
static void passed_in(void) {
	struct sockaddr_storage where;
	socklen_t length = lab_address(V4, 443, &where);
	struct trial trial;
	int channel[2];
	pid_t helper;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, channel), 0);
	evasion_outside();
	helper = fork();
	if (helper == 0) {
		send_socket(channel[1], socket(AF_INET, SOCK_STREAM, 0));
		_exit(0);
	}
	evasion_inside();
	trial = trial_of(receive_socket(channel[0]));
	waitpid(helper, NULL, 0);
	assert_true(trial.fd >= 0);
	assert_int_equal(connect(trial.fd, (struct sockaddr *)&where, length), 0);
	stream_hello(&stream, FORBIDDEN);
	assert_int_equal(lab_send(trial.fd, stream.bytes.data, stream.bytes.length), 0);
	trial.may_see[0] = FORBIDDEN;
	trial_passed(&trial, stream.bytes.data, stream.bytes.length);
	assert_null(lab_event(0));
	close(channel[0]);
	close(channel[1]);
}

/* A socket made inside stays under the filter, also in the hands of a process outside. */
static void moved_out(void) {
	struct trial trial = trial_open(V4);

	evasion_outside();
	trial_hello_refused(&trial, FORBIDDEN, REFUSE);
	evasion_inside();
	trial = trial_open(V4);
	stream_hello(&stream, FORBIDDEN);
	assert_int_equal(lab_send(trial.fd, stream.bytes.data, 50), 0);
	lab_wait_bytes(trial.server, trial.index, 50);
	evasion_outside();
	lab_send(trial.fd, stream.bytes.data + 50, stream.bytes.length - 50);
	trial_refused(&trial, REFUSE, stream.bytes.data, 50);
	evasion_inside();
}

/* And one made outside stays free, also in the hands of a process that has moved in. */
static void moved_in(void) {
	struct trial trial;

	evasion_outside();
	trial = trial_open(V4);
	evasion_inside();
	stream_hello(&stream, FORBIDDEN);
	assert_int_equal(lab_send(trial.fd, stream.bytes.data, stream.bytes.length), 0);
	trial.may_see[0] = FORBIDDEN;
	trial_passed(&trial, stream.bytes.data, stream.bytes.length);
	assert_null(lab_event(0));
}

/* A cgroup below the confined one is confined. */
static void moved_below(void) {
	struct cgroup below = {.parent_fd = lab_cgroup()->fd};
	struct trial trial;

	assert_int_equal(mkdirat(below.parent_fd, "below", 0755), 0);
	below.fd = openat(below.parent_fd, "below", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(cgroup_adopt(&below, getpid()), 0);
	trial = trial_open(V4);
	trial_hello_refused(&trial, FORBIDDEN, REFUSE);
	trial = trial_open(V4);
	trial_hello_passes(&trial, ALLOWED);
	evasion_inside();
	close(below.fd);
	assert_int_equal(unlinkat(below.parent_fd, "below", AT_REMOVEDIR), 0);
}

static const struct evasion cases[] = {
	{"T7-open-before-attach", .run = open_before_inspected},
	{"T7-open-before-attach-in-hello", .run = open_before_in_hello},
	{"T7-open-before-attach-not-inspected", .run = open_before_plain},
	{"T7-open-before-attach-udp", .run = open_before_udp},
	{"T7-open-before-attach-syn-sent", .run = open_before_syn_sent},
	{"T11-raw-socket-before-attach", .run = open_before_raw},
	{"T8-socket-passed-in", .run = passed_in},
	{"T8-process-moves-out", .run = moved_out},
	{"T8-process-moves-in", .run = moved_in},
	{"X-cgroup-below", .run = moved_below},
};

CATALOGUE(socket_cases, cases);
