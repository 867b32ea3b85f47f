/* SPDX-License-Identifier: GPL-2.0-only */
/* Socket ──► where the kernel itself sends its packets, which netfilter can change behind that (DNAT). */
#ifndef SNIF_FLOW_BPF_H
#define SNIF_FLOW_BPF_H

#include "tag.bpf.h"

/* Volatile: each field is to be read by its own offset, since the verifier lets no one count from a socket. */
static __always_inline _Bool flow_is_ipv4_to(const volatile struct bpf_sock *socket, const __u8 address[16]) {
	__u32 ipv4;

	__builtin_memcpy(&ipv4, address + 12, 4);
	return socket->dst_ip4 == ipv4;
}

static __always_inline _Bool flow_is_ipv6_to(const volatile struct bpf_sock *socket, const __u8 address[16]) {
	__u32 words[4], differs;

	__builtin_memcpy(words, address, 16);
	differs = socket->dst_ip6[0] ^ words[0];
	differs |= socket->dst_ip6[1] ^ words[1];
	differs |= socket->dst_ip6[2] ^ words[2];
	differs |= socket->dst_ip6[3] ^ words[3];
	return !differs;
}

/* The socket's own IPv6 address. */
static __always_inline void flow_source(const volatile struct bpf_sock *socket, __u8 out[16]) {
	__u32 words[4] = {socket->src_ip6[0], socket->src_ip6[1], socket->src_ip6[2], socket->src_ip6[3]};

	__builtin_memcpy(out, words, 16);
}

/*
 * Whether the kernel sends the socket's TCP packets to there. The address alone can lead astray: of a socket that was
 * connected to a v4-mapped address the packets are IPv4 for ever after, to that address. So the packet's own version has
 * to be the address's, as the caller checks. A source route that was taken back can stay in the kernel's flow, which no
 * hook is shown: options that route are refused in setsockopt().
 */
static __always_inline _Bool flow_goes_to(const struct bpf_sock *socket, const struct snif_target *to) {
	if (bpf_ntohs(socket->dst_port) != to->port)
		return 0;
	return snif_is_ipv4(to->address) ? flow_is_ipv4_to(socket, to->address) : flow_is_ipv6_to(socket, to->address);
}

/* Of IPv6, a v4-mapped address on a packet was refused when it was read: so the form of the address is the version. */
static __always_inline _Bool same_family(const struct snif_target *a, const struct snif_target *b) {
	const struct snif_target first = *a, second = *b; /* in words, as in judge_address() */

	return snif_is_ipv4(first.address) == snif_is_ipv4(second.address);
}

/* Whether the kernel sends a packet to where the tag was judged for, which netfilter has written another place on. */
SNIF_SUBPROGRAM int sent_as_judged(struct __sk_buff *skb, const struct snif_packet *packet,
				   const struct snif_tag *tag) {
	struct bpf_sock *socket = skb->sk;

	socket = socket ? bpf_sk_fullsock(socket) : NULL;
	if (!socket || !packet || !tag)
		return 0;
	return same_family(&packet->to, &tag->to) && flow_goes_to(socket, &tag->to);
}

/*
 * Whether a datagram goes to where the tag says that the last call went, whatever netfilter has written on it: a
 * connected socket's where no call has named another place, and another one's where all calls were allowed theirs.
 */
SNIF_SUBPROGRAM int sent_as_called(struct __sk_buff *skb, const struct snif_packet *packet,
				   const struct snif_tag *tag) {
	struct bpf_sock *socket = skb->sk;

	socket = socket ? bpf_sk_fullsock(socket) : NULL;
	if (!socket || !packet || !tag)
		return 0;
	if (socket->state != BPF_TCP_ESTABLISHED)
		return tag->kept && tag->connects == 0;
	return tag->connects <= 1 && tag->places <= 1 && sent_as_judged(skb, packet, tag);
}

#endif
