/* SPDX-License-Identifier: BSD-2-Clause */
/* TCP packets to the byte, from 192.0.2.1 or 2001:db8::1 (the client) to 198.51.100.7 or 2001:db8::7 and back. */
#ifndef SNIF_PACKET_MAKER_H
#define SNIF_PACKET_MAKER_H

#include <netinet/tcp.h>
#include <stdbool.h>

#include "hello_maker.h"

enum { CLIENT_PORT = 40000, SERVER_PORT = 443 };

struct packet {
	bool ipv6;
	bool from_server;
	uint16_t client_port; /* 0: CLIENT_PORT */
	uint32_t sequence;
	uint8_t flags; /* TH_*; 0: TH_ACK */
	uint16_t urgent;
	const void *data;
	size_t length;
	const void *between;   /* IPv4 options, or IPv6 extension headers whose first one has number `first` */
	size_t between_length; /* a multiple of 4, or of 8 */
	uint8_t first;
	uint16_t fragment; /* IPv4: flags and offset */
};

/* Makes the packet from its IP header on, with checksums of zero. Adds to what is in `out`. */
void packet_make(struct bytes *out, const struct packet *packet);

#endif
