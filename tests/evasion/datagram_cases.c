/* SPDX-License-Identifier: BSD-2-Clause */
/* T11, T12: sockets that are not of TCP. */
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <string.h>
#include <unistd.h>

#include "datagram.h"
#include "evasion.h"

enum { SMC = 256, MPTCP = 262, UDPLITE = 136, DCCP = 33, L2TP = 115 };

/* ---- T11 ---- */

static void socket_refused(int family, int type, int protocol) {
	int fd = socket(family, type, protocol);

	evasion_count(1);
	if (fd >= 0 || errno != EPERM)
		fail_msg("socket(%d, %d, %d): %s", family, type, protocol, fd < 0 ? strerror(errno) : "was made");
	lab_expect(SNIF_DENY, SNIF_REASON_SOCKET_TYPE);
}

static void raw(void) {
	static const int protocols[] = {IPPROTO_TCP,  IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_RAW, IPPROTO_GRE,
					IPPROTO_IPIP, 1,	   253};

	for (size_t i = 0; i < COUNT(protocols); i++) {
		socket_refused(AF_INET, SOCK_RAW, protocols[i]);
		socket_refused(AF_INET6, SOCK_RAW, protocols[i]);
	}
}

static void ping(void) {
	socket_refused(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
	socket_refused(AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6);
}

/* One that the kernel may lack: then there is nothing to refuse. */
static void rare_socket(int type, int protocol, const char *name) {
	static const int families[] = {AF_INET, AF_INET6};

	evasion_outside();
	for (size_t i = 0; i < 2; i++) {
		int fd = socket(families[i], type, protocol);

		if (fd < 0)
			evasion_skip("this kernel has no %s: %s", name, strerror(errno));
		close(fd);
	}
	evasion_inside();
	for (size_t i = 0; i < 2; i++)
		socket_refused(families[i], type, protocol);
}

static void sctp(void) {
	rare_socket(SOCK_STREAM, IPPROTO_SCTP, "SCTP");
	rare_socket(SOCK_SEQPACKET, IPPROTO_SCTP, "SCTP");
}

static void udplite(void) {
	rare_socket(SOCK_DGRAM, UDPLITE, "UDP-Lite");
}

static void dccp(void) {
	rare_socket(6, DCCP, "DCCP");
}

static void l2tp(void) {
	rare_socket(SOCK_DGRAM, L2TP, "L2TP over IP");
}

static void smc(void) {
	rare_socket(SOCK_STREAM, SMC, "SMC");
}

/* ---- T12 ---- */

static const char *const both[] = {V4, V6};

static void connected(void) {
	for (size_t i = 0; i < 2; i++) {
		const struct place where = place(both[i], 443);
		int fd = datagram_socket(&where);

		connect_to(fd, &where);
		assert_null(lab_event(0)); /* nothing was sent yet */
		for (int again = 0; again < 3; again++)
			refused(send(fd, "quic", 4, 0));
		lab_expect(SNIF_DENY, SNIF_REASON_PORT_NOT_ALLOWED); /* once */
		close(fd);
	}
	nothing_arrived(evasion_udp443, 0);
}

static void unconnected(void) {
	for (size_t i = 0; i < 2; i++) {
		const struct place where = place(both[i], 443);
		int fd = datagram_socket(&where);

		refused(send_to(fd, &where));
		lab_expect(SNIF_DENY, SNIF_REASON_PORT_NOT_ALLOWED);
		close(fd);
	}
	nothing_arrived(evasion_udp443, 0);
}

/* The long header, version 1, connection ids of 8 bytes, padded to 1,200 (RFC 9000, section 17.2.2). */
static void quic_initial(void) {
	static uint8_t packet[1200] = {0xc3, 0, 0, 0, 1, 8, 1, 2, 3, 4, 5, 6,	 7,
				       8,    8, 9, 9, 9, 9, 9, 9, 9, 9, 0, 0x44, 0x9e};

	for (size_t i = 0; i < 4; i++) {
		const struct place where = place(both[i % 2], 443);
		int fd = datagram_socket(&where);

		if (i < 2)
			connect_to(fd, &where);
		refused(sendto(fd, packet, sizeof(packet), 0, i < 2 ? NULL : (const struct sockaddr *)&where.address,
			       i < 2 ? 0 : where.length));
		lab_expect(SNIF_DENY, SNIF_REASON_PORT_NOT_ALLOWED);
		close(fd);
	}
	nothing_arrived(evasion_udp443, 0);
}

static void segmented(void) {
	static uint8_t data[12000];
	int size = 1200;

	for (size_t i = 0; i < 2; i++) {
		const struct place where = place(both[i], 443);
		int fd = datagram_socket(&where);

		assert_int_equal(setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)), 0);
		connect_to(fd, &where);
		refused(send(fd, data, sizeof(data), 0));
		lab_expect(SNIF_DENY, SNIF_REASON_PORT_NOT_ALLOWED);
		close(fd);
	}
	nothing_arrived(evasion_udp443, 0);
}

