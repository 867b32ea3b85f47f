/* SPDX-License-Identifier: BSD-2-Clause */
/* T9, T10: one destination in other words, and headers that hide the real one. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "evasion.h"

static struct stream stream;

/* ---- T9 ---- */

/* Both verdicts on the way to `address`; BOUND is allowed at 192.0.2.2 only. */
static void inspected_at(const char *address) {
	struct trial trial = trial_open(address);

	trial_hello_passes(&trial, ALLOWED);
	trial = trial_open(address);
	trial_hello_refused(&trial, FORBIDDEN, REFUSE);
	trial = trial_open(address);
	trial_hello_refused(&trial, BOUND, SNIF_REASON_NAME_ELSEWHERE);
}

static void refused_at(const char *address, uint16_t port, enum snif_reason reason) {
	int fd = lab_dial(address, port);

	evasion_count(1);
	if (fd != -EPERM)
		fail_msg("connect() to %s port %u: %s", address, port, fd < 0 ? strerror(-fd) : "done");
	assert_int_equal(lab_expect(SNIF_DENY, reason)->hook, SNIF_HOOK_CONNECT);
}

static void mapped(void) {
	inspected_at("::ffff:192.0.2.1");
	refused_at("::ffff:203.0.113.1", 443, SNIF_REASON_ADDRESS_NOT_ALLOWED);
	refused_at("::ffff:192.0.2.1", 80, SNIF_REASON_PORT_NOT_ALLOWED);
}

static void ipv6(void) {
	inspected_at(V6);
	inspected_at("2001:db8::2");
	inspected_at("::1");
	refused_at("2001:db9::1", 443, SNIF_REASON_ADDRESS_NOT_ALLOWED);
	refused_at(V6, 80, SNIF_REASON_PORT_NOT_ALLOWED);
}

static void nat64(void) {
	inspected_at("64:ff9b::c0af:3001");
	refused_at("64:ff9b::1.1.1.1", 443, SNIF_REASON_ADDRESS_NOT_ALLOWED);
	refused_at("64:ff9b::192.175.48.1", 80, SNIF_REASON_PORT_NOT_ALLOWED);
}

/*
 * Addresses that mean something here, or nothing anywhere: no translator may take them (RFC 6052, section 3.1), but the
 * network would be asked to, by packets that a rule for this host has let out.
 */
static void nat64_not_global(void) {
	static const char *const addresses[] = {"0.0.0.1",	  "10.0.0.1",	     "100.64.0.1",   "100.127.255.255",
						"127.0.0.1",	  "127.255.255.255", "169.254.0.1",  "172.16.0.1",
						"172.31.255.255", "192.0.0.1",	     "192.0.2.1",    "192.168.0.1",
						"198.18.0.1",	  "198.19.255.255",  "198.51.100.1", "203.0.113.1",
						"224.0.0.1",	  "239.255.255.255", "240.0.0.1",    "255.255.255.255"};
	static const char *const global[] = {"1.1.1.1",	    "11.0.0.1",	   "100.63.255.255", "100.128.0.1",
					     "126.0.0.1",   "128.0.0.1",   "169.253.0.1",    "172.15.255.255",
					     "172.32.0.1",  "192.0.1.1",   "192.0.3.1",	     "192.167.0.1",
					     "198.17.0.1",  "198.20.0.1",  "198.51.101.1",   "203.0.114.1",
					     "223.255.0.1", "192.169.0.1", "9.255.255.255",  "170.0.0.1"};
	char address[64];

	evasion_use_policy("version: 1\ndns: {servers: none}\ndirect: {allow: [{to: any, ports: [8080]}]}\n");
	for (size_t i = 0; i < COUNT(addresses); i++) {
		snprintf(address, sizeof(address), "64:ff9b::%s", addresses[i]);
		refused_at(address, 8080, SNIF_REASON_NAT64_NOT_GLOBAL);
	}
	for (size_t i = 0; i < COUNT(global); i++) {
		snprintf(address, sizeof(address), "64:ff9b::%s", global[i]);
		refused_at(address, 80, SNIF_REASON_PORT_NOT_ALLOWED);
	}
}

