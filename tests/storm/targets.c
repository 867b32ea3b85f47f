/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers ──► destinations and payloads that matter to the policy. */
#include "targets.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/hello_maker.h"
#include "storm.h"
#include "world.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The first ones are in the policy: allowed, inspected, denied. Then what it does not cover, and what is special. */
static const char *const ipv4[] = {
	"198.51.100.66", "198.51.100.66",   "203.0.113.130", "203.0.113.130", "203.0.113.135", "203.0.113.140",
	"198.51.100.67", "198.51.100.68",   "198.51.100.77", "198.51.100.77", "203.0.113.102", "203.0.113.101",
	"192.0.2.1",	 "127.0.0.1",	    "127.0.0.2",     "0.0.0.0",	      "224.0.0.5",     "239.1.2.3",
	"232.1.2.3",	 "255.255.255.255", "203.0.113.103", "169.254.1.1",
};
static const char *const ipv6[] = {
	"2001:db8:f::2",
	"2001:db8:f::2",
	"2001:db8:f:1::9",
	"2001:db8:f:1::9",
	"2001:db8:f::4",
	"2001:db8:e::1",
	"2001:db8:e::1",
	"2001:db8:1::2",
	"2001:db8:1::1",
	"::1",
	"::",
	"ff02::1",
	"ff05::4242",
	"fe80::1234",
	"64:ff9b::c633:6442",
	"64:ff9b::cb00:7182",
	"64:ff9b::c633:644d",
	"64:ff9b::7f00:1",
	"::ffff:0:0",
};
/* Most of the time, those in the policy. */
enum { COMMON_IPV4 = 10, COMMON_IPV6 = 7 };

static socklen_t put_ipv4(struct sockaddr_storage *out, const char *address, uint16_t port) {
	struct sockaddr_in *to = (struct sockaddr_in *)out;

	to->sin_family = AF_INET;
	to->sin_port = htons(port);
	inet_pton(AF_INET, address, &to->sin_addr);
	return sizeof(*to);
}

static socklen_t put_ipv6(struct sockaddr_storage *out, const char *address, uint16_t port) {
	struct sockaddr_in6 *to = (struct sockaddr_in6 *)out;

	to->sin6_family = AF_INET6;
	to->sin6_port = htons(port);
	inet_pton(AF_INET6, address, &to->sin6_addr);
	if (IN6_IS_ADDR_LINKLOCAL(&to->sin6_addr) || IN6_IS_ADDR_MULTICAST(&to->sin6_addr))
		to->sin6_scope_id = if_nametoindex(WORLD_DEVICE_HERE);
	return sizeof(*to);
}

static uint16_t draw_port(struct random *random) {
	if (random_one_in(random, 32))
		return (uint16_t)random_next(random);
	if (random_one_in(random, 16))
		return (uint16_t)(STORM_LISTEN_PORT + random_below(random, STORM_LISTEN_PORTS));
	/* 443 and 5000 are what the policy has */
	return random_one_in(random, 3) ? random_of(random, storm_ports) : storm_ports[random_below(random, 2)];
}

socklen_t target_draw(struct random *random, struct sockaddr_storage *out) {
	bool common = !random_one_in(random, 4);
	const char *four = ipv4[random_below(random, common ? COMMON_IPV4 : COUNT(ipv4))];
	const char *six = ipv6[random_below(random, common ? COMMON_IPV6 : COUNT(ipv6))];
	unsigned form = random_below(random, 8);
	uint16_t port = draw_port(random);
	char mapped[32];

	memset(out, 0, sizeof(*out));
	if (form < 3)
		return put_ipv4(out, four, port);
	if (form < 6)
		return put_ipv6(out, six, port);
	snprintf(mapped, sizeof(mapped), "::ffff:%s", four);
	return put_ipv6(out, mapped, port);
}

