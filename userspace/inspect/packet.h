/* SPDX-License-Identifier: BSD-2-Clause */
/* The bytes of an IP packet, as captured ──► what a TCP receiver acts on. */
#ifndef SNIF_PACKET_H
#define SNIF_PACKET_H

#include <stddef.h>
#include <stdint.h>

#include "reason.h"

struct tcp_packet {
	uint8_t source[16], destination[16]; /* v4-mapped */
	uint16_t source_port, destination_port;
	uint32_t sequence;	  /* of the SYN, or of the first byte of data when there is none */
	uint16_t urgent;	  /* the urgent pointer; valid with TH_URG */
	uint8_t flags;		  /* TH_*, of netinet/tcp.h */
	enum snif_reason refusal; /* for which the filter refuses it, whatever its data; NONE: for nothing */
	const uint8_t *data;	  /* points into the packet */
	uint32_t length;	  /* of the data, as far as it was captured */
};

enum packet_kind {
	PACKET_TCP,
	PACKET_OTHER,	 /* another protocol */
	PACKET_FRAGMENT, /* a part of a packet, which says too little by itself */
	PACKET_DAMAGED,	 /* cut off in its headers, or they contradict each other */
};

/*
 * Reads `length` bytes that begin with an IPv4 or IPv6 header, as untrusted as can be; IPv6 extension headers are
 * walked (RFC 8200, section 4). Checksums are not looked at, since those of captured packets are often unfinished, nor
 * does a packet have to be whole. A length of 0 in the IP header means all there is: that of packets too large for the
 * field, which a capture before segmentation has. Writes `packet` when it is PACKET_TCP.
 */
enum packet_kind packet_read(const uint8_t *ip, size_t length, struct tcp_packet *packet);

#endif
