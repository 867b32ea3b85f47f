/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The hooks: which programs a cgroup gets, and the words that events have for where something was decided. This list is
 * the only one: loader, features, events and their readers take from it.
 */
#ifndef SNIF_HOOKS_H
#define SNIF_HOOKS_H

/* clang-format off */

/*
 * X(program, attach type, "key of features", "what it sees", "what it is for"), in the order in which they are
 * attached: egress comes first, as until the attachment is written all refuse, and no socket escapes it.
 */
#define SNIF_PROGRAMS(X) \
	X(snif_egress, BPF_CGROUP_INET_EGRESS, "hook_egress", "packets that leave", \
	  "ClientHellos are read, and nothing leaves unjudged") \
	X(snif_ingress, BPF_CGROUP_INET_INGRESS, "hook_ingress", "packets that arrive", \
	  "names are bound to the addresses that DNS servers give for them") \
	X(snif_accepted, BPF_CGROUP_SOCK_OPS, "hook_sockops", "accepted connections", \
	  "`inbound` can allow or deny them") \
	X(snif_connect4, BPF_CGROUP_INET4_CONNECT, "hook_connect4", "connect() by IPv4", \
	  "address rules refuse at once, with EPERM") \
	X(snif_connect6, BPF_CGROUP_INET6_CONNECT, "hook_connect6", "connect() by IPv6", \
	  "address rules refuse at once, with EPERM") \
	X(snif_sendmsg4, BPF_CGROUP_UDP4_SENDMSG, "hook_sendmsg4", "sendmsg() by IPv4", \
	  "address rules refuse datagrams at once, with EPERM") \
	X(snif_sendmsg6, BPF_CGROUP_UDP6_SENDMSG, "hook_sendmsg6", "sendmsg() by IPv6", \
	  "address rules refuse datagrams at once, with EPERM") \
	X(snif_socket, BPF_CGROUP_INET_SOCK_CREATE, "hook_socket", "socket()", \
	  "raw sockets, MPTCP and the like are refused where they are made") \
	X(snif_setsockopt, BPF_CGROUP_SETSOCKOPT, "hook_setsockopt", "setsockopt()", \
	  "options that have the kernel send for a program are refused") \
	X(snif_device, BPF_CGROUP_DEVICE, "hook_device", "devices", \
	  "tun, vhost and others that send packets by file cannot be opened")

/* X(CONSTANT, "word in events"): their numbers are part of the events' format, append */
#define SNIF_HOOKS(X) \
	X(SOCKET, "socket") \
	X(CONNECT, "connect") \
	X(SENDMSG, "sendmsg") \
	X(EGRESS, "egress") \
	X(SETSOCKOPT, "setsockopt") \
	X(DEVICE, "device")

/* clang-format on */

enum snif_hook {
#define X(constant, word) SNIF_HOOK_##constant,
	SNIF_HOOKS(X)
#undef X
		SNIF_HOOK_COUNT
};

#endif
