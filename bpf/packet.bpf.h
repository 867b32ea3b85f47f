/* SPDX-License-Identifier: GPL-2.0-only */
/* skb ──► addresses, ports, TCP header: everything between the link layer and the payload. */
#ifndef SNIF_PACKET_BPF_H
#define SNIF_PACKET_BPF_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>

#include "tables.bpf.h"

#define IPV4_FRAGMENT 0x3fff /* more fragments, or an offset */
#define IPV4_OPTION_LSRR 131
#define IPV4_OPTION_SSRR 137
#define OPTIONS_MAX 40 /* of IPv4 and TCP: bytes */
#define TCP_OPTION_MPTCP 30
#define MPTCP_CAPABLE 0
#define MPTCP_JOIN 1
#define LOOPBACK_DEVICE 1 /* its index, in every network namespace */
#define IPV6_EXTENSIONS_MAX 16
#define IPV6_ROUTING 43
#define IPV6_FRAGMENT 44
#define IPV6_AUTHENTICATION 51

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16, TCP_URG = 32 };

struct packet {
	struct snif_target to;
	__u8 source[16]; /* v4-mapped */
	__u16 source_port;
	__u8 flags; /* TCP_* */
	__u8 unused;
	__u32 interface;
	__u32 sequence; /* of TCP */
	__u32 options;	/* of TCP: their offset */
	__u32 payload;	/* offset of the first byte behind the TCP header */
	__u32 end;	/* offset behind the last byte */
};

/*
 * Copies a header of `words` * 4 bytes. It is in the linear part but for packets made in strange ways; reading it there
 * takes a tenth of the time of the helper. Not 0: the packet is too short.
 */
static __always_inline long header_load(struct __sk_buff *skb, __u32 offset, __u32 *to, const __u32 words) {
	const __u8 *data = (const __u8 *)(long)skb->data, *end = (const __u8 *)(long)skb->data_end;
	const __u32 *from = (const __u32 *)(data + (offset & 0x3ff));

	if (offset > 0x3ff || (const __u8 *)(from + words) > end)
		return bpf_skb_load_bytes(skb, offset, to, words * 4);
	for (__u32 i = 0; i < words; i++)
		to[i] = from[i];
	return 0;
}

struct options {
	struct __sk_buff *skb;
	__u32 offset, end;
	_Bool tcp;
	enum snif_reason reason;
};

static __always_inline long options_stop(struct options *options, enum snif_reason reason) {
	options->reason = reason;
	return SNIF_STOP;
}

/*
 * One option of IPv4 or TCP, which are written alike. Of IPv4, a source route names the real destination elsewhere than
 * in the header. Of TCP, the option of MPTCP (RFC 8684, section 3.1) gives the bytes an order of their own, in which
 * the server reads them; a join (section 3.2) makes this a further subflow, whose bytes come between those of others.
 */
static inline long option_step(__u32 index, void *context) {
	struct options *options = context;
	__u8 option[3];

	(void)index;
	if (options->offset >= options->end)
		return SNIF_STOP;
	if (bpf_skb_load_bytes(options->skb, options->offset, option, 1))
		return options_stop(options, SNIF_REASON_MALFORMED_PACKET);
	if (option[0] == 0) /* end of options */
		return SNIF_STOP;
	if (option[0] == 1) { /* no operation */
		options->offset++;
		return SNIF_NEXT;
	}
	if (!options->tcp && (option[0] == IPV4_OPTION_LSRR || option[0] == IPV4_OPTION_SSRR))
		return options_stop(options, SNIF_REASON_SOURCE_ROUTE);
	if (bpf_skb_load_bytes(options->skb, options->offset, option, 2) || option[1] < 2)
		return options_stop(options, SNIF_REASON_MALFORMED_PACKET);
	if (options->tcp && option[0] == TCP_OPTION_MPTCP) {
		if (bpf_skb_load_bytes(options->skb, options->offset, option, 3) || option[1] < 3)
			return options_stop(options, SNIF_REASON_MALFORMED_PACKET);
		if (option[2] >> 4 == MPTCP_JOIN)
			return options_stop(options, SNIF_REASON_FURTHER_SUBFLOW);
		if (option[2] >> 4 == MPTCP_CAPABLE)
			return options_stop(options, SNIF_REASON_MPTCP);
	}
	options->offset += option[1];
	if (options->offset > options->end)
		return options_stop(options, SNIF_REASON_MALFORMED_PACKET);
	return SNIF_NEXT;
}

