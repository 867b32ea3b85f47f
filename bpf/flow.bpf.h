/* SPDX-License-Identifier: GPL-2.0-only */
/* Socket ──► where the kernel itself sends its packets, which netfilter can change behind that (DNAT). */
#ifndef SNIF_FLOW_BPF_H
#define SNIF_FLOW_BPF_H

#include "tag.bpf.h"

/*
 * Of the kernel's own types what is read here; where it is, is found at loading (CO-RE), by the names that the kernel
 * gives them. An IPv4 header's address is not taken from the connection, but from the flow by which a route was looked
 * up last.
 */
#define KERNEL_TYPE __attribute__((preserve_access_index))
struct flowi4 {
	__be32 daddr;
} KERNEL_TYPE;
struct flowi {
	union {
		struct flowi4 ip4;
	} u;
} KERNEL_TYPE;
struct inet_cork_full {
	struct flowi fl;
} KERNEL_TYPE;
struct inet_sock {
	struct inet_cork_full cork;
} KERNEL_TYPE;
struct inet_connection_sock {
	struct inet_sock icsk_inet;
} KERNEL_TYPE;
struct tcp_sock {
	struct inet_connection_sock inet_conn;
} KERNEL_TYPE;

static __always_inline _Bool flow_is_ipv4_to(struct bpf_sock *socket, const __u8 address[16]) {
	const struct tcp_sock *tcp = bpf_skc_to_tcp_sock(socket);
	__be32 flow;

	if (!tcp)
		return 0;
	flow = tcp->inet_conn.icsk_inet.cork.fl.u.ip4.daddr;
	return !__builtin_memcmp(&flow, address + 12, 4);
}

/* Of IPv6 the header's address is the connection's, but where there is a routing header. */
static __always_inline _Bool flow_is_ipv6_to(const struct bpf_sock *socket, const __u8 address[16]) {
	__u32 words[4];

	__builtin_memcpy(words, address, 16);
	return socket->dst_ip6[0] == words[0] && socket->dst_ip6[1] == words[1] && socket->dst_ip6[2] == words[2] &&
	       socket->dst_ip6[3] == words[3];
}

/* The socket's own IPv6 address. */
static __always_inline void flow_source(const struct bpf_sock *socket, __u8 out[16]) {
	__u32 words[4] = {socket->src_ip6[0], socket->src_ip6[1], socket->src_ip6[2], socket->src_ip6[3]};

	__builtin_memcpy(out, words, 16);
}

/*
 * Whether the kernel sends the socket's TCP packets to there. The address alone can lead astray: of a socket that was
 * connected to a v4-mapped address the packets are IPv4 for ever after, to that address; and a source route that was
 * taken back can stay in the flow. So the packet's own version has to be the address's, as the caller checks.
 */
static __always_inline _Bool flow_goes_to(struct bpf_sock *socket, const struct snif_target *to) {
	if (bpf_ntohs(socket->dst_port) != to->port)
		return 0;
	return snif_is_ipv4(to->address) ? flow_is_ipv4_to(socket, to->address) : flow_is_ipv6_to(socket, to->address);
}

#endif
