/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Socket options that put something between what is judged and what is on the wire, and the values with which they may
 * be set. The list is the only one: the hook takes its rules from it, and seccomp what it refuses to programs of the
 * machine's other ABI, whose setsockopt() passes no hook.
 *
 * A source that is not this socket's (FREEBIND, TRANSPARENT) has other machines get what the kernel answers: errors with
 * the datagram in them, resets, what other services here say. Options of IPv4 can hold a route, as can an IPv6 routing
 * header, also where 2292PKTOPTIONS or a flow label keep one. A policy of IPsec wraps packets. The groups that a socket
 * is in, and the sources that it wants to hear there, leave in reports of IGMP and MLD, which the kernel sends by
 * itself. Of layers between socket and wire, SMC (by its ULP) sends past TCP, and TLS in the kernel can be the network
 * card's work: then egress sees other bytes than the server. So "tls" may be there, as libraries put it on every socket,
 * but is not switched on before the ClientHello is over. Repair writes into TCP's queues. ENCAP makes datagrams of
 * packets. ZEROCOPY leaves pages to the sender, who could write to them after they were judged.
 *
 * Not in the list, so let through, is what changes neither destination nor source nor bytes: a choice among the
 * machine's own devices (SO_BINDTODEVICE, IP_UNICAST_IF; IP_MULTICAST_IF, as IPv4's routing asks whether a source is
 * local), a time (SO_TXTIME, TCP_TX_DELAY), sizes (MTU_DISCOVER, UDP_SEGMENT, UDP_CORK), what comes in (filters, MINTTL,
 * UDP_GRO), hop-by-hop and destination options, which egress reads over, and MD5SIG and AO: a server may drop segments
 * for their signature, but reads the same bytes when it gets them again.
 */
#ifndef SNIF_OPTIONS_H
#define SNIF_OPTIONS_H

#define SNIF_SOCKET_MPTCP 262 /* IPPROTO_MPTCP: a protocol for socket(), not one of IP */

/* The value with which an option may be set. */
enum snif_option_rule {
	SNIF_OPTION_ANY,
	SNIF_OPTION_ZERO,	   /* off */
	SNIF_OPTION_ZERO_OF_TCP,   /* off, or not of TCP */
	SNIF_OPTION_EMPTY,	   /* no bytes: what was set is taken back */
	SNIF_OPTION_NO_ADDRESS,	   /* struct in6_pktinfo without an address */
	SNIF_OPTION_FLOW_LABEL,	   /* struct in6_flowlabel_req, without options behind it */
	SNIF_OPTION_TLS_ULP,	   /* "tls" */
	SNIF_OPTION_SETTLED,	   /* any, on a connection whose bytes are not judged any more */
	SNIF_OPTION_GROUP,	   /* begins with an address that a direct rule allows, by UDP */
	SNIF_OPTION_GROUP_STORAGE, /* the same in a struct sockaddr_storage: struct group_req and those like it */
};

/* Of IPv4 and IPv6 sockets; level 0 is good for both. */
enum {
	SNIF_LEVEL_IPV4 = 0,
	SNIF_LEVEL_SOCKET = 1,
	SNIF_LEVEL_TCP = 6,
	SNIF_LEVEL_UDP = 17,
	SNIF_LEVEL_IPV6 = 41,
	SNIF_LEVEL_TLS = 282,
};