static __always_inline enum snif_reason packet_ipv4(struct __sk_buff *skb, struct packet *packet) {
	struct options options = {.skb = skb, .offset = sizeof(struct iphdr)};
	struct iphdr header;

	if (header_load(skb, 0, (__u32 *)&header, sizeof(header) / 4) || header.ihl < 5)
		return SNIF_REASON_MALFORMED_PACKET;
	options.end = header.ihl * 4;
	packet->payload = options.end;
	packet->to.protocol = header.protocol;
	snif_map_ipv4(packet->source, &header.saddr);
	snif_map_ipv4(packet->to.address, &header.daddr);
	if (header.frag_off & bpf_htons(IPV4_FRAGMENT))
		return SNIF_REASON_FRAGMENT;
	if (header.ihl > 5)
		snif_loop(OPTIONS_MAX, option_step, &options);
	return options.reason;
}

struct extensions {
	struct __sk_buff *skb;
	__u32 offset;
	__u8 next;
	_Bool done;
	enum snif_reason reason;
};

/* One IPv6 extension header (RFC 8200, section 4); a routing header names the real destination. */
static inline long extension_step(__u32 index, void *context) {
	struct extensions *walk = context;
	__u8 header[2];

	(void)index;
	switch (walk->next) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_DSTOPTS:
	case IPV6_AUTHENTICATION:
		break;
	case IPV6_ROUTING: /* refused, and read on for the ports: the connection is ended by them */
		walk->reason = SNIF_REASON_SOURCE_ROUTE;
		break;
	case IPV6_FRAGMENT:
		walk->reason = SNIF_REASON_FRAGMENT;
		return SNIF_STOP;
	default:
		walk->done = 1;
		return SNIF_STOP;
	}
	if (bpf_skb_load_bytes(walk->skb, walk->offset, header, 2)) {
		walk->reason = SNIF_REASON_MALFORMED_PACKET;
		return SNIF_STOP;
	}
	walk->offset += walk->next == IPV6_AUTHENTICATION ? (header[1] + 2) * 4 : (header[1] + 1) * 8;
	walk->next = header[0];
	return SNIF_NEXT;
}

static __always_inline enum snif_reason packet_ipv6(struct __sk_buff *skb, struct packet *packet) {
	struct extensions walk = {.skb = skb, .offset = sizeof(struct ipv6hdr)};
	struct ipv6hdr header;

	if (header_load(skb, 0, (__u32 *)&header, sizeof(header) / 4))
		return SNIF_REASON_MALFORMED_PACKET;
	__builtin_memcpy(packet->source, &header.saddr, 16);
	__builtin_memcpy(packet->to.address, &header.daddr, 16);
	/* it leaves by IPv6, and would be judged as the IPv4 address */
	if (snif_is_ipv4(packet->to.address))
		return SNIF_REASON_V4_MAPPED;
	walk.next = header.nexthdr;
	if (walk.next != IPPROTO_TCP && walk.next != IPPROTO_UDP)
		snif_loop(IPV6_EXTENSIONS_MAX, extension_step, &walk);
	else
		walk.done = 1;
	packet->to.protocol = walk.next;
	packet->payload = walk.offset;
	if (walk.reason == SNIF_REASON_NONE && !walk.done)
		return SNIF_REASON_MALFORMED_PACKET;
	return walk.reason;
}

static __always_inline enum snif_reason packet_tcp(struct __sk_buff *skb, struct packet *packet) {
	struct tcphdr header;

	if (header_load(skb, packet->payload, (__u32 *)&header, sizeof(header) / 4))
		return SNIF_REASON_MALFORMED_PACKET;
	packet->source_port = bpf_ntohs(header.source);
	packet->to.port = bpf_ntohs(header.dest);
	packet->sequence = bpf_ntohl(header.seq);
	packet->flags = ((__u8 *)&header)[13];
	packet->options = packet->payload + sizeof(header);
	packet->payload += header.doff * 4;
	if (header.doff < 5 || packet->payload > packet->end)
		return SNIF_REASON_MALFORMED_PACKET;
	return SNIF_REASON_NONE;
}

