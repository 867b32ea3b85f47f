/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The filter's own code for BPF_PROG_TEST_RUN, which runs it on a socket of no type that carries no tag: each program
 * first gives it the tag of a real connection, as userspace has read it from there. The maps are those of a loaded
 * filter, put in their place by userspace.
 */
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* from <sys/socket.h>, which is not for BPF */
#define AF_INET 2
#define AF_INET6 10
#define SOCK_STREAM 1
#define SOCK_DGRAM 2

#include "../bpf/connect.bpf.h"
#include "../bpf/egress.bpf.h"

struct snif_tag original;	  /* the tag of a real connection */
struct snif_inspection inspected; /* its inspection, if it has one */
__u32 tagged;			  /* 0: set the tag once, before the first run */

/* Makes what the socket carries what the real connection's did. */
static __always_inline struct snif_tag *tag_reset(struct bpf_sock *socket) {
	struct snif_tag *tag = bpf_sk_storage_get(&tags, socket, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	struct snif_inspection *inspection;

	if (!tag)
		return NULL;
	__builtin_memcpy(tag, &original, sizeof(original));
	if (tag->verdict != SNIF_UNDECIDED)
		return tag;
	inspection = inspection_begin(socket);
	if (!inspection)
		return NULL;
	/* but for the window, which is of one packet only */
	__builtin_memcpy(inspection, &inspected, __builtin_offsetof(struct snif_inspection, hello.window));
	__builtin_memcpy(inspection->hello.name, inspected.hello.name, sizeof(inspected.hello.name));
	return tag;
}

/* The hot path: the tag is set once. */
SEC("cgroup_skb/egress")
int decide_established(struct __sk_buff *skb) {
	struct bpf_sock *socket;

	if (!tagged) {
		socket = skb->sk;
		tagged = socket && tag_reset(socket);
	}
	return decide_packet(skb);
}

/*
 * A packet that changes the tag: it is set before each. Without the check that the socket is one of TCP: this one is
 * not.
 */
SEC("cgroup_skb/egress")
int decide_undecided(struct __sk_buff *skb) {
	struct bpf_sock *socket = skb->sk ? bpf_sk_fullsock(skb->sk) : NULL;
	struct egress e = {.skb = skb, .socket = socket};

	if (!socket || !(e.tag = tag_reset(socket)))
		return EGRESS_DROP;
	e.policy = policy_now();
	if (packet_read(skb, &e.packet) != SNIF_REASON_NONE)
		return EGRESS_DROP;
	return egress_tcp(&e);
}

/* What of decide_undecided() is not the filter's own cost. */
SEC("cgroup_skb/egress")
int decide_nothing(struct __sk_buff *skb) {
	struct bpf_sock *socket = skb->sk ? bpf_sk_fullsock(skb->sk) : NULL;

	return socket && tag_reset(socket) ? EGRESS_PASS : EGRESS_DROP;
}

char LICENSE[] SEC("license") = "GPL";
