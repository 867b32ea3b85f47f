/* SPDX-License-Identifier: GPL-2.0-only */
/* Incoming packet ──► what it tells of names; whether the program gets it now. */
#ifndef SNIF_INGRESS_BPF_H
#define SNIF_INGRESS_BPF_H

#include "stream.bpf.h"

static __always_inline void see_datagram(struct __sk_buff *skb, const struct snif_tag *tag,
					 const struct snif_packet *packet) {
	__u32 begin = packet->payload + UDP_HEADER;
	struct workspace *workspace = workspace_claim();

	if (!workspace)
		return;
	if (message_load(skb, begin, &workspace->dns, snif_min(packet->end - begin, SNIF_DNS_MESSAGE),
			 SNIF_DNS_MESSAGE) == 0)
		answer_take(skb, workspace, tag, packet);
	workspace_release(workspace);
}

/*
 * A packet that arrives: what a DNS server of the policy answers is read before the program gets it. Returns whether it
 * gets it now.
 */
static __always_inline _Bool see_answer(struct __sk_buff *skb) {
	struct bpf_sock *socket = reads_dns ? skb->sk : NULL;
	const struct snif_tag *tag = socket ? tag_of(socket) : NULL;
	struct snif_packet packet = {};

	if (!tag || !tag->dns || packet_read(skb, &packet) != SNIF_REASON_NONE)
		return 1;
	if (packet.to.protocol != IPPROTO_UDP)
		return see_segment(skb, tag, &packet);
	see_datagram(skb, tag, &packet);
	return 1;
}

#endif
