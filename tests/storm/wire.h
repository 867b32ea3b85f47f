/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A frame ──► its headers, by the RFCs alone: the storm's own reader, which shares nothing with that of the filter.
 */
#ifndef SNIF_STORM_WIRE_H
#define SNIF_STORM_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WIRE_FIN = 1, WIRE_SYN = 2, WIRE_RST = 4, WIRE_ACK = 16, WIRE_URG = 32 };

struct wire {
	uint16_t type; /* of Ethernet */
	bool ipv6;
	bool routed;   /* a source route or routing header */
	bool fragment; /* of a larger packet; `offset` 0: the first one, which has the transport header */
	uint32_t offset, identification;
	uint8_t source[16], destination[16]; /* v4-mapped where the packet is IPv4 */
	uint8_t hops, protocol;
	const uint8_t *body; /* behind IP's headers; valid as long as the frame */
	size_t length;
	/* of TCP and UDP, where there is a header */
	uint16_t source_port, destination_port;
	uint8_t flags;
	bool multipath; /* MP_CAPABLE or MP_JOIN */
	uint32_t sequence;
	const uint8_t *payload;
	size_t payload_length;
};

/* Reads an IP packet. False: it does not parse, or is none. */
bool wire_read_ip(const uint8_t *bytes, size_t length, struct wire *wire);
/* Reads a frame. False: it holds no IP packet that parses; `type` says what it holds. */
bool wire_read(const uint8_t *frame, size_t length, struct wire *wire);

static inline uint16_t wire_16(const uint8_t *at) {
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t wire_32(const uint8_t *at) {
	return (uint32_t)wire_16(at) << 16 | wire_16(at + 2);
}

#endif
