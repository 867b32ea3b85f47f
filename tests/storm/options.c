/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers ──► socket options and control messages. */
#include "operations.h"

#include <arpa/inet.h>
#include <linux/in6.h>
#include <linux/udp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "targets.h"
#include "world.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Numbers of newer kernels, whatever the headers are. */
enum { LEVEL_MPTCP = 284, IPV6_FREE = 78, ADDRFORM = 1, RETOPTS = 7, ZEROCOPY = 60 };

static const uint8_t source_route[] = {131, 7, 4, 198, 51, 100, 77, 0}, record_route[] = {7, 7, 4, 0, 0, 0, 0, 0};
static const uint8_t router_alert[] = {148, 4, 0, 0};
/* type 2 (RFC 6275) and 4 (RFC 8754), by way of 2001:db8:e::1 */
static const uint8_t home_route[] = {0, 2, 2, 1, 0, 0, 0, 0, 0x20, 1, 0xd, 0xb8, 0, 0xe, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
static const uint8_t segment_route[] = {0, 2,	4, 0, 0, 0, 0, 0, 0x20, 1, 0xd, 0xb8,
					0, 0xe, 0, 0, 0, 0, 0, 0, 0,	0, 0,	1};
static const uint8_t hop_options[] = {0, 0, 1, 4, 0, 0, 0, 0};

static int small_number(struct random *random) {
	static const int numbers[] = {0, 1, 1, -1, 2, 3, 4, 8, 88, 536, 576, 1280, 1400, 1500, 65535, 1 << 20};

	return random_one_in(random, 8) ? (int)random_next(random) : random_of(random, numbers);
}

struct option {
	int level, name;
	int value; /* USUAL: any usual number */
};

enum { USUAL = -1000, ON_OR_OFF = -1001 };

static const struct option options[] = {
	{IPPROTO_TCP, TCP_NODELAY, ON_OR_OFF},
	{IPPROTO_TCP, TCP_CORK, ON_OR_OFF},
	{IPPROTO_TCP, TCP_MAXSEG, USUAL},
	{IPPROTO_TCP, TCP_FASTOPEN_CONNECT, ON_OR_OFF},
	{IPPROTO_TCP, TCP_FASTOPEN, USUAL},
	{IPPROTO_TCP, 34 /* TCP_FASTOPEN_NO_COOKIE */, ON_OR_OFF},
	{IPPROTO_TCP, TCP_REPAIR, ON_OR_OFF},
	{IPPROTO_TCP, TCP_DEFER_ACCEPT, ON_OR_OFF},
	{IPPROTO_TCP, TCP_USER_TIMEOUT, USUAL},
	{IPPROTO_TCP, TCP_SYNCNT, ON_OR_OFF},
	{IPPROTO_TCP, TCP_WINDOW_CLAMP, USUAL},
	{IPPROTO_TCP, TCP_QUICKACK, ON_OR_OFF},
	{IPPROTO_TCP, TCP_LINGER2, USUAL},
	{IPPROTO_UDP, 1 /* UDP_CORK */, ON_OR_OFF},
	{IPPROTO_UDP, 103 /* UDP_SEGMENT */, USUAL},
	{IPPROTO_UDP, 104 /* UDP_GRO */, ON_OR_OFF},
	{IPPROTO_UDP, 100 /* UDP_ENCAP */, USUAL},
	{IPPROTO_UDP, 101 /* UDP_NO_CHECK6_TX */, ON_OR_OFF},
	{IPPROTO_IP, IP_MTU_DISCOVER, USUAL},
	{IPPROTO_IP, IP_FREEBIND, ON_OR_OFF},
	{IPPROTO_IP, IP_TRANSPARENT, ON_OR_OFF},
	{IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, ON_OR_OFF},
	{IPPROTO_IP, IP_RECVERR, ON_OR_OFF},
	{IPPROTO_IP, IP_MULTICAST_LOOP, ON_OR_OFF},
	{IPPROTO_IP, IP_TTL, USUAL},
	{IPPROTO_IP, 51 /* IP_LOCAL_PORT_RANGE */, USUAL},
	{IPPROTO_IPV6, IPV6_MTU_DISCOVER, USUAL},
	{IPPROTO_IPV6, IPV6_MTU, 1280},
	{IPPROTO_IPV6, IPV6_V6ONLY, ON_OR_OFF},
	{IPPROTO_IPV6, ADDRFORM, AF_INET},
	{IPPROTO_IPV6, IPV6_FREE, ON_OR_OFF},
	{IPPROTO_IPV6, 75 /* IPV6_TRANSPARENT */, ON_OR_OFF},
	{IPPROTO_IPV6, 62 /* IPV6_DONTFRAG */, ON_OR_OFF},
	{IPPROTO_IPV6, 76 /* IPV6_UNICAST_IF */, USUAL},
	{IPPROTO_IPV6, 70 /* IPV6_AUTOFLOWLABEL */, ON_OR_OFF},
	{IPPROTO_IPV6, 33 /* IPV6_FLOWINFO_SEND */, ON_OR_OFF},
	{SOL_SOCKET, SO_BROADCAST, ON_OR_OFF},
	{SOL_SOCKET, SO_REUSEADDR, ON_OR_OFF},
	{SOL_SOCKET, SO_REUSEPORT, ON_OR_OFF},
	{SOL_SOCKET, SO_KEEPALIVE, ON_OR_OFF},
	{SOL_SOCKET, SO_OOBINLINE, ON_OR_OFF},
	{SOL_SOCKET, SO_DONTROUTE, ON_OR_OFF},
	{SOL_SOCKET, SO_SNDBUF, USUAL},
	{SOL_SOCKET, SO_RCVBUF, USUAL},
	{SOL_SOCKET, SO_MARK, USUAL},
	{SOL_SOCKET, ZEROCOPY, ON_OR_OFF},
	{SOL_SOCKET, SO_NO_CHECK, ON_OR_OFF},
	{LEVEL_MPTCP, 1, ON_OR_OFF},
};

static void option_number(struct random *random, int fd) {
	struct option option = random_of(random, options);
	int usual = small_number(random), on = (int)random_below(random, 2);

	if (option.value == USUAL)
		option.value = usual;
	else if (option.value == ON_OR_OFF)
		option.value = on;
	setsockopt(fd, option.level, option.name, &option.value, sizeof(option.value));
}

static void option_bytes(struct random *random, int fd) {
	static const struct {
		int level, name;
		const void *bytes;
		socklen_t length;
	} bytes[] = {
		{IPPROTO_IP, IP_OPTIONS, source_route, sizeof(source_route)},
		{IPPROTO_IP, IP_OPTIONS, record_route, sizeof(record_route)},
		{IPPROTO_IP, IP_OPTIONS, router_alert, sizeof(router_alert)},
		{IPPROTO_IP, IP_OPTIONS, "", 0},
		{IPPROTO_IPV6, IPV6_RTHDR, home_route, sizeof(home_route)},
		{IPPROTO_IPV6, IPV6_RTHDR, segment_route, sizeof(segment_route)},
		{IPPROTO_IPV6, IPV6_RTHDR, "", 0},
		{IPPROTO_IPV6, IPV6_HOPOPTS, hop_options, sizeof(hop_options)},
		{IPPROTO_IPV6, IPV6_DSTOPTS, hop_options, sizeof(hop_options)},
		{IPPROTO_TCP, TCP_ULP, "tls", 4},
		{IPPROTO_TCP, TCP_ULP, "espintcp", 9},
		{IPPROTO_TCP, TCP_CONGESTION, "reno", 5},
		{SOL_SOCKET, SO_BINDTODEVICE, WORLD_DEVICE_HERE, sizeof(WORLD_DEVICE_HERE)},
		{SOL_SOCKET, SO_BINDTODEVICE, "lo", 3},
		{SOL_SOCKET, SO_BINDTODEVICE, "", 1},
	};
	size_t which = random_below(random, COUNT(bytes));

	setsockopt(fd, bytes[which].level, bytes[which].name, bytes[which].bytes, bytes[which].length);
}

/* A membership: of any source, or of one, whose address the kernel then tells the routers. */
static void option_group(struct random *random, int fd) {
	struct group_source_req request = {.gsr_interface = if_nametoindex(WORLD_DEVICE_HERE)};
	bool ipv6 = random_one_in(random, 2), one_source = random_one_in(random, 2);
	struct sockaddr_in6 *group6 = (struct sockaddr_in6 *)&request.gsr_group;
	struct sockaddr_in *group4 = (struct sockaddr_in *)&request.gsr_group;
	uint32_t host = random_below(random, 4);

	target_draw(random, &request.gsr_source);
	if (ipv6) {
		group6->sin6_family = AF_INET6;
		inet_pton(AF_INET6, "ff05::4242", &group6->sin6_addr);
		group6->sin6_addr.s6_addr[15] = (uint8_t)host;
	} else {
		group4->sin_family = AF_INET;
		group4->sin_addr.s_addr = htonl(host == 0 ? 0xef010203 : 0xe8010200 + host);
	}
	setsockopt(fd, ipv6 ? IPPROTO_IPV6 : IPPROTO_IP, one_source ? MCAST_JOIN_SOURCE_GROUP : MCAST_JOIN_GROUP,
		   &request, one_source ? sizeof(request) : sizeof(struct group_req));
}

void option_usual(struct actor *actor, int fd) {
	unsigned kind = random_below(&actor->random, 16);

	if (kind == 0)
		option_group(&actor->random, fd);
	else if (kind < 4)
		option_bytes(&actor->random, fd);
	else
		option_number(&actor->random, fd);
}

void option_any(struct actor *actor, int fd) {
	static const int levels[] = {SOL_SOCKET,  IPPROTO_IP,  IPPROTO_IP,  IPPROTO_IPV6,   IPPROTO_IPV6,
				     IPPROTO_TCP, IPPROTO_UDP, LEVEL_MPTCP, IPPROTO_ICMPV6, 255 /* SOL_RAW */};
	static const socklen_t lengths[] = {4, 4, 4, 4, 0, 1, 8, 12, 16, 20, 32, 64, 136, 264};
	struct random *random = &actor->random;
	int level = random_of(random, levels), name = (int)random_below(random, 96);
	socklen_t length = random_of(random, lengths);
	unsigned kind = random_below(random, 3);
	union {
		struct sockaddr_storage address;
		int number;
		uint8_t bytes[264];
	} value = {.bytes = {0}};

	if (kind == 0)
		target_draw(random, &value.address);
	else if (kind == 1)
		value.number = small_number(random);
	else
		for (size_t i = 0; i < sizeof(value.bytes); i++)
			value.bytes[i] = (uint8_t)random_next(random);
	/* close() would wait, also of a socket that never waits otherwise */
	if (level == SOL_SOCKET && name == SO_LINGER)
		return;
	setsockopt(fd, level, name, &value, length);
}

/* ---- control messages ------------------------------------------------------------------------------------------ */

static void add_message(struct msghdr *message, size_t room, int level, int type, const void *data, size_t length) {
	size_t at = message->msg_controllen;
	struct cmsghdr *header = (struct cmsghdr *)((uint8_t *)message->msg_control + at);

	if (at + CMSG_SPACE(length) > room)
		return;
	header->cmsg_level = level;
	header->cmsg_type = type;
	header->cmsg_len = CMSG_LEN(length);
	memcpy(CMSG_DATA(header), data, length);
	message->msg_controllen = at + CMSG_SPACE(length);
}

static void add_source(struct random *random, struct msghdr *message, size_t room) {
	struct sockaddr_storage from;
	struct in6_pktinfo six = {.ipi6_ifindex = (int)random_below(random, 3)};
	struct in_pktinfo four = {.ipi_ifindex = six.ipi6_ifindex};

	target_source(random, &from);
	if (from.ss_family == AF_INET6) {
		six.ipi6_addr = ((struct sockaddr_in6 *)&from)->sin6_addr;
		add_message(message, room, IPPROTO_IPV6, IPV6_PKTINFO, &six, sizeof(six));
	} else {
		four.ipi_spec_dst = ((struct sockaddr_in *)&from)->sin_addr;
		add_message(message, room, IPPROTO_IP, IP_PKTINFO, &four, sizeof(four));
	}
}

void option_messages(struct actor *actor, struct msghdr *message, void *buffer, size_t size) {
	struct random *random = &actor->random;
	unsigned count = random_below(random, 3);
	uint16_t segment = (uint16_t)(100 + random_below(random, 1400));
	int number = small_number(random);

	message->msg_control = buffer;
	message->msg_controllen = 0;
	for (unsigned i = 0; i < count; i++)
		switch (random_below(random, 9)) {
		case 0:
		case 1:
			add_source(random, message, size);
			break;
		case 2:
			add_message(message, size, IPPROTO_UDP, 103 /* UDP_SEGMENT */, &segment, sizeof(segment));
			break;
		case 3:
			add_message(message, size, IPPROTO_IP, RETOPTS, source_route, sizeof(source_route));
			break;
		case 4:
			add_message(message, size, IPPROTO_IPV6, IPV6_RTHDR, segment_route, sizeof(segment_route));
			break;
		case 5:
			add_message(message, size, IPPROTO_IPV6, IPV6_HOPOPTS, hop_options, sizeof(hop_options));
			break;
		case 6:
			add_message(message, size, IPPROTO_IPV6, IPV6_DSTOPTS, hop_options, sizeof(hop_options));
			break;
		case 7:
			add_message(message, size, IPPROTO_IP, IP_TTL, &number, sizeof(number));
			break;
		default:
			add_message(message, size, SOL_SOCKET, SO_MARK, &number, sizeof(number));
		}
}
