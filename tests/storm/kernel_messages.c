/* SPDX-License-Identifier: BSD-2-Clause */
/* ICMP, IGMP, ARP ──► honest, or a finding. */
#include "kernel_messages.h"

#include <netinet/in.h>
#include <string.h>

#include "finding.h"
#include "storm.h"
#include "world.h"

enum {
	ARP = 28 /* bytes: RFC 826 */,
	REMEMBERED = 1 << 14,
	NEIGHBOURS = 64,
	QUOTED = 400 /* bytes behind the IP header; a router quotes more */
};

/* ICMPv6: RFC 4443, 4861, 3810. */
enum {
	ERRORS_END = 4,
	REPORT_1 = 131,
	DONE_1 = 132,
	SOLICIT_ROUTER = 133,
	SOLICIT = 135,
	ADVERTISE = 136,
	REPORT_2 = 143
};
/* IGMP: RFC 3376. */
enum { IGMP_REPORT_1 = 0x12, IGMP_REPORT_2 = 0x16, IGMP_LEAVE = 0x17, IGMP_REPORT_3 = 0x22 };

static uint64_t sent[REMEMBERED];
static size_t sent_count;
static uint8_t neighbours[NEIGHBOURS][16];
static size_t neighbour_count;

/* Checksums, which the device makes later, are left out. */
static uint64_t fingerprint(const struct wire *wire) {
	size_t length = wire->length < QUOTED ? wire->length : QUOTED;
	size_t checksum = wire->protocol == IPPROTO_TCP ? 16 : 6;
	uint64_t hash = 14695981039346656037ULL;

	for (size_t i = 0; i < 16; i++)
		hash = (hash ^ wire->source[i] ^ (uint64_t)wire->destination[i] << 8) * 1099511628211ULL;
	for (size_t i = 0; i < length; i++)
		if (i != checksum && i != checksum + 1)
			hash = (hash ^ wire->body[i]) * 1099511628211ULL;
	return hash;
}

static bool is_neighbour(const uint8_t address[16]) {
	for (size_t i = 0; i < neighbour_count; i++)
		if (memcmp(neighbours[i], address, 16) == 0)
			return true;
	return world_is_gateway(address);
}

static void add_neighbour(const uint8_t address[16]) {
	if (neighbour_count < NEIGHBOURS && !is_neighbour(address))
		memcpy(neighbours[neighbour_count++], address, 16);
}

void kernel_message_note(const struct wire *wire) {
	add_neighbour(wire->source);
	if (wire->protocol == IPPROTO_UDP || wire->protocol == IPPROTO_TCP)
		sent[sent_count++ % REMEMBERED] = fingerprint(wire);
}

static bool was_sent(const struct wire *quoted) {
	uint64_t wanted = fingerprint(quoted);

	for (size_t i = 0; i < sent_count && i < REMEMBERED; i++)
		if (sent[i] == wanted)
			return true;
	return false;
}

static void check_error(const struct wire *wire) {
	struct wire quoted = {0};

	if (wire->length < 8 || !wire_read_ip(wire->body + 8, wire->length - 8, &quoted) || !was_sent(&quoted))
		finding_tell(FINDING_ERROR, wire);
}

/* ---- groups ------------------------------------------------------------------------------------------------------ */

/* Whether a datagram to it could be allowed: then it is no secret either who wants to hear it. */
static bool may_send_to(const struct compiled *compiled, const uint8_t address[16]) {
	struct snif_dest dest;

	for (size_t i = 0; i < STORM_PORTS; i++)
		if (snif_judge_address(compiled, address, IPPROTO_UDP, storm_ports[i], &dest).verdict == SNIF_ALLOW)
			return true;
	return false;
}

static bool address_allowed(const struct compiled *compiled, const uint8_t *bytes, bool ipv6) {
	uint8_t address[16];

	if (ipv6)
		memcpy(address, bytes, 16);
	else
		snif_map_ipv4(address, bytes);
	return may_send_to(compiled, address) || (ipv6 && world_solicits_here(address));
}

/* Both protocols' reports are written alike: eight bytes, then records of a group and its sources. */
static bool report_allowed(const struct compiled *compiled, const struct wire *wire, bool ipv6) {
	const uint8_t *at = wire->body + 8, *end = wire->body + wire->length;
	size_t size = ipv6 ? 16 : 4, sources;

	while (at + 4 + size <= end) {
		sources = wire_16(at + 2);
		if (at + 4 + size + sources * size > end || at[1] > 0)
			return false;
		for (size_t i = 0; i <= sources; i++)
			if (!address_allowed(compiled, at + 4 + i * size, ipv6))
				return false;
		at += 4 + size + sources * size;
	}
	return at == end;
}

