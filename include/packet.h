/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The bytes of an IP packet ──► addresses, ports, TCP header: everything up to the payload, as untrusted as can be. Read
 * by the kernel's side as packets leave, and in captures by inspect.
 */
#ifndef SNIF_PACKET_H
#define SNIF_PACKET_H

#ifdef __bpf__
#include <linux/in.h>
#include <linux/in6.h>
#else
#include <netinet/in.h>
#endif

#include "abi.h"
#include "address.h"

#define SNIF_IPV4_FRAGMENT 0x3fff /* more fragments, or an offset */
#define SNIF_IPV6_FRAGMENT 0xfff9 /* the same, in its header */
#define SNIF_IPV4_LSRR 131
#define SNIF_IPV4_SSRR 137
#define SNIF_OPTIONS_MAX 40 /* of IPv4 and TCP: bytes */
#define SNIF_IPV6_EXTENSIONS_MAX 16
#define SNIF_TCP_OPTION_MPTCP 30

enum { SNIF_MPTCP_CAPABLE, SNIF_MPTCP_JOIN };
enum { SNIF_TCP_FIN = 1, SNIF_TCP_SYN = 2, SNIF_TCP_RST = 4, SNIF_TCP_ACK = 16, SNIF_TCP_URG = 32 };

struct snif_ipv4_header {
	__u8 version_length, service;
	__be16 length, id, fragment;
	__u8 hops, protocol;
	__be16 checksum;
	__u8 source[4], destination[4];
};

struct snif_ipv6_header {
	__be32 flow;
	__be16 length;
	__u8 next, hops;
	__u8 source[16], destination[16];
};

struct snif_tcp_header {
	__be16 source, destination;
	__be32 sequence, acknowledged;
	__u8 length, flags;
	__be16 window, checksum, urgent;
};

/* Offsets count from the IP header. */
struct snif_packet {
	struct snif_target to;
	__u8 source[16]; /* v4-mapped */
	__u16 source_port;
	__u8 flags;	 /* SNIF_TCP_* */
	__u8 refusal;	 /* enum snif_reason: why it is refused whatever the policy says, although it can be read */
	__u32 interface; /* index of the device that it leaves by; the caller's to write */
	__u32 sequence;	 /* of TCP */
	__u32 options;	 /* of TCP: their offset */
	__u32 payload;	 /* offset of the first byte behind the TCP header */
	__u32 end;	 /* offset behind the last byte; the caller's to write */
};

/*
 * Where a packet's bytes come from. snif_packet_copy() copies `length` bytes from `offset` on, snif_packet_load() a header
 * of `words` * 4 bytes. Not 0: so many are not there.
 */
#ifdef __bpf__
typedef struct __sk_buff *snif_packet_source;
#define snif_packet_copy bpf_skb_load_bytes

/* A header is in the linear part but for packets made in strange ways; there a tenth of the helper's time is enough. */
static __always_inline long snif_packet_load(snif_packet_source skb, __u32 offset, void *to, const __u32 words) {
	const __u8 *data = (const __u8 *)(long)skb->data, *end = (const __u8 *)(long)skb->data_end;
	const __u32 *from = (const __u32 *)(data + (offset & 0x3ff));

	if (offset > 0x3ff || (const __u8 *)(from + words) > end)
		return bpf_skb_load_bytes(skb, offset, to, words * 4);
	for (__u32 i = 0; i < words; i++)
		((__u32 *)to)[i] = from[i];
	return 0;
}
#else
struct snif_packet_bytes {
	const __u8 *bytes;
	__u32 length;
};

typedef const struct snif_packet_bytes *snif_packet_source;

static inline long snif_packet_copy(snif_packet_source source, __u32 offset, void *to, __u32 length) {
	if (offset > source->length || length > source->length - offset)
		return -1;
	memcpy(to, source->bytes + offset, length);
	return 0;
}

static inline long snif_packet_load(snif_packet_source source, __u32 offset, void *to, __u32 words) {
	return snif_packet_copy(source, offset, to, words * 4);
}
#endif

struct snif_options_walk {
	snif_packet_source source;
	__u32 offset, end;
	_Bool tcp;
	__u8 reason; /* enum snif_reason */
};

static __always_inline long snif_options_stop(struct snif_options_walk *walk, enum snif_reason reason) {
	walk->reason = reason;
	return SNIF_STOP;
}

/*
 * One option of IPv4 or TCP, which are written alike. Of IPv4, a source route names the real destination elsewhere than
 * in the header. Of TCP, the option of MPTCP (RFC 8684, section 3.1) gives the bytes an order of their own, in which
 * the server reads them; a join (section 3.2) makes this a further subflow, whose bytes come between those of others.
 */