/* They mean this host: what is judged is the loopback address, and that is where the connection goes. */
static void unspecified(void) {
	static const char *const addresses[] = {"0.0.0.0", "::", "::ffff:0.0.0.0"};

	for (size_t i = 0; i < COUNT(addresses); i++) {
		inspected_at(addresses[i]);
		refused_at(addresses[i], 8080, SNIF_REASON_PORT_NOT_ALLOWED);
	}
	evasion_use_policy("version: 1\ndns: {servers: none}\n"
			   "tls: {to: [192.0.2.0/24, \"2001:db8::/32\"], allow: [allowed.test]}\n");
	for (size_t i = 0; i < COUNT(addresses); i++)
		refused_at(addresses[i], 443, SNIF_REASON_ADDRESS_NOT_ALLOWED);
	evasion_use_policy("version: 1\ndns: {servers: none}\ndirect: {allow: [0.0.0.0/32, \"::/128\"]}\n"
			   "tls: {to: [192.0.2.0/24], allow: [allowed.test]}\n");
	for (size_t i = 0; i < COUNT(addresses); i++)
		refused_at(addresses[i], 443, SNIF_REASON_ADDRESS_NOT_ALLOWED);
}

/* Forms that hold an IPv4 address and are none of that address for the kernel: judged as the IPv6 address they are. */
static void embedded(void) {
	static const char *const addresses[] = {
		"::192.0.2.1",		"2002:c000:201::1",	"::ffff:0:192.0.2.1",
		"64:ff9b:1::192.0.2.1", "fec0::5efe:192.0.2.1", "2001:0:c000:201::1",
		"::fffe:192.0.2.1",	"1::ffff:192.0.2.1",	"64:ff9b::1:c000:201",
	};

	for (size_t i = 0; i < COUNT(addresses); i++)
		refused_at(addresses[i], 443, SNIF_REASON_ADDRESS_NOT_ALLOWED);
}

static void loopback(void) {
	inspected_at("127.0.0.1");
	inspected_at("127.1.2.3");
	inspected_at("::ffff:127.0.0.1");
}

/* ---- T10 ---- */

/* Starts to connect, and does not wait for it. */
static int start_connect(int fd, const char *address) {
	struct sockaddr_storage where;
	socklen_t length = lab_address(address, 443, &where);
	const struct timeval patience = {.tv_sec = LAB_PATIENCE_MS / 1000};
	int one = 1;

	evasion_count(1);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (connect(fd, (struct sockaddr *)&where, length))
		assert_int_equal(errno, EINPROGRESS);
	fcntl(fd, F_SETFL, 0);
	return fd;
}

/* The same with an option set, which the filter refuses: it stands on the socket all the same. */
static int connect_with(const char *address, int level, int name, const void *option, socklen_t size) {
	int fd = socket(strchr(address, ':') ? AF_INET6 : AF_INET, SOCK_STREAM, 0);

	evasion_set_refused(fd, level, name, option, size);
	return start_connect(fd, address);
}

/* 131: loose, 137: strict source route by 198.51.100.1; behind n no-operations. */
static socklen_t source_route(uint8_t option[40], uint8_t type, size_t n) {
	const uint8_t route[] = {type, 7, 4, 198, 51, 100, 1};
	size_t length = (n + sizeof(route) + 3) / 4 * 4;

	memset(option, 1, 40);
	memcpy(option + n, route, sizeof(route));
	return (socklen_t)length;
}

static void source_route_at_connect(void) {
	static const uint8_t types[] = {131, 137};
	uint8_t option[40];

	for (size_t i = 0; i < 2; i++)
		for (size_t n = 0; n < 20; n += 19) {
			socklen_t size = source_route(option, types[i], n);

			refused_unseen(connect_with(V4, IPPROTO_IP, IP_OPTIONS, option, size),
				       SNIF_REASON_SOURCE_ROUTE);
		}
}