/* Why a SYN to where names are checked is refused for its options, or SNIF_REASON_NONE. */
static __always_inline enum snif_reason syn_options(struct __sk_buff *skb, const struct packet *packet) {
	struct options options = {.skb = skb, .offset = packet->options, .end = packet->payload, .tcp = 1};

	snif_loop(OPTIONS_MAX, option_step, &options);
	return options.reason;
}

/*
 * Whether the source may be another machine's. What leaves by the loopback device stays here, but the kernel's answers
 * (errors with the datagram in them, resets) and those of services go to the source. IPv4's routing asks whether that
 * is local. IPv6's does not: net.ipv6.ip_nonlocal_bind lets everybody choose one. Whoever chooses none has the
 * destination itself as source here; of others no hook can tell whether they are the machine's.
 */
static __always_inline _Bool packet_source_is_foreign(const struct packet *packet) {
	__u64 source[2], destination[2];

	if (packet->interface != LOOPBACK_DEVICE || snif_is_ipv4(packet->source))
		return 0;
	if (packet->to.protocol == IPPROTO_TCP && (packet->flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)
		return 0;
	__builtin_memcpy(source, packet->source, 16);
	__builtin_memcpy(destination, packet->to.address, 16);
	if (source[0] == destination[0] && source[1] == destination[1])
		return 0;
	return source[0] != 0 || source[1] != bpf_cpu_to_be64(1);
}

static __always_inline enum snif_reason first_of(enum snif_reason first, enum snif_reason then) {
	return first != SNIF_REASON_NONE ? first : then;
}

/*
 * Reads the headers of an outgoing packet. Offsets count from the network header. Returns SNIF_REASON_NONE, or why the
 * packet is refused whatever the policy says; what was read until then is in `packet` (which the caller has zeroed).
 */
SNIF_SUBPROGRAM enum snif_reason packet_read(struct __sk_buff *skb, struct packet *packet) {
	enum snif_reason reason;
	__be16 ports[2];

	if (!packet)
		return SNIF_REASON_STATE_LOST;
	packet->end = skb->len;
	packet->interface = skb->ifindex;
	if (skb->protocol == bpf_htons(ETH_P_IP))
		reason = packet_ipv4(skb, packet);
	else if (skb->protocol == bpf_htons(ETH_P_IPV6))
		reason = packet_ipv6(skb, packet);
	else
		return SNIF_REASON_MALFORMED_PACKET;
	if (reason != SNIF_REASON_NONE && reason != SNIF_REASON_SOURCE_ROUTE)
		return reason;
	if (packet->to.protocol == IPPROTO_TCP)
		return first_of(reason, packet_tcp(skb, packet));
	if (packet->to.protocol != IPPROTO_UDP)
		return reason;
	if (header_load(skb, packet->payload, (__u32 *)ports, 1))
		return first_of(reason, SNIF_REASON_MALFORMED_PACKET);
	packet->source_port = bpf_ntohs(ports[0]);
	packet->to.port = bpf_ntohs(ports[1]);
	return reason;
}

/*
 * Whether this is a TCP header, of no SYN, right behind an IP header to that address which holds nothing that could
 * name another one: IPv4 without options, or IPv6 without extensions. Looks at the linear part, where these headers
 * are.
 */
static __always_inline _Bool packet_is_plain(struct __sk_buff *skb, const struct snif_target *to) {
	const __u8 *data = (const __u8 *)(long)skb->data, *end = (const __u8 *)(long)skb->data_end;
	const __u32 *word = (const __u32 *)data;
	__u32 address[4];

	if (data + sizeof(struct iphdr) + sizeof(struct tcphdr) > end)
		return 0;
	__builtin_memcpy(address, to->address, 16);
	if (data[0] == 0x45)
		return data[9] == IPPROTO_TCP && !(data[sizeof(struct iphdr) + 13] & TCP_SYN) &&
		       address[3] == word[4] && !(address[0] | address[1]) && address[2] == bpf_htonl(0xffff);
	if (data + sizeof(struct ipv6hdr) + sizeof(struct tcphdr) > end || data[0] >> 4 != 6)
		return 0;
	return data[6] == IPPROTO_TCP && !(data[sizeof(struct ipv6hdr) + 13] & TCP_SYN) && address[3] == word[9] &&
	       address[2] == word[8] && address[1] == word[7] && address[0] == word[6] &&
	       ((address[0] | address[1]) || address[2] != bpf_htonl(0xffff));
}

#endif
