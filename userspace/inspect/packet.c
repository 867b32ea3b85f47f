/* SPDX-License-Identifier: BSD-2-Clause */
/* IP packet ──► addresses, ports, TCP header, data. */
#include "inspect/packet.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>

#include "compile/tables.h"

enum {
	IPV4_HEADER = 20,
	IPV4_FRAGMENT = 0x3fff, /* more fragments, or an offset */
	IPV4_OPTION_END = 0,
	IPV4_OPTION_NOTHING = 1,
	IPV4_OPTION_LSRR = 131,
	IPV4_OPTION_SSRR = 137,
	IPV6_HEADER = 40,
	IPV6_FRAGMENT = 0xfff9, /* in its header: more fragments, or an offset */
	IPV6_EXTENSIONS_MAX = 16,
	TCP_HEADER = 20,
};

/* What lies behind the headers read so far. */
struct rest {
	const uint8_t *bytes;
	size_t length;
	uint8_t protocol;
};

static bool rest_skip(struct rest *rest, size_t count) {
	if (count > rest->length)
		return false;
	rest->bytes += count;
	rest->length -= count;
	return true;
}

/* Leaves off what lies behind the packet: padding of the link layer. */
static void rest_limit(struct rest *rest, size_t length) {
	if (length < rest->length)
		rest->length = length;
}

/* Looks for a source route, which names the real destination elsewhere than in the header. */
static enum packet_kind read_options(const uint8_t *options, size_t length, struct tcp_packet *packet) {
	size_t at = 0;

	while (at < length && options[at] != IPV4_OPTION_END) {
		if (options[at] == IPV4_OPTION_NOTHING) {
			at++;
			continue;
		}
		if (options[at] == IPV4_OPTION_LSRR || options[at] == IPV4_OPTION_SSRR)
			packet->refusal = SNIF_REASON_SOURCE_ROUTE;
		if (length - at < 2 || options[at + 1] < 2)
			return PACKET_DAMAGED;
		at += options[at + 1];
	}
	return PACKET_TCP;
}

static enum packet_kind read_ipv4(struct rest *rest, struct tcp_packet *packet) {
	const uint8_t *header = rest->bytes;
	size_t header_length, total;

	if (rest->length < IPV4_HEADER)
		return PACKET_DAMAGED;
	header_length = (size_t)(header[0] & 0xf) * 4;
	total = snif_be16(header + 2);
	if (header_length < IPV4_HEADER || (total > 0 && total < header_length))
		return PACKET_DAMAGED;
	if (total > 0)
		rest_limit(rest, total);
	if (!rest_skip(rest, header_length))
		return PACKET_DAMAGED;
	rest->protocol = header[9];
	snif_map_ipv4(packet->source, header + 12);
	snif_map_ipv4(packet->destination, header + 16);
	if (snif_be16(header + 6) & IPV4_FRAGMENT)
		return PACKET_FRAGMENT;
	return read_options(header + IPV4_HEADER, header_length - IPV4_HEADER, packet);
}

/* One extension header. Returns PACKET_TCP to go on with what follows, PACKET_OTHER when it is none. */
static enum packet_kind read_extension(struct rest *rest, struct tcp_packet *packet) {
	const uint8_t *header = rest->bytes;
	size_t length;

	switch (rest->protocol) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_DSTOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_FRAGMENT:
	case IPPROTO_AH:
		break;
	default:
		return PACKET_OTHER;
	}
	if (rest->length < 8)
		return PACKET_DAMAGED;
	length = rest->protocol == IPPROTO_AH ? ((size_t)header[1] + 2) * 4 : ((size_t)header[1] + 1) * 8;
	if (rest->protocol == IPPROTO_FRAGMENT) {
		if (snif_be16(header + 2) & IPV6_FRAGMENT)
			return PACKET_FRAGMENT;
		length = 8;
		packet->refusal = SNIF_REASON_FRAGMENT;
	}
	if (rest->protocol == IPPROTO_ROUTING)
		packet->refusal = SNIF_REASON_SOURCE_ROUTE;
	rest->protocol = header[0];
	return rest_skip(rest, length) ? PACKET_TCP : PACKET_DAMAGED;
}

static enum packet_kind read_ipv6(struct rest *rest, struct tcp_packet *packet) {
	const uint8_t *header = rest->bytes;
	enum packet_kind kind = PACKET_TCP;

	if (!rest_skip(rest, IPV6_HEADER))
		return PACKET_DAMAGED;
	memcpy(packet->source, header + 8, 16);
	memcpy(packet->destination, header + 24, 16);
	rest->protocol = header[6];
	if (snif_be16(header + 4) > 0)
		rest_limit(rest, snif_be16(header + 4));
	for (int i = 0; i < IPV6_EXTENSIONS_MAX && kind == PACKET_TCP; i++)
		kind = read_extension(rest, packet);
	return kind == PACKET_OTHER ? PACKET_TCP : kind == PACKET_TCP ? PACKET_DAMAGED : kind;
}

static enum packet_kind read_tcp(struct rest *rest, struct tcp_packet *packet) {
	const uint8_t *header = rest->bytes;

	if (rest->length < TCP_HEADER || header[12] >> 4 < 5 || !rest_skip(rest, (size_t)(header[12] >> 4) * 4))
		return PACKET_DAMAGED;
	packet->source_port = (uint16_t)snif_be16(header);
	packet->destination_port = (uint16_t)snif_be16(header + 2);
	packet->sequence = snif_be32(header + 4);
	packet->flags = header[13];
	packet->urgent = (uint16_t)snif_be16(header + 18);
	packet->data = rest->bytes;
	packet->length = (uint32_t)rest->length;
	return PACKET_TCP;
}

enum packet_kind packet_read(const uint8_t *ip, size_t length, struct tcp_packet *packet) {
	struct rest rest = {.bytes = ip, .length = length};
	enum packet_kind kind = PACKET_DAMAGED;

	*packet = (struct tcp_packet){.refusal = SNIF_REASON_NONE};
	if (length > UINT32_MAX)
		return PACKET_DAMAGED;
	if (length > 0 && ip[0] >> 4 == 4)
		kind = read_ipv4(&rest, packet);
	else if (length > 0 && ip[0] >> 4 == 6)
		kind = read_ipv6(&rest, packet);
	if (kind != PACKET_TCP)
		return kind;
	return rest.protocol == IPPROTO_TCP ? read_tcp(&rest, packet) : PACKET_OTHER;
}