/* X(level, option, name, rule): numbers, as no header that both kernel and userspace can take has them all */
/* clang-format off */
#define SNIF_OPTIONS(X) \
	X(SNIF_LEVEL_SOCKET, 60, "SO_ZEROCOPY", SNIF_OPTION_ZERO_OF_TCP) \
	X(SNIF_LEVEL_IPV4,  4, "IP_OPTIONS", SNIF_OPTION_EMPTY) \
	X(SNIF_LEVEL_IPV4, 15, "IP_FREEBIND", SNIF_OPTION_ZERO) \
	X(SNIF_LEVEL_IPV4, 16, "IP_IPSEC_POLICY", SNIF_OPTION_EMPTY) \
	X(SNIF_LEVEL_IPV4, 17, "IP_XFRM_POLICY", SNIF_OPTION_EMPTY) \
	X(SNIF_LEVEL_IPV4, 19, "IP_TRANSPARENT", SNIF_OPTION_ZERO) \
	X(SNIF_LEVEL_IPV4, 35, "IP_ADD_MEMBERSHIP", SNIF_OPTION_GROUP) \
	X(SNIF_LEVEL_IPV4, 38, "IP_BLOCK_SOURCE", SNIF_OPTION_GROUP) \
	X(SNIF_LEVEL_IPV4, 39, "IP_ADD_SOURCE_MEMBERSHIP", SNIF_OPTION_GROUP) \
	X(SNIF_LEVEL_IPV4, 41, "IP_MSFILTER", SNIF_OPTION_GROUP) \
	X(SNIF_LEVEL_IPV4, 42, "MCAST_JOIN_GROUP", SNIF_OPTION_GROUP_STORAGE) \
	X(SNIF_LEVEL_IPV4, 43, "MCAST_BLOCK_SOURCE", SNIF_OPTION_GROUP_STORAGE) \
	X(SNIF_LEVEL_IPV4, 46, "MCAST_JOIN_SOURCE_GROUP", SNIF_OPTION_GROUP_STORAGE) \
	X(SNIF_LEVEL_IPV4, 48, "MCAST_MSFILTER", SNIF_OPTION_GROUP_STORAGE) \
	X(SNIF_LEVEL_IPV6,  6, "IPV6_2292PKTOPTIONS", SNIF_OPTION_EMPTY) \
	X(SNIF_LEVEL_IPV6, 20, "IPV6_ADD_MEMBERSHIP", SNIF_OPTION_GROUP) \
	X(SNIF_LEVEL_IPV6, 27, "IPV6_JOIN_ANYCAST", SNIF_OPTION_GROUP) \
	X(SNIF_LEVEL_IPV6, 32, "IPV6_FLOWLABEL_MGR", SNIF_OPTION_FLOW_LABEL) \
	X(SNIF_LEVEL_IPV6, 34, "IPV6_IPSEC_POLICY", SNIF_OPTION_EMPTY) \
	X(SNIF_LEVEL_IPV6, 35, "IPV6_XFRM_POLICY", SNIF_OPTION_EMPTY) \
	X(SNIF_LEVEL_IPV6, 42, "MCAST_JOIN_GROUP", SNIF_OPTION_GROUP_STORAGE) \
	X(SNIF_LEVEL_IPV6, 43, "MCAST_BLOCK_SOURCE", SNIF_OPTION_GROUP_STORAGE) \
	X(SNIF_LEVEL_IPV6, 46, "MCAST_JOIN_SOURCE_GROUP", SNIF_OPTION_GROUP_STORAGE) \
	X(SNIF_LEVEL_IPV6, 48, "MCAST_MSFILTER", SNIF_OPTION_GROUP_STORAGE) \
	X(SNIF_LEVEL_IPV6, 50, "IPV6_PKTINFO", SNIF_OPTION_NO_ADDRESS) \
	X(SNIF_LEVEL_IPV6, 55, "IPV6_RTHDRDSTOPTS", SNIF_OPTION_EMPTY) \
	X(SNIF_LEVEL_IPV6, 57, "IPV6_RTHDR", SNIF_OPTION_EMPTY) \
	X(SNIF_LEVEL_IPV6, 75, "IPV6_TRANSPARENT", SNIF_OPTION_ZERO) \
	X(SNIF_LEVEL_IPV6, 78, "IPV6_FREEBIND", SNIF_OPTION_ZERO) \
	X(SNIF_LEVEL_TCP, 19, "TCP_REPAIR", SNIF_OPTION_ZERO) \
	X(SNIF_LEVEL_TCP, 31, "TCP_ULP", SNIF_OPTION_TLS_ULP) \
	X(SNIF_LEVEL_UDP, 100, "UDP_ENCAP", SNIF_OPTION_ZERO) \
	X(SNIF_LEVEL_TLS, 1, "TLS_TX", SNIF_OPTION_SETTLED) \
	X(SNIF_LEVEL_TLS, 3, "TLS_TX_ZEROCOPY_RO", SNIF_OPTION_SETTLED)
/* clang-format on */

#endif
