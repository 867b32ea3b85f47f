/* SPDX-License-Identifier: BSD-2-Clause */
/* K1 to K3: options that have the kernel send for a program, or put a layer between what is judged and the wire. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "evasion.h"
#include "options.h"

/* What the reports of a group could carry: it has to be found in none, and in one from outside. */
#define SECRET "secret-of-16-byt"
#define GROUP4 "224.0.1.99"
#define GROUP6 "ff05::4242"

enum { STREAM = SOCK_STREAM, DGRAM = SOCK_DGRAM, FREEBIND6 = 78 /* IPV6_FREEBIND */ };

static const char group_policy[] =
	"version: 1\ndns: {servers: none}\ntls: {to: [192.0.2.0/24], allow: [allowed.test]}\n"
	"direct: {allow: [{to: " GROUP4 ", proto: udp, ports: [5353]}, {to: \"" GROUP6 "\", proto: udp}]}\n";

struct option {
	int family, type, level, number;
	const void *value;
	socklen_t length;
};

static const int one = 1, zero;
static const uint8_t route[8] = {131, 7, 4, 198, 51, 100, 1, 0}, routing[24] = {0, 2, 4}, pktinfo[20] = {0x20, 1},
		     nowhere[20], label[72] = {[31] = 1};

/* All sockets take options of level IP, those of IPv6 also. */
static const struct option refused[] = {
	{AF_INET, STREAM, SNIF_LEVEL_IPV4, 15, &one, 4},      {AF_INET6, STREAM, SNIF_LEVEL_IPV4, 15, &one, 4},
	{AF_INET6, DGRAM, SNIF_LEVEL_IPV4, 15, &one, 1},      {AF_INET6, DGRAM, SNIF_LEVEL_IPV6, 78, &one, 4},
	{AF_INET, DGRAM, SNIF_LEVEL_IPV4, 19, &one, 4},	      {AF_INET6, STREAM, SNIF_LEVEL_IPV4, 19, &one, 4},
	{AF_INET6, STREAM, SNIF_LEVEL_IPV6, 75, &one, 4},     {AF_INET, STREAM, SNIF_LEVEL_IPV4, 4, route, 8},
	{AF_INET, DGRAM, SNIF_LEVEL_IPV4, 17, routing, 24},   {AF_INET6, DGRAM, SNIF_LEVEL_IPV6, 57, routing, 24},
	{AF_INET6, STREAM, SNIF_LEVEL_IPV6, 55, routing, 24}, {AF_INET6, STREAM, SNIF_LEVEL_IPV6, 6, routing, 24},
	{AF_INET6, STREAM, SNIF_LEVEL_IPV6, 35, routing, 24}, {AF_INET6, DGRAM, SNIF_LEVEL_IPV6, 50, pktinfo, 20},
	{AF_INET6, DGRAM, SNIF_LEVEL_IPV6, 32, label, 72},    {AF_INET, STREAM, SNIF_LEVEL_SOCKET, 60, &one, 4},
	{AF_INET, STREAM, SNIF_LEVEL_TCP, 31, "smc", 4},      {AF_INET, STREAM, SNIF_LEVEL_TCP, 31, "mptcp", 6},
	{AF_INET, STREAM, SNIF_LEVEL_TCP, 31, "espintcp", 9}, {AF_INET, STREAM, SNIF_LEVEL_TCP, 19, &one, 4},
	{AF_INET, STREAM, SNIF_LEVEL_TLS, 1, label, 40},      {AF_INET, DGRAM, SNIF_LEVEL_UDP, 100, &one, 4},
};

/* And with these values, or for these sockets, the kernel is asked. */
static const struct option passed[] = {
	{AF_INET, STREAM, SNIF_LEVEL_IPV4, 15, &zero, 4},    {AF_INET6, DGRAM, SNIF_LEVEL_IPV6, 78, &zero, 4},
	{AF_INET, STREAM, SNIF_LEVEL_IPV4, 4, "", 0},	     {AF_INET6, STREAM, SNIF_LEVEL_IPV6, 57, "", 0},
	{AF_INET6, DGRAM, SNIF_LEVEL_IPV6, 50, nowhere, 20}, {AF_INET, DGRAM, SNIF_LEVEL_SOCKET, 60, &one, 4},
	{AF_INET, STREAM, SNIF_LEVEL_TCP, 31, "tls", 4},     {AF_INET, DGRAM, SNIF_LEVEL_UDP, 100, &zero, 4},
	{AF_INET, DGRAM, SNIF_LEVEL_UDP, 103, &one, 4},	     {AF_UNIX, STREAM, SNIF_LEVEL_IPV4, 15, &one, 4},
};