/* An ordinary connection, on which the hello and some data have passed: nothing is left to inspect. */
static struct trial open_settled(const char *address) {
	struct trial trial = trial_open(address);

	stream_hello(&stream, ALLOWED);
	hello_record(&stream.bytes, 23, "x", 1);
	assert_int_equal(lab_send(trial.fd, stream.bytes.data, stream.bytes.length), 0);
	lab_expect(SNIF_ALLOW, ALLOW);
	lab_wait_bytes(trial.server, trial.index, stream.bytes.length);
	trial.may_see[0] = ALLOWED;
	return trial;
}

static void source_route_after_verdict(void) {
	struct trial trial = open_settled(V4);
	uint8_t option[40];

	evasion_set_refused(trial.fd, IPPROTO_IP, IP_OPTIONS, option, source_route(option, 131, 0));
	assert_true(send(trial.fd, "more", 4, 0) == 4);
	trial_refused(&trial, SNIF_REASON_SOURCE_ROUTE, stream.bytes.data, stream.bytes.length);
}

static void source_route_in_hello(void) {
	struct trial trial = trial_open(V4);
	uint8_t option[40];

	stream_hello(&stream, ALLOWED);
	assert_int_equal(lab_send(trial.fd, stream.bytes.data, 100), 0);
	lab_wait_bytes(trial.server, trial.index, 100);
	evasion_set_refused(trial.fd, IPPROTO_IP, IP_OPTIONS, option, source_route(option, 137, 1));
	lab_send(trial.fd, stream.bytes.data + 100, stream.bytes.length - 100);
	trial_refused(&trial, SNIF_REASON_SOURCE_ROUTE, stream.bytes.data, 100);
}

/* The address in force is the plain one, whose connections are not inspected: the same holds there. */
static void source_route_plain(void) {
	struct trial trial = trial_open_at(evasion_plain, V4, 8080);
	uint8_t option[40];

	lab_expect(SNIF_ALLOW, SNIF_REASON_ADDRESS_ALLOWED);
	assert_int_equal(lab_send(trial.fd, "plain", 5), 0);
	lab_wait_bytes(trial.server, trial.index, 5);
	evasion_set_refused(trial.fd, IPPROTO_IP, IP_OPTIONS, option, source_route(option, 131, 0));
	assert_true(send(trial.fd, "more", 4, 0) == 4);
	trial_refused(&trial, SNIF_REASON_SOURCE_ROUTE, "plain", 5);
}

/* Options that lead nowhere else: the header is longer, and the hello is found behind it. */
static void other_ip_options(void) {
	static const uint8_t options[][12] = {{7, 11, 4}, {68, 12, 5}, {1, 1, 1, 1}, {148, 4, 0, 0}, {0}};

	for (size_t i = 0; i < COUNT(options); i++)
		for (int allowed = 0; allowed < 2; allowed++) {
			struct trial trial = trial_of(-1);

			trial.fd = connect_with(V4, IPPROTO_IP, IP_OPTIONS, options[i], i < 2 ? 12 : 4);
			lab_wait(trial.server, trial.index, LAB_ACCEPTED);
			if (allowed)
				trial_hello_passes(&trial, ALLOWED);
			else
				trial_hello_refused(&trial, FORBIDDEN, REFUSE);
		}
}

