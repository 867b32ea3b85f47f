/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames + policy ──► findings. */
#include "oracle.h"

#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>

#include "finding.h"
#include "flows.h"
#include "kernel_messages.h"
#include "world.h"

enum { MOST_FRAGMENTS = 256 };

static struct first_fragment {
	uint8_t source[16], destination[16], protocol;
	uint32_t identification;
} firsts[MOST_FRAGMENTS];
static size_t first_count;

static struct first_fragment fragment_of(const struct wire *wire) {
	struct first_fragment first;

	memset(&first, 0, sizeof(first));
	memcpy(first.source, wire->source, 16);
	memcpy(first.destination, wire->destination, 16);
	first.protocol = wire->protocol;
	first.identification = wire->identification;
	return first;
}

/* The kernel cuts a large datagram behind the filter; then the piece with the ports goes first. */
static void check_fragment(const struct wire *wire) {
	struct first_fragment wanted = fragment_of(wire);

	for (size_t i = 0; i < first_count && i < MOST_FRAGMENTS; i++)
		if (memcmp(&firsts[i], &wanted, sizeof(wanted)) == 0)
			return;
	finding_tell(FINDING_FRAGMENT, wire);
}

static void check_udp(const struct compiled *compiled, const struct wire *wire) {
	struct snif_dest dest;

	if (snif_judge_address(compiled, wire->destination, IPPROTO_UDP, wire->destination_port, &dest).verdict !=
	    SNIF_ALLOW)
		finding_tell(FINDING_UDP, wire);
}

static void check_tcp(const struct compiled *compiled, const struct wire *wire) {
	bool opens = (wire->flags & WIRE_SYN) && !(wire->flags & WIRE_ACK);
	struct snif_dest dest;
	enum snif_verdict verdict =
		snif_judge_address(compiled, wire->destination, IPPROTO_TCP, wire->destination_port, &dest).verdict;

	if (verdict == SNIF_ALLOW || ((wire->flags & WIRE_RST) && wire->payload_length == 0))
		return;
	if (!opens && flows_is_answer(wire)) {
		if (compiled->settings.options.inbound_deny)
			finding_tell(FINDING_INBOUND, wire);
	} else if (verdict == SNIF_UNDECIDED) {
		flows_packet(compiled, &dest, wire);
	} else {
		finding_tell(FINDING_TCP, wire);
	}
}

static void check_transport(const struct compiled *compiled, const struct wire *wire) {
	if (wire->fragment && wire->offset > 0) {
		check_fragment(wire);
		return;
	}
	if (wire->fragment)
		firsts[first_count++ % MOST_FRAGMENTS] = fragment_of(wire);
	switch (wire->protocol) {
	case IPPROTO_TCP:
		check_tcp(compiled, wire);
		break;
	case IPPROTO_UDP:
		check_udp(compiled, wire);
		break;
	case IPPROTO_ICMP:
	case IPPROTO_IGMP:
	case IPPROTO_ICMPV6:
		kernel_message_check(compiled, wire);
		break;
	default:
		finding_tell(FINDING_PROTOCOL, wire);
	}
}

/* RFC 6052, section 3.1. The documentation's addresses, which are not global either, stand for global ones here. */
static bool is_nat64_of_nobody(const uint8_t address[16]) {
	static const uint8_t prefix[12] = {0, 0x64, 0xff, 0x9b};
	const uint8_t *ipv4 = address + 12;

	if (memcmp(address, prefix, 12) != 0)
		return false;
	return ipv4[0] == 0 || ipv4[0] == 10 || ipv4[0] == 127 || ipv4[0] >= 224 ||
	       (ipv4[0] == 169 && ipv4[1] == 254) || (ipv4[0] == 172 && ipv4[1] >> 4 == 1) ||
	       (ipv4[0] == 192 && ipv4[1] == 168);
}

/* Of all packets, whatever is in them. False: something was found. */
static bool check_header(const struct wire *wire) {
	static const uint8_t unspecified[16];
	bool from_nowhere = memcmp(wire->source, unspecified, 16) == 0 && wire->protocol == IPPROTO_ICMPV6;
	enum finding finding = FINDING_COUNT;

	if (wire->ipv6 && (snif_is_ipv4(wire->source) || snif_is_ipv4(wire->destination)))
		finding = FINDING_MAPPED;
	else if (wire->routed)
		finding = FINDING_ROUTED;
	else if (!from_nowhere && !world_is_here(wire->source))
		finding = FINDING_SOURCE;
	else if (is_nat64_of_nobody(wire->destination))
		finding = FINDING_NAT64;
	if (finding != FINDING_COUNT)
		finding_tell(finding, wire);
	return finding == FINDING_COUNT;
}

static void note_close(const struct wire *wire) {
	if (wire->protocol == IPPROTO_TCP)
		flows_close(wire);
}

void oracle_arrived(const struct compiled *compiled, const uint8_t *frame, size_t length) {
	struct wire wire;

	if (!wire_read(frame, length, &wire)) {
		if (wire.type == ETHERTYPE_ARP)
			kernel_arp_check(compiled, frame + ETHER_HDR_LEN, length - ETHER_HDR_LEN);
		else
			finding_tell(wire.type == ETHERTYPE_IP || wire.type == ETHERTYPE_IPV6 ? FINDING_MALFORMED
											      : FINDING_LINK,
				     &wire);
		return;
	}
	if (check_header(&wire))
		check_transport(compiled, &wire);
	note_close(&wire);
}

static void note_visit(const struct wire *wire) {
	if (wire->protocol == IPPROTO_TCP && (wire->flags & (WIRE_SYN | WIRE_ACK)) == WIRE_SYN)
		flows_visit(wire);
}

/* The kernel's errors stay here, whatever they quote. */
static bool is_error(const struct wire *wire) {
	uint8_t type = wire->length > 0 ? wire->body[0] : 0;

	if (wire->protocol == IPPROTO_ICMPV6)
		return type >= 1 && type <= 4;
	return wire->protocol == IPPROTO_ICMP && (type == 3 || type == 11 || type == 12);
}

void oracle_local(const struct compiled *compiled, const uint8_t *frame, size_t length) {
	struct wire wire;

	if (!wire_read(frame, length, &wire)) {
		finding_tell(FINDING_MALFORMED, &wire);
		return;
	}
	if (!check_header(&wire) || is_error(&wire))
		return;
	check_transport(compiled, &wire);
	note_visit(&wire);
	note_close(&wire);
}

void oracle_sent(const uint8_t *frame, size_t length) {
	struct wire wire;

	if (!wire_read(frame, length, &wire)) {
		if (wire.type == ETHERTYPE_ARP)
			kernel_arp_note(frame + ETHER_HDR_LEN, length - ETHER_HDR_LEN);
		return;
	}
	kernel_message_note(&wire);
	note_visit(&wire);
	note_close(&wire);
}
