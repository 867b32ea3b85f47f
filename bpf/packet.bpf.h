/* SPDX-License-Identifier: GPL-2.0-only */
/* skb ──► what packet.h reads of its headers, and what only the kernel knows of a packet. */
#ifndef SNIF_PACKET_BPF_H
#define SNIF_PACKET_BPF_H

#include <linux/if_ether.h>

#include "packet.h"
#include "tables.bpf.h"

#define LOOPBACK_DEVICE 1 /* its index, in every network namespace */

/*
 * Whether there is no source: a socket can bring that about, which connects between two parts of a datagram to where no
 * route leads. Honest it is only of who has no address yet and asks the whole network for one (DHCP: RFC 2131, section 4.1).
 */
static __always_inline _Bool packet_has_no_source(const struct snif_packet *packet) {
	__u64 source[2], destination[2];

	__builtin_memcpy(source, packet->source, 16);
	__builtin_memcpy(destination, packet->to.address, 16);
	return source[0] == 0 && (source[1] == 0 || (source[1] == bpf_cpu_to_be64(0xffff00000000) &&
						     destination[1] != bpf_cpu_to_be64(0xffffffffffff)));
}

/*
 * Whether the source may be another machine's, or is none. What leaves by the loopback device stays here, but the kernel's
 * answers (errors with the datagram in them, resets) and those of services go to the source. IPv4's routing asks whether
 * that is local. IPv6's does not: net.ipv6.ip_nonlocal_bind lets everybody choose one. Whoever chooses none has the
 * destination itself as source here; of others no hook can tell whether they are the machine's.
 */
static __always_inline _Bool packet_source_is_foreign(const struct snif_packet *packet) {
	__u64 source[2], destination[2];

	if (packet_has_no_source(packet))
		return 1;
	if (packet->interface != LOOPBACK_DEVICE || snif_is_ipv4(packet->source))
		return 0;
	if (packet->to.protocol == IPPROTO_TCP && (packet->flags & (SNIF_TCP_SYN | SNIF_TCP_ACK)) != SNIF_TCP_SYN)
		return 0;
	__builtin_memcpy(source, packet->source, 16);
	__builtin_memcpy(destination, packet->to.address, 16);
	if (source[0] == destination[0] && source[1] == destination[1])
		return 0;
	return source[0] != 0 || source[1] != bpf_cpu_to_be64(1);
}

/*
 * Reads the headers of an outgoing packet. Returns SNIF_REASON_NONE, or why the packet is refused whatever the policy
 * says; what was read until then is in `packet` (which the caller has zeroed).
 */
SNIF_SUBPROGRAM enum snif_reason packet_read(struct __sk_buff *skb, struct snif_packet *packet) {
	enum snif_reason end;
	__u32 version = 0;

	if (!packet)
		return SNIF_REASON_STATE_LOST;
	packet->end = skb->len;
	packet->interface = skb->ifindex;
	if (skb->protocol == bpf_htons(ETH_P_IP))
		version = 4;
	else if (skb->protocol == bpf_htons(ETH_P_IPV6))
		version = 6;
	end = snif_packet_read(skb, version, packet);
	return packet->refusal != SNIF_REASON_NONE ? packet->refusal : end;
}

/* The same as snif_packet_is_plain(), of the linear part, where these headers are. */
static __always_inline _Bool packet_is_plain(struct __sk_buff *skb, const struct snif_target *to) {
	return snif_packet_is_plain((const __u8 *)(long)skb->data, (const __u8 *)(long)skb->data_end, to);
}

#endif