/* Segment routing (RFC 8754), the type of routing header that today's kernels take: one that is used up, and not. */
static void routing_header(void) {
	static const uint8_t used_up[24] = {0, 2, 4, 0, 0, [8] = 0x20, 1, 0x0d, 0xb8, [23] = 1};
	static const uint8_t two[40] = {0,    4,	4,    1, 1,    [8] = 0x20, 1,	    0x0d,
					0xb8, [23] = 1, 0x20, 1, 0x0d, 0xb8,	   [39] = 2};

	refused_unseen(connect_with(V6, IPPROTO_IPV6, IPV6_RTHDR, used_up, sizeof(used_up)), SNIF_REASON_SOURCE_ROUTE);
	refused_unseen(connect_with(V6, IPPROTO_IPV6, IPV6_RTHDR, two, sizeof(two)), SNIF_REASON_SOURCE_ROUTE);
}

static void routing_header_after_verdict(void) {
	static const uint8_t used_up[24] = {0, 2, 4, 0, 0, [8] = 0x20, 1, 0x0d, 0xb8, [23] = 1};
	struct trial trial = open_settled(V6);

	evasion_set_refused(trial.fd, IPPROTO_IPV6, IPV6_RTHDR, used_up, sizeof(used_up));
	assert_true(send(trial.fd, "more", 4, 0) == 4);
	trial_refused(&trial, SNIF_REASON_SOURCE_ROUTE, stream.bytes.data, stream.bytes.length);
}

/* Hop-by-hop and destination options (of a type that hosts skip), short and long, before the TCP header. */
static void extension_headers(void) {
	static const struct {
		int name;
		socklen_t size;
	} headers[] = {{IPV6_DSTOPTS, 8}, {IPV6_HOPOPTS, 8}, {IPV6_DSTOPTS, 248}};

	for (size_t i = 0; i < COUNT(headers); i++)
		for (int allowed = 0; allowed < 2; allowed++) {
			uint8_t header[256] = {0, (uint8_t)(headers[i].size / 8 - 1), 0x1e,
					       (uint8_t)(headers[i].size - 4)};
			struct trial trial = trial_of(-1);

			trial.fd = socket(AF_INET6, SOCK_STREAM, 0);
			if (setsockopt(trial.fd, IPPROTO_IPV6, headers[i].name, header, headers[i].size))
				evasion_skip("this kernel does not take the option: %s", strerror(errno));
			start_connect(trial.fd, V6);
			lab_wait(trial.server, trial.index, LAB_ACCEPTED);
			if (allowed)
				trial_hello_passes(&trial, ALLOWED);
			else
				trial_hello_refused(&trial, FORBIDDEN, REFUSE);
		}
}

static void extension_header_after_verdict(void) {
	struct trial trial = open_settled(V6);
	static const uint8_t header[8] = {0, 0, 1, 4};

	assert_int_equal(setsockopt(trial.fd, IPPROTO_IPV6, IPV6_DSTOPTS, header, sizeof(header)), 0);
	hello_record(&stream.bytes, 23, "more", 4);
	assert_int_equal(lab_send(trial.fd, stream.bytes.data + stream.bytes.length - 9, 9), 0);
	trial_passed(&trial, stream.bytes.data, stream.bytes.length);
}

static const struct evasion cases[] = {
	{"T9-ipv6", .run = ipv6},
	{"T9-v4-mapped", .run = mapped},
	{"T9-nat64", .run = nat64},
	{"T9-nat64-not-global", .run = nat64_not_global},
	{"T9-unspecified-means-loopback", .run = unspecified},
	{"T9-loopback", .run = loopback},
	{"X-ipv4-inside-ipv6", .run = embedded},
	{"T10-source-route-at-connect", .run = source_route_at_connect},
	{"T10-source-route-in-hello", .run = source_route_in_hello},
	{"T10-source-route-after-verdict", .run = source_route_after_verdict},
	{"T10-source-route-not-inspected", .run = source_route_plain},
	{"T10-other-ip-options", .run = other_ip_options},
	{"T10-routing-header", .run = routing_header},
	{"T10-routing-header-after-verdict", .run = routing_header_after_verdict},
	{"T10-extension-headers", .run = extension_headers},
	{"T10-extension-header-after-verdict", .run = extension_header_after_verdict},
};

CATALOGUE(address_cases, cases);
