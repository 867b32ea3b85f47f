/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The filter's own code for BPF_PROG_TEST_RUN, which runs it on a socket of no type that carries no tag. What judges
 * gives it the tag of a real connection first, as userspace has read it from there. The maps are those of a loaded
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

/* For packets that leave the tag as it is. */
static __always_inline void tag_once(struct __sk_buff *skb) {
	struct bpf_sock *socket = skb->sk;

	if (!tagged)
		tagged = socket && tag_reset(socket);
}

/*
 * egress_judge() of a packet that can be read, on a socket with a tag, under a policy: without the refusals of others, and
 * without the check that the socket is one of the packet's protocol, as this one is of none.
 */
static __always_inline int judge(struct __sk_buff *skb, struct bpf_sock *socket, struct snif_tag *tag) {
	struct egress e = {.skb = skb, .socket = socket, .tag = tag, .policy = policy_for(tag)};

	if (packet_read(skb, &e.packet) != SNIF_REASON_NONE)
		return EGRESS_DROP;
	return e.packet.to.protocol == IPPROTO_TCP ? egress_tcp(&e) : egress_udp(&e);
}

/* decide_packet() behind its hot path; what of it is wanted is known when this is compiled. */
static __always_inline int enter(struct __sk_buff *skb, const _Bool restore, const _Bool judged) {
	struct bpf_sock *socket = skb->sk;
	struct snif_tag *tag = NULL;

	if (socket)
		tag = restore ? tag_reset(socket) : tag_make(socket);
	socket = socket ? bpf_sk_fullsock(socket) : NULL;
	if (!socket || !tag)
		return EGRESS_DROP;
	return judged ? judge(skb, socket, tag) : EGRESS_PASS;
}

/* The hot path. */
SEC("cgroup_skb/egress")
int decide_established(struct __sk_buff *skb) {
	tag_once(skb);
	return decide_packet(skb);
}

/* A datagram on a socket whose tag allows it. */
SEC("cgroup_skb/egress")
int decide_datagram(struct __sk_buff *skb) {
	tag_once(skb);
	return enter(skb, 0, 1);
}

/* A packet that changes the tag: it is set before each. */
SEC("cgroup_skb/egress")
int decide_undecided(struct __sk_buff *skb) {
	return enter(skb, 1, 1);
}

/* decide_undecided() without the judging. */
SEC("cgroup_skb/egress")
int decide_reset(struct __sk_buff *skb) {
	return enter(skb, 1, 0);
}

/* The same without setting the tag: what a real packet pays before it is judged. */
SEC("cgroup_skb/egress")
int decide_entry(struct __sk_buff *skb) {
	return enter(skb, 0, 0);
}

char LICENSE[] SEC("license") = "GPL";