static inline long snif_option_step(__u32 index, void *context) {
	struct snif_options_walk *walk = context;
	__u8 option[3];

	(void)index;
	if (walk->offset >= walk->end)
		return SNIF_STOP;
	if (snif_packet_copy(walk->source, walk->offset, option, 1))
		return snif_options_stop(walk, SNIF_REASON_MALFORMED_PACKET);
	if (option[0] == 0) /* end of options */
		return SNIF_STOP;
	if (option[0] == 1) { /* no operation */
		walk->offset++;
		return SNIF_NEXT;
	}
	if (!walk->tcp && (option[0] == SNIF_IPV4_LSRR || option[0] == SNIF_IPV4_SSRR))
		return snif_options_stop(walk, SNIF_REASON_SOURCE_ROUTE);
	if (snif_packet_copy(walk->source, walk->offset, option, 2) || option[1] < 2 ||
	    walk->offset + option[1] > walk->end)
		return snif_options_stop(walk, SNIF_REASON_MALFORMED_PACKET);
	if (walk->tcp && option[0] == SNIF_TCP_OPTION_MPTCP) {
		if (option[1] < 3 || snif_packet_copy(walk->source, walk->offset, option, 3))
			return snif_options_stop(walk, SNIF_REASON_MALFORMED_PACKET);
		if (option[2] >> 4 == SNIF_MPTCP_JOIN)
			return snif_options_stop(walk, SNIF_REASON_FURTHER_SUBFLOW);
		if (option[2] >> 4 == SNIF_MPTCP_CAPABLE)
			return snif_options_stop(walk, SNIF_REASON_MPTCP);
	}
	walk->offset += option[1];
	return SNIF_NEXT;
}

static __always_inline enum snif_reason snif_packet_ipv4(snif_packet_source source, struct snif_packet *packet) {
	struct snif_options_walk options = {.source = source, .offset = sizeof(struct snif_ipv4_header)};
	struct snif_ipv4_header header;
	struct snif_target from = {}, to = {}; /* in words, which a store for each byte of `packet` would not be */

	if (snif_packet_load(source, 0, &header, sizeof(header) / 4) || (header.version_length & 0xf) < 5)
		return SNIF_REASON_MALFORMED_PACKET;
	options.end = (header.version_length & 0xf) * 4;
	packet->payload = options.end;
	packet->to.protocol = header.protocol;
	snif_map_ipv4(from.address, header.source);
	snif_map_ipv4(to.address, header.destination);
	snif_memcpy(packet->source, from.address, 16);
	snif_memcpy(packet->to.address, to.address, 16);
	if (snif_be16_to_cpu(header.fragment) & SNIF_IPV4_FRAGMENT)
		return SNIF_REASON_FRAGMENT;
	if (options.end > sizeof(header))
		snif_loop(SNIF_OPTIONS_MAX, snif_option_step, &options);
	if (options.reason != SNIF_REASON_SOURCE_ROUTE)
		return options.reason;
	packet->refusal = SNIF_REASON_SOURCE_ROUTE;
	return SNIF_REASON_NONE;
}

struct snif_extensions_walk {
	snif_packet_source source;
	__u32 offset;
	__u8 next;
	_Bool done;
	__u8 refusal, end; /* enum snif_reason: why the packet is refused, and why nothing behind it can be read */
};

static __always_inline long snif_extensions_end(struct snif_extensions_walk *walk, enum snif_reason reason) {
	walk->end = reason;
	return SNIF_STOP;
}

/*
 * One IPv6 extension header (RFC 8200, section 4); a routing header names the real destination. What is refused for its
 * header is read on for the ports, where there are any, as the connection is ended by them.
 */
static inline long snif_extension_step(__u32 index, void *context) {
	struct snif_extensions_walk *walk = context;
	__u32 length = 8;
	__u8 header[4];

	(void)index;
	switch (walk->next) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_DSTOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_FRAGMENT:
	case IPPROTO_AH:
		break;
	default:
		walk->done = 1;
		return SNIF_STOP;
	}
	if (snif_packet_copy(walk->source, walk->offset, header, sizeof(header)))
		return snif_extensions_end(walk, SNIF_REASON_MALFORMED_PACKET);
	if (walk->next == IPPROTO_FRAGMENT) {
		if (snif_be16(header + 2) & SNIF_IPV6_FRAGMENT)
			return snif_extensions_end(walk, SNIF_REASON_FRAGMENT);
		walk->refusal = SNIF_REASON_FRAGMENT;
	} else {
		length = walk->next == IPPROTO_AH ? (header[1] + 2) * 4 : (header[1] + 1) * 8;
	}
	if (walk->next == IPPROTO_ROUTING)
		walk->refusal = SNIF_REASON_SOURCE_ROUTE;
	walk->offset += length;
	walk->next = header[0];
	return SNIF_NEXT;
}

