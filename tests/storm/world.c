/* SPDX-License-Identifier: BSD-2-Clause */
/* The lab's two namespaces ──► routes between them, and looser rules of the kernel, as on a desktop. */
#include "world.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "../support/lab.h"

static const char *const routes_here = "route add default via " WORLD_GATEWAY_IPV4 " dev " WORLD_DEVICE_HERE "\n"
				       "route add default via " WORLD_GATEWAY_IPV6 " dev " WORLD_DEVICE_HERE "\n";

/* Prefixes that hold no address of here; what is left of these has the way back. */
static const char *const routes_there = "route add local 198.51.100.64/26 dev lo\n"
					"route add local 203.0.113.128/25 dev lo\n"
					"route add local 2001:db8:e::/48 dev lo\n"
					"route add local 2001:db8:f::/48 dev lo\n"
					"route add local 64:ff9b::/96 dev lo\n"
					"route add 192.0.2.0/30 via 203.0.113.101\n"
					"route add 2001:db8::/126 via 2001:db8:1::1\n";

enum { MOST_ADDRESSES = 32 };

static uint8_t own[MOST_ADDRESSES][16]; /* v4-mapped */
static size_t own_count;

static void ip_batch(const char *commands) {
	FILE *ip = popen("ip -batch - 2>&1", "w");

	assert_non_null(ip);
	fputs(commands, ip);
	if (pclose(ip))
		fail_msg("ip (of iproute2) cannot make the storm's routes");
}

/* What the kernel does not have is passed over. */
static void put_sysctl(const char *name, const char *value) {
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, value, strlen(value)) < 0)
		print_message("%s stays as it is\n", path);
	close(fd);
}

static void loosen(void) {
	put_sysctl("ipv4/tcp_fastopen", "1543"); /* both ends, no cookies, every listener: 0x607 */
	put_sysctl("ipv4/ping_group_range", "0 2147483647");
	put_sysctl("ipv4/ip_unprivileged_port_start", "1");
	put_sysctl("ipv4/icmp_ratelimit", "0");
	put_sysctl("ipv6/icmp/ratelimit", "0");
	put_sysctl("ipv4/tcp_tw_reuse", "1");
	/* SYN cookies, for a listener whose queue is full, belong to no socket: no hook on egress is asked of them */
	put_sysctl("ipv4/tcp_syncookies", "0");
	put_sysctl("mptcp/enabled", "1");
}

/* All of the devices, also what the kernel gave them itself. */
static void note_addresses(void) {
	struct ifaddrs *all, *at;

	assert_int_equal(getifaddrs(&all), 0);
	for (at = all; at; at = at->ifa_next) {
		if (!at->ifa_addr || (at->ifa_addr->sa_family != AF_INET && at->ifa_addr->sa_family != AF_INET6))
			continue;
		assert_true(own_count < MOST_ADDRESSES);
		if (at->ifa_addr->sa_family == AF_INET)
			snif_map_ipv4(own[own_count++], &((struct sockaddr_in *)at->ifa_addr)->sin_addr);
		else
			memcpy(own[own_count++], &((struct sockaddr_in6 *)at->ifa_addr)->sin6_addr, 16);
	}
	freeifaddrs(all);
}

int world_make(void) {
	int here = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), there = lab_peer();

	ip_batch(routes_here);
	loosen();
	assert_int_equal(setns(there, CLONE_NEWNET), 0);
	ip_batch(routes_there);
	loosen();
	assert_int_equal(setns(here, CLONE_NEWNET), 0);
	close(here);
	note_addresses();
	return there;
}

int world_socket_there(int there, int family, int type, int protocol) {
	int here = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), fd;

	assert_int_equal(setns(there, CLONE_NEWNET), 0);
	fd = socket(family, type | SOCK_CLOEXEC, protocol);
	assert_int_equal(setns(here, CLONE_NEWNET), 0);
	close(here);
	return fd;
}

bool world_is_here(const uint8_t address[16]) {
	if (snif_is_ipv4(address) && address[12] == 127)
		return true;
	for (size_t i = 0; i < own_count; i++)
		if (memcmp(own[i], address, 16) == 0)
			return true;
	return false;
}

bool world_is_gateway(const uint8_t address[16]) {
	struct in6_addr ipv4, ipv6;

	inet_pton(AF_INET6, "::ffff:" WORLD_GATEWAY_IPV4, &ipv4);
	inet_pton(AF_INET6, WORLD_GATEWAY_IPV6, &ipv6);
	return memcmp(address, &ipv4, 16) == 0 || memcmp(address, &ipv6, 16) == 0;
}

bool world_solicits_here(const uint8_t group[16]) {
	static const uint8_t solicited[13] = {0xff, 2, 0, 0, 0, 0,   0,
					      0,    0, 0, 0, 1, 0xff}; /* RFC 4291, section 2.7.1 */

	for (size_t i = 0; i < own_count; i++)
		if (memcmp(group, solicited, 13) == 0 && memcmp(own[i] + 13, group + 13, 3) == 0)
			return true;
	return false;
}