static bool igmp_allowed(const struct compiled *compiled, const struct wire *wire) {
	if (wire->length < 8)
		return false;
	if (wire->body[0] == IGMP_REPORT_3)
		return report_allowed(compiled, wire, false);
	return (wire->body[0] == IGMP_REPORT_1 || wire->body[0] == IGMP_REPORT_2 || wire->body[0] == IGMP_LEAVE) &&
	       wire->length == 8 && address_allowed(compiled, wire->body + 4, false);
}

/* ---- neighbours -------------------------------------------------------------------------------------------------- */

/* Whether anything is let through to it: without a route (SO_DONTROUTE), whoever has the address is looked for. */
static bool may_reach(const struct compiled *compiled, const uint8_t address[16]) {
	struct snif_dest dest;

	for (size_t i = 0; i < STORM_PORTS; i++)
		if (snif_judge_address(compiled, address, IPPROTO_TCP, storm_ports[i], &dest).verdict != SNIF_DENY)
			return true;
	return may_send_to(compiled, address);
}

/* RFC 4861: 255 hops; the target; at most the sender's link-layer address, in 8 bytes (or a nonce, RFC 7527). */
static void check_neighbour(const struct compiled *compiled, const struct wire *wire) {
	const uint8_t *target = wire->body + 8;
	bool fits = wire->hops == 255 && wire->length >= 24 && wire->length <= 40;

	if (wire->body[0] == SOLICIT_ROUTER)
		fits = wire->hops == 255 && wire->length <= 16;
	else if (wire->body[0] == SOLICIT)
		fits = fits && (is_neighbour(target) || world_is_here(target) || may_reach(compiled, target));
	else
		fits = fits && world_is_here(target);
	if (!fits)
		finding_tell(FINDING_NEIGHBOUR, wire);
}

void kernel_arp_note(const uint8_t *body, size_t length) {
	uint8_t from[16];

	if (length < ARP)
		return;
	snif_map_ipv4(from, body + 14);
	add_neighbour(from);
}

void kernel_arp_check(const struct compiled *compiled, const uint8_t *body, size_t length) {
	static const uint8_t kind[6] = {0, 1, 8, 0, 6, 4};
	uint8_t from[16], to[16];

	if (length >= ARP && memcmp(body, kind, 6) == 0) {
		snif_map_ipv4(from, body + 14);
		snif_map_ipv4(to, body + 24);
		if (world_is_here(from) && (is_neighbour(to) || may_reach(compiled, to)))
			return;
	}
	finding_tell(FINDING_NEIGHBOUR, &(struct wire){.body = body, .length = length});
}

static void check_icmpv6(const struct compiled *compiled, const struct wire *wire) {
	uint8_t type = wire->length >= 8 ? wire->body[0] : 0;

	if (type >= 1 && type <= ERRORS_END)
		check_error(wire);
	else if (type == SOLICIT_ROUTER || type == SOLICIT || type == ADVERTISE)
		check_neighbour(compiled, wire);
	else if (type == REPORT_2 ? !report_allowed(compiled, wire, true)
				  : (type == REPORT_1 || type == DONE_1) &&
					    (wire->length != 24 || !address_allowed(compiled, wire->body + 8, true)))
		finding_tell(FINDING_GROUP, wire);
	else if (type != REPORT_2 && type != REPORT_1 && type != DONE_1)
		finding_tell(FINDING_ICMP, wire);
}

static void check_icmp(const struct wire *wire) {
	uint8_t type = wire->length >= 8 ? wire->body[0] : 0;

	if (type == 3 || type == 11 || type == 12) /* RFC 792: unreachable, time exceeded, parameter problem */
		check_error(wire);
	else
		finding_tell(FINDING_ICMP, wire);
}

void kernel_message_check(const struct compiled *compiled, const struct wire *wire) {
	if (wire->protocol == IPPROTO_ICMPV6 && wire->ipv6)
		check_icmpv6(compiled, wire);
	else if (wire->protocol == IPPROTO_ICMP && !wire->ipv6)
		check_icmp(wire);
	else if (wire->protocol != IPPROTO_IGMP || wire->ipv6)
		finding_tell(FINDING_PROTOCOL, wire);
	else if (!igmp_allowed(compiled, wire))
		finding_tell(FINDING_GROUP, wire);
}