static void refused_addresses(void) {
	static const char *const addresses[] = {V4_REFUSED,    "64:ff9b::101:101", "::ffff:203.0.113.1",
						"2001:db9::1", "255.255.255.255",  "224.0.0.251",
						"ff02::fb"};

	for (size_t i = 0; i < COUNT(addresses); i++) {
		const struct place where = place(addresses[i], 53);
		int fd = datagram_socket(&where), one = 1;

		setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one));
		refused(send_to(fd, &where));
		lab_expect(SNIF_DENY, SNIF_REASON_ADDRESS_NOT_ALLOWED);
		close(fd);
	}
}

static void allowed(void) {
	size_t before = lab_seen(evasion_udp5353, 0).received;

	for (size_t i = 0; i < 4; i++) {
		const struct place where = place(both[i % 2], 5353);
		int fd = datagram_socket(&where);

		if (i < 2)
			connect_to(fd, &where);
		for (int again = 0; again < 3; again++)
			assert_int_equal(i < 2 ? send(fd, "x", 1, 0) : send_to(fd, &where), 1);
		lab_expect(SNIF_ALLOW, SNIF_REASON_ADDRESS_ALLOWED); /* once */
		close(fd);
	}
	assert_int_equal(lab_wait_bytes(evasion_udp5353, 0, before + 12).received, before + 12);
}

/* Connected to where nothing may go, while single datagrams go where they may, and back. */
static void connected_elsewhere(void) {
	for (size_t i = 0; i < 2; i++) {
		const struct place bad = place(both[i], 443), good = place(both[i], 5353);
		int fd = datagram_socket(&bad);

		connect_to(fd, &bad);
		assert_int_equal(send_to(fd, &good), 1);
		lab_expect(SNIF_ALLOW, SNIF_REASON_ADDRESS_ALLOWED);
		refused(send(fd, "b", 1, 0));
		while (lab_event(10)) /* what egress says of the same datagram, and the refusal */
			;
		assert_int_equal(send_to(fd, &good), 1);
		refused(send(fd, "d", 1, 0));
		while (lab_event(10))
			;
		close(fd);
	}
	nothing_arrived(evasion_udp443, 0);
}

/* Connected to where it may send, then connected again. */
static void connected_again(void) {
	const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};

	for (size_t i = 0; i < 4; i++) {
		const struct place bad = place(both[i % 2], 443), good = place(both[i % 2], 5353);
		int fd = datagram_socket(&good);

		connect_to(fd, &good);
		assert_int_equal(send(fd, "a", 1, 0), 1);
		lab_expect(SNIF_ALLOW, SNIF_REASON_ADDRESS_ALLOWED);
		if (i < 2)
			assert_int_equal(connect(fd, &nowhere, sizeof(nowhere)), 0);
		connect_to(fd, &bad);
		refused(send(fd, "b", 1, 0));
		lab_expect(SNIF_DENY, SNIF_REASON_PORT_NOT_ALLOWED);
		close(fd);
	}
	nothing_arrived(evasion_udp443, 0);
}

/* A datagram in parts goes where its first part says. */
static void in_parts(void) {
	const struct place bad = place(V4, 443), good = place(V4, 5353);
	int fd = datagram_socket(&good);

	assert_int_equal(sendto(fd, "a", 1, MSG_MORE, (const struct sockaddr *)&good.address, good.length), 1);
	lab_expect(SNIF_ALLOW, SNIF_REASON_ADDRESS_ALLOWED);
	assert_int_equal(send_to(fd, &bad), 1);
	refused(sendto(fd, "c", 1, MSG_MORE, (const struct sockaddr *)&bad.address, bad.length));
	lab_expect(SNIF_DENY, SNIF_REASON_PORT_NOT_ALLOWED);
	close(fd);
	nothing_arrived(evasion_udp443, 0);
}

