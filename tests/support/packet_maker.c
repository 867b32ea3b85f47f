/* SPDX-License-Identifier: BSD-2-Clause */
/* What should be special about a TCP packet ──► its bytes. */
#include "packet_maker.h"

#include <arpa/inet.h>

enum { TCP_HEADER = 20, IPV4_HEADER = 20, HOPS = 64 };

static void add_address(struct bytes *out, bool ipv6, bool server) {
	uint8_t address[16];

	if (ipv6)
		inet_pton(AF_INET6, server ? "2001:db8::7" : "2001:db8::1", address);
	else
		inet_pton(AF_INET, server ? "198.51.100.7" : "192.0.2.1", address);
	bytes_add(out, address, ipv6 ? 16 : 4);
}

static void add_addresses(struct bytes *out, const struct packet *packet) {
	add_address(out, packet->ipv6, packet->from_server);
	add_address(out, packet->ipv6, !packet->from_server);
}

static void add_ipv4(struct bytes *out, const struct packet *packet) {
	size_t header = IPV4_HEADER + packet->between_length, total = header + TCP_HEADER + packet->length;

	bytes_number(out, 1, 0x40 | (uint32_t)(header / 4));
	bytes_number(out, 1, 0);
	bytes_number(out, 2, total > UINT16_MAX ? 0 : (uint32_t)total);
	bytes_number(out, 2, 0);
	bytes_number(out, 2, packet->fragment);
	bytes_number(out, 1, HOPS);
	bytes_number(out, 1, IPPROTO_TCP);
	bytes_number(out, 2, 0);
	add_addresses(out, packet);
	bytes_add(out, packet->between, packet->between_length);
}

static void add_ipv6(struct bytes *out, const struct packet *packet) {
	size_t rest = packet->between_length + TCP_HEADER + packet->length;

	bytes_number(out, 4, 0x60000000);
	bytes_number(out, 2, rest > UINT16_MAX ? 0 : (uint32_t)rest);
	bytes_number(out, 1, packet->between_length > 0 ? packet->first : IPPROTO_TCP);
	bytes_number(out, 1, HOPS);
	add_addresses(out, packet);
	bytes_add(out, packet->between, packet->between_length);
}

void packet_make(struct bytes *out, const struct packet *packet) {
	uint16_t client = packet->client_port ? packet->client_port : CLIENT_PORT;

	if (packet->ipv6)
		add_ipv6(out, packet);
	else
		add_ipv4(out, packet);
	bytes_number(out, 2, packet->from_server ? SERVER_PORT : client);
	bytes_number(out, 2, packet->from_server ? client : SERVER_PORT);
	bytes_number(out, 4, packet->sequence);
	bytes_number(out, 4, 0);
	bytes_number(out, 1, TCP_HEADER / 4 << 4);
	bytes_number(out, 1, packet->flags ? packet->flags : TH_ACK);
	bytes_number(out, 2, UINT16_MAX);
	bytes_number(out, 2, 0);
	bytes_number(out, 2, packet->urgent);
	bytes_add(out, packet->data, packet->length);
}