/* 0 or the errno. */
static int set(const struct option *option) {
	int fd = socket(option->family, option->type, 0), error;

	assert_true(fd >= 0);
	evasion_count(1);
	error = setsockopt(fd, option->level, option->number, option->value, option->length) ? errno : 0;
	close(fd);
	return error;
}

static void options_refused(void) {
	const struct snif_event *event;

	for (size_t i = 0; i < COUNT(refused); i++) {
		if (set(&refused[i]) != EPERM)
			fail_msg("option %d:%d was not refused", refused[i].level, refused[i].number);
		event = lab_expect(SNIF_DENY, SNIF_REASON_SOCKET_OPTION);
		assert_int_equal(event->hook, SNIF_HOOK_SETSOCKOPT);
		assert_int_equal(event->object.level, refused[i].level);
		assert_int_equal(event->object.option, refused[i].number);
		evasion_expect_self(event);
	}
}

static void options_passed(void) {
	int error;

	for (size_t i = 0; i < COUNT(passed); i++) {
		error = set(&passed[i]);
		/* what this kernel does not have, or says of a socket that is not connected */
		if (error != 0 && error != ENOPROTOOPT && error != ENOENT && error != ENOTCONN && error != EOPNOTSUPP)
			fail_msg("option %d:%d: %s", passed[i].level, passed[i].number, strerror(error));
	}
	assert_null(lab_event(0));
}

/* A value over a page: the program is shown its beginning, and the kernel takes all of it, or nothing. */
static void long_values(void) {
	static uint8_t value[10000] = {0, 0, 1};
	int fd = socket(AF_INET, SOCK_STREAM, 0), size = 0;
	socklen_t length = sizeof(size);

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, value, sizeof(value)), 0);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &length), 0);
	assert_int_equal(size, 2 * 65536);
	assert_null(lab_event(0));
	/* zero where it is shown; what the kernel would read later is another matter */
	value[2] = 0;
	assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_FREEBIND, value, sizeof(value)), -1);
	assert_int_equal(errno, EPERM);
	lab_expect(SNIF_DENY, SNIF_REASON_SOCKET_OPTION);
	close(fd);
}

/* In audit mode it is told, and let through: then the source of a packet is somebody else's. */
static void audited(void) {
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	struct sockaddr_storage foreign;
	socklen_t length = lab_address("2001:db8:bad::1", 4444, &foreign);

	evasion_count(1);
	assert_int_equal(setsockopt(fd, IPPROTO_IPV6, FREEBIND6, &one, sizeof(one)), -1);
	lab_expect(SNIF_DENY, SNIF_REASON_SOCKET_OPTION);
	assert_int_equal(bind(fd, (struct sockaddr *)&foreign, length), -1);
	assert_int_equal(errno, EADDRNOTAVAIL);
	evasion_use_policy(evasion_policy_audit);
	assert_int_equal(setsockopt(fd, IPPROTO_IPV6, FREEBIND6, &one, sizeof(one)), 0);
	assert_int_equal(lab_expect(SNIF_DENY, SNIF_REASON_SOCKET_OPTION)->mode, SNIF_AUDIT);
	assert_int_equal(bind(fd, (struct sockaddr *)&foreign, length), 0);
	close(fd);
}

static void set_nonlocal_bind(const char *value) {
	int file = open("/proc/sys/net/ipv6/ip_nonlocal_bind", O_WRONLY | O_CLOEXEC);

	if (file < 0 || write(file, value, 1) != 1)
		evasion_skip("net.ipv6.ip_nonlocal_bind cannot be set: %s", strerror(errno));
	close(file);
}