static __always_inline enum snif_reason snif_packet_ipv6(snif_packet_source source, struct snif_packet *packet) {
	struct snif_extensions_walk walk = {.source = source, .offset = sizeof(struct snif_ipv6_header)};
	struct snif_ipv6_header header;

	if (snif_packet_load(source, 0, &header, sizeof(header) / 4))
		return SNIF_REASON_MALFORMED_PACKET;
	snif_memcpy(packet->source, header.source, 16);
	snif_memcpy(packet->to.address, header.destination, 16);
	/* it leaves by IPv6, and would be judged as the IPv4 address */
	if (snif_is_ipv4(packet->to.address))
		packet->refusal = SNIF_REASON_V4_MAPPED;
	walk.next = header.next;
	if (walk.next != IPPROTO_TCP && walk.next != IPPROTO_UDP)
		snif_loop(SNIF_IPV6_EXTENSIONS_MAX, snif_extension_step, &walk);
	else
		walk.done = 1;
	packet->to.protocol = walk.next;
	packet->payload = walk.offset;
	if (walk.end != SNIF_REASON_NONE)
		return walk.end;
	if (packet->refusal == SNIF_REASON_NONE)
		packet->refusal = walk.refusal;
	return walk.done ? SNIF_REASON_NONE : SNIF_REASON_MALFORMED_PACKET;
}

static __always_inline enum snif_reason snif_packet_tcp(snif_packet_source source, struct snif_packet *packet) {
	struct snif_tcp_header header;

	if (snif_packet_load(source, packet->payload, &header, sizeof(header) / 4))
		return SNIF_REASON_MALFORMED_PACKET;
	packet->source_port = snif_be16_to_cpu(header.source);
	packet->to.port = snif_be16_to_cpu(header.destination);
	packet->sequence = snif_be32_to_cpu(header.sequence);
	packet->flags = header.flags;
	packet->options = packet->payload + sizeof(header);
	packet->payload += (header.length >> 4) * 4;
	if (header.length >> 4 < 5 || packet->payload > packet->end)
		return SNIF_REASON_MALFORMED_PACKET;
	return SNIF_REASON_NONE;
}

/*
 * Reads the headers of a packet of IP `version`. Writes `packet`, of which the caller has zeroed all but `end`. Returns
 * SNIF_REASON_NONE, or why the rest of them cannot be read: MALFORMED_PACKET, or FRAGMENT. Either this or packet->refusal
 * refuses a packet.
 */
static __always_inline enum snif_reason snif_packet_read(snif_packet_source source, __u32 version,
							 struct snif_packet *packet) {
	enum snif_reason end;
	__be16 ports[2];

	if (version == 4)
		end = snif_packet_ipv4(source, packet);
	else if (version == 6)
		end = snif_packet_ipv6(source, packet);
	else
		end = SNIF_REASON_MALFORMED_PACKET;
	if (end != SNIF_REASON_NONE)
		return end;
	if (packet->to.protocol == IPPROTO_TCP)
		return snif_packet_tcp(source, packet);
	if (packet->to.protocol != IPPROTO_UDP)
		return SNIF_REASON_NONE;
	if (snif_packet_load(source, packet->payload, ports, 1))
		return SNIF_REASON_MALFORMED_PACKET;
	packet->source_port = snif_be16_to_cpu(ports[0]);
	packet->to.port = snif_be16_to_cpu(ports[1]);
	return SNIF_REASON_NONE;
}

/* Why a SYN to where names are checked is refused for its options, or SNIF_REASON_NONE. */
static __always_inline enum snif_reason snif_packet_syn(snif_packet_source source, const struct snif_packet *packet) {
	struct snif_options_walk options = {
		.source = source, .offset = packet->options, .end = packet->payload, .tcp = 1};

	snif_loop(SNIF_OPTIONS_MAX, snif_option_step, &options);
	return options.reason;
}

/*
 * Whether this is a TCP header, of no SYN, right behind an IP header to that address which holds nothing that could
 * name another one: IPv4 without options, or IPv6 without extensions. `data` to `end` is where these headers are, and
 * stands at a multiple of four.
 */
static __always_inline _Bool snif_packet_is_plain(const __u8 *data, const __u8 *end, const struct snif_target *to) {
	const __u32 *word = (const __u32 *)data;
	__u32 address[4];

	if (data + sizeof(struct snif_ipv4_header) + sizeof(struct snif_tcp_header) > end)
		return 0;
	snif_memcpy(address, to->address, 16);
	if (data[0] == 0x45)
		return data[9] == IPPROTO_TCP && !(data[sizeof(struct snif_ipv4_header) + 13] & SNIF_TCP_SYN) &&
		       address[3] == word[4] && !(address[0] | address[1]) && address[2] == snif_cpu_to_be32(0xffff);
	if (data + sizeof(struct snif_ipv6_header) + sizeof(struct snif_tcp_header) > end || data[0] >> 4 != 6)
		return 0;
	return data[6] == IPPROTO_TCP && !(data[sizeof(struct snif_ipv6_header) + 13] & SNIF_TCP_SYN) &&
	       address[3] == word[9] && address[2] == word[8] && address[1] == word[7] && address[0] == word[6] &&
	       ((address[0] | address[1]) || address[2] != snif_cpu_to_be32(0xffff));
}

#endif