static void many_at_once(void) {
	struct place bad = place(V4, 443), good = place(V4, 5353);
	int fd = datagram_socket(&bad);
	struct iovec piece = {(void *)"x", 1};
	struct mmsghdr messages[2] = {{.msg_hdr = {.msg_iov = &piece, .msg_iovlen = 1}},
				      {.msg_hdr = {.msg_iov = &piece, .msg_iovlen = 1}}};

	messages[0].msg_hdr.msg_name = &good.address;
	messages[1].msg_hdr.msg_name = &bad.address;
	messages[0].msg_hdr.msg_namelen = messages[1].msg_hdr.msg_namelen = good.length;
	assert_int_equal(sendmmsg(fd, messages, 2, 0), 1); /* the second one is refused */
	lab_expect(SNIF_ALLOW, SNIF_REASON_ADDRESS_ALLOWED);
	lab_expect(SNIF_DENY, SNIF_REASON_PORT_NOT_ALLOWED);
	close(fd);
	nothing_arrived(evasion_udp443, 0);
}

/* The route comes with the datagram alone. */
static void source_route(void) {
	static const uint8_t route[8] = {131, 7, 4, 203, 0, 113, 1, 0};
	struct place where = place(V4, 5353);
	int fd = datagram_socket(&where);
	union {
		char bytes[CMSG_SPACE(sizeof(route))];
		struct cmsghdr align;
	} control = {0};
	struct iovec piece = {(void *)"x", 1};
	struct msghdr message = {.msg_name = &where.address,
				 .msg_namelen = where.length,
				 .msg_iov = &piece,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};

	*CMSG_FIRSTHDR(&message) = (struct cmsghdr){CMSG_LEN(sizeof(route)), IPPROTO_IP, IP_RETOPTS};
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), route, sizeof(route));
	refused(sendmsg(fd, &message, 0));
	lab_expect(SNIF_ALLOW, SNIF_REASON_ADDRESS_ALLOWED); /* by what sendmsg() names */
	lab_expect(SNIF_DENY, SNIF_REASON_SOURCE_ROUTE);
	close(fd);
}

static void routing_header(void) {
	static const uint8_t route[24] = {0, 2, 4, 0, 0, [8] = 0x20, 1, 0x0d, 0xb8, [23] = 1};
	const struct place where = place(V6, 5353);
	int fd = datagram_socket(&where);

	evasion_set_refused(fd, IPPROTO_IPV6, IPV6_RTHDR, route, sizeof(route));
	refused(send_to(fd, &where));
	lab_expect(SNIF_ALLOW, SNIF_REASON_ADDRESS_ALLOWED); /* by what sendto() names */
	lab_expect(SNIF_DENY, SNIF_REASON_SOURCE_ROUTE);
	close(fd);
}

static const struct evasion cases[] = {
	{"T11-raw-sockets", .run = raw},
	{"T11-ping-sockets", .run = ping},
	{"T11-sctp", .run = sctp},
	{"T11-udp-lite", .run = udplite},
	{"T11-dccp", .run = dccp},
	{"X-l2tp", .run = l2tp},
	{"X-smc", .run = smc},
	{"T12-udp-443-connected", .run = connected},
	{"T12-udp-443-sendto", .run = unconnected},
	{"T12-quic-initial", .run = quic_initial},
	{"T12-udp-segment", .run = segmented},
	{"T12-refused-addresses", .run = refused_addresses},
	{"T12-udp-allowed", .run = allowed},
	{"X-udp-sendto-while-connected-elsewhere", .run = connected_elsewhere},
	{"X-udp-connected-again", .run = connected_again},
	{"X-udp-datagram-in-parts", .run = in_parts},
	{"X-udp-sendmmsg", .run = many_at_once},
	{"X-udp-source-route", .run = source_route},
	{"X-udp-routing-header", .run = routing_header},
};

CATALOGUE(datagram_cases, cases);