/* A socket with a source of its own choice. */
static int socket_from(int type, const char *source) {
	int fd = socket(AF_INET6, type | SOCK_NONBLOCK, 0);
	struct sockaddr_storage from;
	socklen_t length = lab_address(source, 0, &from);

	evasion_count(1);
	assert_int_equal(bind(fd, (struct sockaddr *)&from, length), 0);
	return fd;
}

/* Where everybody may choose any source: what stays on this machine leaves only with one that is sure to be its own. */
static void source_of_others(void) {
	static const char *const sources[] = {"2001:db8:bad::1", "2001:db8::2"};
	size_t before = lab_seen(evasion_udp5353, 0).received, accepted = lab_count(evasion_tls);
	struct sockaddr_storage plain, tls;
	socklen_t length = lab_address(V6, 5353, &plain);
	int fd;

	lab_address(V6, 443, &tls);
	set_nonlocal_bind("1");
	for (size_t i = 0; i < COUNT(sources); i++) {
		fd = socket_from(SOCK_DGRAM, sources[i]);
		assert_int_equal(sendto(fd, "x", 1, 0, (struct sockaddr *)&plain, length), -1);
		assert_int_equal(errno, EPERM);
		lab_expect(SNIF_ALLOW, SNIF_REASON_ADDRESS_ALLOWED); /* by what sendto() names */
		assert_int_equal(lab_expect(SNIF_DENY, SNIF_REASON_SOURCE_ADDRESS)->hook, SNIF_HOOK_EGRESS);
		close(fd);
		fd = socket_from(SOCK_STREAM, sources[i]);
		assert_int_equal(connect(fd, (struct sockaddr *)&tls, length), -1);
		lab_expect(SNIF_DENY, SNIF_REASON_SOURCE_ADDRESS);
		close(fd);
	}
	set_nonlocal_bind("0");
	assert_int_equal(lab_seen(evasion_udp5353, 0).received, before);
	assert_int_equal(lab_count(evasion_tls), accepted);
	/* one's own address, which is the same as none */
	fd = socket_from(SOCK_DGRAM, V6);
	assert_int_equal(sendto(fd, "x", 1, 0, (struct sockaddr *)&plain, length), 1);
	lab_expect(SNIF_ALLOW, SNIF_REASON_ADDRESS_ALLOWED);
	close(fd);
}

/* ---- groups ---- */

/* struct group_source_req, by its layout here: the index of a device, padding, the group, a source. */
struct group_source {
	uint32_t interface, unused;
	struct sockaddr_storage group, source;
};

static struct group_source group_of(const char *address, unsigned interface) {
	struct group_source group = {.interface = interface};

	lab_address(address, 0, &group.group);
	group.source = group.group;
	if (group.group.ss_family == AF_INET6)
		memcpy(&((struct sockaddr_in6 *)&group.source)->sin6_addr, SECRET, 16);
	else
		memcpy(&((struct sockaddr_in *)&group.source)->sin_addr, SECRET, 4);
	return group;
}

/* 0 or the errno of a call that joins, blocks a source, or lists sources. */
static int join(int fd, const struct group_source *group, int option) {
	int level = group->group.ss_family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;

	evasion_count(1);
	return setsockopt(fd, level, option, group, sizeof(*group)) ? errno : 0;
}

/* Whether the other host has received these bytes: everything that is there to read is read. */
static bool arrived(int recorder, const void *bytes, size_t length) {
	uint8_t packet[2048];
	bool found = false;
	ssize_t size;

	lab_sleep_ms(200);
	while ((size = recv(recorder, packet, sizeof(packet), MSG_DONTWAIT)) > 0)
		found |= memmem(packet, (size_t)size, bytes, length) != NULL;
	return found;
}

/* A packet socket on the other host's device. */
static int recorder_open(void) {
	int there = lab_peer(), here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), fd;

	evasion_outside();
	assert_int_equal(setns(there, CLONE_NEWNET), 0);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
	assert_int_equal(setns(here, CLONE_NEWNET), 0);
	evasion_inside();
	close(here);
	assert_true(fd >= 0);
	return fd;
}

