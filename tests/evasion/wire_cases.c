/* SPDX-License-Identifier: BSD-2-Clause */
/* K2, K4: packets that carry another address than their socket was connected to. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "datagram.h"
#include "evasion.h"

#define V4_MAPPED "::ffff:" V4
#define HOST "203.0.113.102" /* of lab_peer() */

/* ---- what arrives at the other host ---- */

/* Reads frames that arrive at the other host. */
static int recorder_open(void) {
	struct sockaddr_ll all = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int here = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), fd;

	evasion_outside();
	assert_int_equal(setns(lab_peer(), CLONE_NEWNET), 0);
	fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK, htons(ETH_P_ALL));
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&all, sizeof(all)), 0);
	assert_int_equal(setns(here, CLONE_NEWNET), 0);
	close(here);
	evasion_inside();
	return fd;
}

/* Whether a packet to the address has arrived since the last look. */
static bool recorded(int fd, const char *address) {
	struct sockaddr_storage where;
	uint8_t packet[2048];
	bool found = false;
	ssize_t length;

	lab_address(address, 0, &where);
	while ((length = recv(fd, packet, sizeof(packet), 0)) > 0)
		if (where.ss_family == AF_INET)
			found |= length >= 20 && packet[0] >> 4 == 4 &&
				 memcmp(packet + 16, &((struct sockaddr_in *)&where)->sin_addr, 4) == 0;
		else
			found |= length >= 40 && packet[0] >> 4 == 6 &&
				 memcmp(packet + 24, &((struct sockaddr_in6 *)&where)->sin6_addr, 16) == 0;
	return found;
}

/* ---- an IPv6 packet to a v4-mapped address ---- */

/* A raw socket from before the filter makes any; it is refused for what it is in the first place. */
static void mapped_packet(void) {
	struct sockaddr_storage where;
	socklen_t size = lab_address(V4_MAPPED, 0, &where);
	struct ip6_hdr header = {
		.ip6_ctlun.ip6_un1 = {htonl(6U << 28), htons(8), IPPROTO_UDP, 64},
	};
	uint8_t packet[48] = {[40] = 5353 >> 8, 5353 & 0xff, 5353 >> 8, 5353 & 0xff, 0, 8};
	struct second second;
	ssize_t sent;
	int fd;

	assert_int_equal(evasion_system("ip route replace ::ffff:0:0/96 via 2001:db8:1::2"), 0);
	second_open(&second);
	evasion_count(1);
	fd = socket(AF_INET6, SOCK_RAW, IPPROTO_RAW);
	second_attach(&second, false);
	header.ip6_dst = ((struct sockaddr_in6 *)&where)->sin6_addr;
	header.ip6_src.s6_addr[15] = 1;
	memcpy(packet, &header, sizeof(header));
	sent = sendto(fd, packet, sizeof(packet), 0, (struct sockaddr *)&where, size);
	if (sent < 0 && errno != EPERM)
		evasion_skip("such a packet cannot be sent here: %s", strerror(errno));
	refused(sent);
	lab_expect(SNIF_DENY, SNIF_REASON_V4_MAPPED);
	close(fd);
	second_close(&second);
}

enum { RACES = 20000 };

struct racer {
	int fd;
	volatile bool stop;
};

static void *send_on(void *argument) {
	struct racer *racer = argument;

	while (!racer->stop)
		send(racer->fd, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	return NULL;
}

/* A sender reads the address while another thread connects: the kernel has looked at its family before. */
static void mapped_race(void) {
	static const char both[] =
		"version: 1\ndns: {servers: none}\n"
		"direct: {allow: [{to: \"2001:db8:1::2\", proto: udp}, {to: 203.0.113.102, proto: udp}]}\n";
	const struct place native = place("2001:db8:1::2", 5353), mapped = place("::ffff:" HOST, 5353);
	struct racer racer = {.fd = datagram_socket(&native)};
	int recorder = recorder_open();
	bool seen = false;
	pthread_t thread;

	assert_int_equal(evasion_system("ip route replace ::ffff:0:0/96 via 2001:db8:1::2"), 0);
	evasion_use_policy(both);
	only_refusals(true);
	assert_int_equal(pthread_create(&thread, NULL, send_on, &racer), 0);
	for (int i = 0; i < RACES && !seen; i++) {
		connect_to(racer.fd, &native);
		connect_to(racer.fd, &mapped);
		drain();
		if (i % 16 == 0)
			seen = recorded(recorder, "::ffff:" HOST);
	}
	racer.stop = true;
	pthread_join(thread, NULL);
	assert_false(seen || recorded(recorder, "::ffff:" HOST));
	close(racer.fd);
	close(recorder);
	drain();
	only_refusals(false);
}

static const struct evasion cases[] = {
	{"K4-mapped-packet", .run = mapped_packet},
	{"K4-mapped-race", .run = mapped_race},
};

CATALOGUE(wire_cases, cases);
