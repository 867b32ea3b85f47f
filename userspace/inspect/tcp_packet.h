/* SPDX-License-Identifier: BSD-2-Clause */
/* The bytes of an IP packet, as captured ──► what a TCP receiver acts on. */
#ifndef SNIF_TCP_PACKET_H
#define SNIF_TCP_PACKET_H

#include <stddef.h>
#include <stdint.h>

#include "packet.h"

struct tcp_packet {
	struct snif_packet headers;
	uint16_t urgent;     /* the urgent pointer; valid with SNIF_TCP_URG */
	const uint8_t *data; /* points into the packet */
	uint32_t length;     /* of the data, as far as it was captured */
};

enum tcp_packet_kind {
	TCP_PACKET,
	TCP_PACKET_NOT,	     /* another protocol */
	TCP_PACKET_FRAGMENT, /* a part of a packet, which says too little by itself */
	TCP_PACKET_DAMAGED,  /* cut off in its headers, or they contradict each other */
};

/*
 * Reads `length` bytes that begin with an IPv4 or IPv6 header by the code of the kernel's side (include/packet.h).
 * Checksums are not looked at, since those of captured packets are often unfinished, nor does a packet have to be whole.
 * A length of 0 in the IP header means all there is: that of packets too large for the field, which a capture before
 * segmentation has. Writes `packet` when it is one of TCP.
 */
enum tcp_packet_kind tcp_packet_read(const uint8_t *ip, size_t length, struct tcp_packet *packet);

#endif