static void reports(const char *address, size_t length) {
	int recorder = recorder_open(), family = strchr(address, ':') ? AF_INET6 : AF_INET, fd;
	const struct group_source group = group_of(address, if_nametoindex("lab0"));

	fd = socket(family, SOCK_DGRAM, 0);
	assert_int_equal(join(fd, &group, MCAST_JOIN_SOURCE_GROUP), EPERM);
	lab_expect(SNIF_DENY, SNIF_REASON_SOCKET_OPTION);
	close(fd);
	assert_false(arrived(recorder, SECRET, length));
	/* it would: from outside */
	evasion_outside();
	fd = socket(family, SOCK_DGRAM, 0);
	evasion_inside();
	assert_int_equal(join(fd, &group, MCAST_JOIN_SOURCE_GROUP), 0);
	assert_true(arrived(recorder, SECRET, length));
	close(fd);
	close(recorder);
}

static void source_lists(void) {
	evasion_outside();
	lab_peer();
	evasion_inside();
	reports("232.1.2.3", 4);
	reports(GROUP6, 16);
}

/* Every call that names a group; the oldest begin with its address. */
static void every_join(void) {
	static const int by_storage[] = {MCAST_JOIN_GROUP, MCAST_JOIN_SOURCE_GROUP, MCAST_BLOCK_SOURCE, MCAST_MSFILTER};
	static const int by_ipv4[] = {IP_ADD_MEMBERSHIP, IP_ADD_SOURCE_MEMBERSHIP, IP_BLOCK_SOURCE, IP_MSFILTER};
	static const int by_ipv6[] = {IPV6_ADD_MEMBERSHIP, IPV6_JOIN_ANYCAST};
	uint8_t value[20] = {224, 0, 1, 98, 127, 0, 0, 1};
	const struct group_source groups[] = {group_of("224.0.1.98", 1), group_of("ff05::4343", 1)};

	for (size_t i = 0; i < 2; i++) {
		int fd = socket(groups[i].group.ss_family, SOCK_DGRAM, 0), level = i ? IPPROTO_IPV6 : IPPROTO_IP;
		const int *old = i ? by_ipv6 : by_ipv4;

		for (size_t j = 0; j < COUNT(by_storage); j++) {
			assert_int_equal(join(fd, &groups[i], by_storage[j]), EPERM);
			lab_expect(SNIF_DENY, SNIF_REASON_SOCKET_OPTION);
		}
		if (i)
			memcpy(value, &((const struct sockaddr_in6 *)&groups[i].group)->sin6_addr, 16);
		for (size_t j = 0; j < (i ? COUNT(by_ipv6) : COUNT(by_ipv4)); j++) {
			assert_int_equal(setsockopt(fd, level, old[j], value, sizeof(value)), -1);
			assert_int_equal(errno, EPERM);
			lab_expect(SNIF_DENY, SNIF_REASON_SOCKET_OPTION);
		}
		close(fd);
	}
}

/* A group that a direct rule allows: where it has ports, to a socket that is bound to one of them. */
static void groups_allowed(void) {
	const struct group_source group4 = group_of(GROUP4, if_nametoindex("lo")),
				  group6 = group_of(GROUP6, if_nametoindex("lo"));
	struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons(5353)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0), fd6 = socket(AF_INET6, SOCK_DGRAM, 0);

	evasion_use_policy(group_policy);
	assert_int_equal(join(fd, &group4, MCAST_JOIN_GROUP), EPERM);
	lab_expect(SNIF_DENY, SNIF_REASON_SOCKET_OPTION);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	where.sin_addr.s_addr = inet_addr(GROUP4);
	assert_int_equal(bind(fd, (struct sockaddr *)&where, sizeof(where)), 0);
	assert_int_equal(join(fd, &group4, MCAST_JOIN_GROUP), 0);
	assert_int_equal(join(fd6, &group6, MCAST_JOIN_GROUP), 0);
	close(fd);
	close(fd6);
}

static const struct evasion cases[] = {
	{"K1-options-refused", .run = options_refused},
	{"K1-options-passed", .run = options_passed},
	{"K1-options-of-long-values", .run = long_values},
	{"K2-foreign-source", .run = audited},
	{"K2-source-of-others", .run = source_of_others},
	{"K3-sources-in-reports-of-groups", .run = source_lists},
	{"K3-every-join", .run = every_join},
	{"K3-groups-allowed", .run = groups_allowed},
};

CATALOGUE(option_cases, cases);
