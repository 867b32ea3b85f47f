/* SPDX-License-Identifier: BSD-2-Clause */
/* IP packet ──► its headers, as far as it goes; TCP's data. */
#include "inspect/tcp_packet.h"

/* The bytes of the packet, without what lies behind it: padding of the link layer. */
static uint32_t packet_length(const uint8_t *ip, uint32_t length) {
	uint32_t stated = 0;

	if (length < 6)
		return length;
	if (ip[0] >> 4 == 4)
		stated = snif_be16(ip + 2);
	else if (snif_be16(ip + 4) > 0)
		stated = sizeof(struct snif_ipv6_header) + snif_be16(ip + 4);
	return stated > 0 ? snif_min(stated, length) : length;
}

enum tcp_packet_kind tcp_packet_read(const uint8_t *ip, size_t length, struct tcp_packet *packet) {
	struct snif_packet_bytes source = {.bytes = ip};
	struct snif_packet *headers = &packet->headers;

	*packet = (struct tcp_packet){.urgent = 0};
	if (length == 0 || length > UINT32_MAX)
		return TCP_PACKET_DAMAGED;
	source.length = headers->end = packet_length(ip, (uint32_t)length);
	switch (snif_packet_read(&source, ip[0] >> 4, headers)) {
	case SNIF_REASON_NONE:
		break;
	case SNIF_REASON_FRAGMENT:
		return TCP_PACKET_FRAGMENT;
	default:
		return TCP_PACKET_DAMAGED;
	}
	if (headers->to.protocol != IPPROTO_TCP)
		return TCP_PACKET_NOT;
	packet->urgent = (uint16_t)snif_be16(ip + headers->options - sizeof(packet->urgent));
	packet->data = ip + headers->payload;
	packet->length = headers->end - headers->payload;
	return TCP_PACKET;
}