socklen_t target_inspected(struct random *random, struct sockaddr_storage *out) {
	static const char *const inspected[] = {"203.0.113.130", "203.0.113.135", "::ffff:203.0.113.130"};
	unsigned form = random_below(random, 6);

	memset(out, 0, sizeof(*out));
	if (form < 2)
		return put_ipv4(out, inspected[form], 443);
	return put_ipv6(out, form == 2 ? inspected[2] : "2001:db8:f:1::9", 443);
}

socklen_t target_source(struct random *random, struct sockaddr_storage *out) {
	static const char *const four[] = {"0.0.0.0",	"192.0.2.1",  "203.0.113.101", "198.51.100.1",
					   "127.0.0.1", "192.0.2.77", "198.51.100.66"};
	static const char *const six[] = {"::",
					  "2001:db8::1",
					  "2001:db8:1::1",
					  "::1",
					  "2001:db8:66::1",
					  "::ffff:192.0.2.1",
					  "::ffff:0.0.0.0",
					  "64:ff9b::c000:201"};
	uint16_t port =
		random_one_in(random, 2) ? (uint16_t)(STORM_LISTEN_PORT + random_below(random, STORM_LISTEN_PORTS)) : 0;
	bool ipv4_source = random_one_in(random, 2);
	const char *a = random_of(random, four), *b = random_of(random, six);

	memset(out, 0, sizeof(*out));
	return ipv4_source ? put_ipv4(out, a, port) : put_ipv6(out, b, port);
}

/* ---- payloads ------------------------------------------------------------------------------------------------- */

enum { MOST_PAYLOADS = 24 };

static struct payload payloads[MOST_PAYLOADS];
static size_t payload_count, hello_count; /* hellos come first */

static void add_payload(const void *bytes, size_t length) {
	uint8_t *copy = malloc(length);

	if (!copy || payload_count == MOST_PAYLOADS)
		abort();
	memcpy(copy, bytes, length);
	payloads[payload_count++] = (struct payload){copy, length};
}

static void add_hello(const struct hello *hello) {
	static struct bytes bytes;

	hello_make(&bytes, hello);
	add_payload(bytes.data, bytes.length);
}

static void add_noise(struct random *random, size_t length) {
	static uint8_t noise[1 << 16];

	for (size_t i = 0; i < length; i++)
		noise[i] = (uint8_t)random_next(random);
	add_payload(noise, length);
}

void payloads_make(uint64_t seed) {
	static const char *const names[] = {"allowed.test", "forbidden.test", "a.wild.test", "no.wild.test",
					    "bound.test"};
	struct random random = random_part(seed, STORM_PART_PAYLOADS);

	for (size_t i = 0; i < COUNT(names); i++) {
		add_hello(&(struct hello){.name = names[i]});
		add_hello(&(struct hello){.name = names[i], .browser = true, .post_quantum = i % 2});
	}
	add_hello(&(struct hello){.name = "allowed.test", .record_size = 50 + random_below(&random, 100)});
	add_hello(&(struct hello){.name = "forbidden.test", .record_size = 50 + random_below(&random, 100)});
	add_hello(&(struct hello){.name = "allowed.test", .size = 9000});
	add_hello(&(struct hello){.name = NULL});
	hello_count = payload_count;
	add_payload("GET / HTTP/1.0\r\n\r\n", 18);
	add_payload("FORBIDDEN", 9);
	add_noise(&random, 1);
	add_noise(&random, 3000);
	add_noise(&random, 60000);
}

struct payload payload_hello(struct random *random) {
	return payloads[random_below(random, (unsigned)hello_count)];
}

struct payload payload_draw(struct random *random) {
	struct payload payload = payloads[random_below(random, (unsigned)payload_count)];
	unsigned part = random_below(random, 6);

	if (part == 0)
		payload.length = 1 + random_below(random, (unsigned)payload.length);
	if (part == 1) {
		size_t skipped = random_below(random, (unsigned)payload.length);

		payload.bytes += skipped;
		payload.length -= skipped;
	}
	return payload;
}
