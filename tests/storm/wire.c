/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes on the cable ──► addresses, ports, flags, payload. */
#include "wire.h"

#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>

enum { ETHERNET = 14, IPV4 = 20, IPV6 = 40, TCP = 20, UDP = 8, OPTION_MPTCP = 30 };

static void read_ipv4_options(const uint8_t *at, const uint8_t *end, struct wire *wire) {
	while (at < end && *at != 0) {
		if (*at == 131 || *at == 137) /* RFC 791: loose and strict source route */
			wire->routed = true;
		if (*at == 1)
			at++;
		else if (at + 1 < end && at[1] >= 2)
			at += at[1];
		else
			return;
	}
}

static void map_ipv4(uint8_t out[16], const uint8_t *ipv4) {
	memset(out, 0, 10);
	out[10] = out[11] = 0xff;
	memcpy(out + 12, ipv4, 4);
}

static bool read_ipv4(const uint8_t *bytes, size_t length, struct wire *wire) {
	size_t header = (size_t)(bytes[0] & 15) * 4, total = wire_16(bytes + 2);
	uint16_t fragment = wire_16(bytes + 6);

	if (header < IPV4 || header > length || (total && total < header))
		return false;
	if (total && total < length)
		length = total; /* 0: larger than 64 KB, not cut yet */
	wire->fragment = fragment & 0x3fff;
	wire->offset = (fragment & 0x1fffU) * 8;
	wire->identification = wire_16(bytes + 4);
	wire->hops = bytes[8];
	wire->protocol = bytes[9];
	map_ipv4(wire->source, bytes + 12);
	map_ipv4(wire->destination, bytes + 16);
	read_ipv4_options(bytes + IPV4, bytes + header, wire);
	wire->body = bytes + header;
	wire->length = length - header;
	return true;
}

static bool is_extension(uint8_t protocol) {
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING || protocol == IPPROTO_FRAGMENT ||
	       protocol == IPPROTO_DSTOPTS;
}

/* RFC 8200, section 4. */
static bool read_extensions(struct wire *wire) {
	size_t size;

	while (is_extension(wire->protocol) && !(wire->fragment && wire->offset > 0)) {
		if (wire->length < 8)
			return false;
		size = wire->protocol == IPPROTO_FRAGMENT ? 8 : (size_t)(wire->body[1] + 1) * 8;
		if (size > wire->length)
			return false;
		wire->routed |= wire->protocol == IPPROTO_ROUTING;
		if (wire->protocol == IPPROTO_FRAGMENT) {
			wire->fragment = true;
			wire->offset = wire_16(wire->body + 2) & 0xfff8U;
			wire->identification = wire_32(wire->body + 4);
		}
		wire->protocol = wire->body[0];
		wire->body += size;
		wire->length -= size;
	}
	return true;
}

static bool read_ipv6(const uint8_t *bytes, size_t length, struct wire *wire) {
	size_t payload = wire_16(bytes + 4);

	if (payload && payload < length - IPV6)
		length = payload + IPV6;
	wire->ipv6 = true;
	wire->protocol = bytes[6];
	wire->hops = bytes[7];
	memcpy(wire->source, bytes + 8, 16);
	memcpy(wire->destination, bytes + 24, 16);
	wire->body = bytes + IPV6;
	wire->length = length - IPV6;
	return read_extensions(wire);
}

static void read_tcp_options(const uint8_t *at, const uint8_t *end, struct wire *wire) {
	while (at < end && *at != 0) {
		if (*at == 1) {
			at++;
			continue;
		}
		if (at + 1 >= end || at[1] < 2)
			return;
		if (*at == OPTION_MPTCP && at + 2 < end && at[2] >> 4 <= 1)
			wire->multipath = true;
		at += at[1];
	}
}

static bool read_tcp(struct wire *wire) {
	const uint8_t *at = wire->body;
	size_t header = wire->length < TCP ? 0 : (size_t)(at[12] >> 4) * 4;

	if (header < TCP || header > wire->length)
		return false;
	wire->sequence = wire_32(at + 4);
	wire->flags = at[13];
	read_tcp_options(at + TCP, at + header, wire);
	wire->payload = at + header;
	wire->payload_length = wire->length - header;
	return true;
}

static bool read_transport(struct wire *wire) {
	size_t header = wire->protocol == IPPROTO_TCP ? TCP : UDP;

	if ((wire->protocol != IPPROTO_TCP && wire->protocol != IPPROTO_UDP) || (wire->fragment && wire->offset > 0))
		return true;
	if (wire->length < header)
		return false;
	wire->source_port = wire_16(wire->body);
	wire->destination_port = wire_16(wire->body + 2);
	if (wire->protocol == IPPROTO_TCP)
		return read_tcp(wire);
	wire->payload = wire->body + header;
	wire->payload_length = wire->length - header;
	return true;
}

bool wire_read_ip(const uint8_t *bytes, size_t length, struct wire *wire) {
	bool parsed = false;

	if (length >= IPV4 && bytes[0] >> 4 == 4)
		parsed = read_ipv4(bytes, length, wire);
	else if (length >= IPV6 && bytes[0] >> 4 == 6)
		parsed = read_ipv6(bytes, length, wire);
	return parsed && read_transport(wire);
}

bool wire_read(const uint8_t *frame, size_t length, struct wire *wire) {
	*wire = (struct wire){.type = length < ETHERNET ? 0 : wire_16(frame + 12)};
	if (wire->type != ETHERTYPE_IP && wire->type != ETHERTYPE_IPV6)
		return false;
	if (length <= ETHERNET || (frame[ETHERNET] >> 4 == 6) != (wire->type == ETHERTYPE_IPV6))
		return false;
	return wire_read_ip(frame + ETHERNET, length - ETHERNET, wire);
}
