/* SPDX-License-Identifier: GPL-2.0-only */
/* Outgoing packet ──► pass or drop: the choke point, which relies on no other hook having run. */
#ifndef SNIF_EGRESS_BPF_H
#define SNIF_EGRESS_BPF_H

#include "flow.bpf.h"
#include "question.bpf.h"
#include "verdict.bpf.h"

enum { EGRESS_DROP = 0, EGRESS_PASS = 1 };

struct egress {
	struct __sk_buff *skb;
	struct bpf_sock *socket; /* NULL: a request or time-wait socket, which carries no storage */
	struct snif_tag *tag;
	struct policy policy;
	struct snif_packet packet;
	struct snif_judgement judgement;
};

/* In audit mode everything passes once it is judged. */
static __always_inline int refused(const struct policy *policy) {
	return policy->options.mode == SNIF_AUDIT ? EGRESS_PASS : EGRESS_DROP;
}

/* A refusal: told once, then it sticks to the socket, and there is nothing left to inspect. `tag` can be NULL. */
SNIF_SUBPROGRAM int refuse_packet(struct __sk_buff *skb, const struct policy *policy,
				  const struct snif_judgement *judgement, struct snif_tag *tag,
				  const struct snif_packet *packet) {
	struct bpf_sock *socket = skb->sk;

	if (!policy || !judgement || !packet)
		return 0;
	if ((!tag || tag->verdict != SNIF_DENY) && event_wanted(policy, judgement))
		event_of_packet(skb, policy, judgement, tag, packet);
	if (tag && socket) {
		tag_judge(tag, policy, judgement);
		bpf_sk_storage_delete(&inspections, socket);
	}
	return 0;
}

/* The same by e->judgement. */
static __always_inline int egress_refuse(struct egress *e) {
	refuse_packet(e->skb, &e->policy, &e->judgement, e->tag, &e->packet);
	return refused(&e->policy);
}

static __always_inline int egress_refuse_for(struct egress *e, enum snif_reason reason) {
	e->judgement = snif_refuse(reason);
	return egress_refuse(e);
}

static __always_inline _Bool is_bare_reset(const struct snif_packet *packet) {
	return packet->to.protocol == IPPROTO_TCP && (packet->flags & SNIF_TCP_RST) && packet->end == packet->payload;
}

/* Gives a tag to a socket that no hook saw; the process behind it is not known. */
static __always_inline struct snif_tag *egress_tag(struct egress *e) {
	struct snif_tag *tag = tag_make(e->socket);

	if (!tag)
		return NULL;
	tag->flow = bpf_get_socket_cookie(e->skb);
	tag->process.cgroup_id = bpf_skb_cgroup_id(e->skb);
	tag->to = e->packet.to;
	return tag;
}

/* SYN-ACKs, resets and time-wait ACKs leave on sockets without storage, or on the listener: never with payload. */
static __always_inline int egress_without_socket(struct egress *e) {
	const struct snif_packet *packet = &e->packet;
	_Bool syn = packet->flags & SNIF_TCP_SYN, ack = packet->flags & SNIF_TCP_ACK;

	if (packet->to.protocol != IPPROTO_TCP || packet->end > packet->payload || (syn && !ack))
		return egress_refuse_for(e, SNIF_REASON_UNTRACKED);
	if (syn && e->policy.options.inbound_deny)
		return egress_refuse_for(e, SNIF_REASON_INBOUND_DENIED);
	return EGRESS_PASS;
}

/* Whether the socket is of the kind that makes such packets; a raw socket can forge any. */
static __always_inline _Bool socket_fits(const struct bpf_sock *socket, __u8 protocol) {
	if (protocol == IPPROTO_TCP)
		return socket->type == SOCK_STREAM && socket->protocol == IPPROTO_TCP;
	return protocol == IPPROTO_UDP && socket->type == SOCK_DGRAM && socket->protocol == IPPROTO_UDP;
}

/*
 * Judges a packet by the questions that it holds, where it goes to a DNS server of the policy. Returns whether it does.
 * Each refused question is told; over UDP the next one is judged for itself.
 */
static __always_inline _Bool egress_asks(struct egress *e, int *verdict) {
	struct snif_judgement *judgement = &e->judgement;

	if (!ask_packet(e->skb, &e->policy, e->tag, &e->packet, judgement))
		return 0;
	if (judgement->verdict == SNIF_ALLOW) {
		*verdict = EGRESS_PASS;
		if (e->tag->verdict != SNIF_ALLOW && event_wanted(&e->policy, judgement))
			event_of_packet(e->skb, &e->policy, judgement, e->tag, &e->packet);
		tag_judge(e->tag, &e->policy, judgement);
		return 1;
	}
	*verdict = refused(&e->policy);
	if (e->packet.to.protocol == IPPROTO_TCP && *verdict == EGRESS_DROP)
		tag_judge(e->tag, &e->policy, judgement);
	return 1;
}

/* Judges a packet by the address on it, as what the tag says need not be of this packet. */
static __always_inline int egress_by_address(struct egress *e) {
	const struct snif_packet *packet = &e->packet;
	struct snif_judgement *judgement = &e->judgement;
	struct snif_inspection *inspection;
	int verdict;

	judge_address(&e->policy, &packet->to, NULL, judgement);
	if (judgement->verdict == SNIF_DENY)
		judge_named(&e->policy, &packet->to, e->tag->netns_cookie, 0, judgement);
	if (judgement->verdict == SNIF_DENY)
		return egress_refuse(e);
	if (judgement->reason == SNIF_REASON_DNS_ALLOWED && egress_asks(e, &verdict))
		return verdict;
	if (judgement->verdict == SNIF_ALLOW) {
		if (e->tag->verdict != SNIF_ALLOW && event_wanted(&e->policy, judgement))
			event_of_packet(e->skb, &e->policy, judgement, e->tag, packet);
		tag_judge(e->tag, &e->policy, judgement);
		return EGRESS_PASS;
	}
	/* inspected: only from its first packet on */
	if (!(packet->flags & SNIF_TCP_SYN) || (packet->flags & SNIF_TCP_ACK))
		return egress_refuse_for(e, SNIF_REASON_UNTRACKED);
	inspection = inspection_begin(e->socket);
	if (!inspection)
		return egress_refuse_for(e, SNIF_REASON_STATE_LOST);
	judge_address(&e->policy, &packet->to, &inspection->dest, judgement);
	e->tag->inspected = 1;
	tag_judge(e->tag, &e->policy, judgement);
	inspect(e->skb, &e->policy, e->tag, packet, judgement);
	return judgement->verdict == SNIF_DENY ? egress_refuse(e) : EGRESS_PASS;
}

static __always_inline int egress_untagged(struct egress *e) {
	if (!e->socket || (e->packet.to.protocol == IPPROTO_TCP && e->socket->state == BPF_TCP_LISTEN))
		return egress_without_socket(e);
	if (!socket_fits(e->socket, e->packet.to.protocol))
		return egress_refuse_for(e, SNIF_REASON_SOCKET_TYPE);
	if (packet_source_is_foreign(&e->packet))
		return egress_refuse_for(e, SNIF_REASON_SOURCE_ADDRESS);
	if (is_bare_reset(&e->packet))
		return EGRESS_PASS;
	e->tag = egress_tag(e);
	if (!e->tag)
		return egress_refuse_for(e, SNIF_REASON_STATE_LOST);
	return egress_by_address(e);
}

/*
 * Whether the packet goes to where the tag was judged for. What netfilter has written on it instead (DNAT) counts as
 * that: it is the administrator's, and how containers reach their resolver and their neighbours.
 */
static __always_inline _Bool goes_as_judged(const struct egress *e) {
	return same_place(&e->packet.to, &e->tag->to) || sent_as_judged(e->skb, &e->packet, e->tag);
}

/* A source that was chosen for another destination, before netfilter wrote this one, is none of the command's. */
static __always_inline _Bool source_is_foreign(const struct egress *e) {
	return packet_source_is_foreign(&e->packet) &&
	       (e->packet.to.protocol != IPPROTO_TCP || same_place(&e->packet.to, &e->tag->to));
}

/* Passes only where a direct rule allows what is on the packet. The event names where the socket was connected. */
static __always_inline int egress_elsewhere(struct egress *e) {
	judge_address(&e->policy, &e->packet.to, NULL, &e->judgement);
	if (e->judgement.verdict == SNIF_ALLOW)
		return EGRESS_PASS;
	/* the socket is found by its own addresses, and ended */
	if (!snif_is_ipv4(e->tag->to.address))
		flow_source(e->socket, e->packet.source);
	return egress_refuse_for(e, SNIF_REASON_OTHER_DESTINATION);
}

/* What userspace has kept from before the attachment is told with its first packet. */
static __always_inline void egress_tell_kept(struct egress *e) {
	e->judgement = (struct snif_judgement){SNIF_ALLOW, SNIF_REASON_CONNECTION_KEPT, 0};
	if (event_wanted(&e->policy, &e->judgement))
		event_of_packet(e->skb, &e->policy, &e->judgement, e->tag, &e->packet);
	e->tag->settled = 1;
}

static __always_inline int egress_tcp(struct egress *e) {
	struct snif_tag *tag = e->tag;
	_Bool kept = !tag->settled && tag->reason == SNIF_REASON_CONNECTION_KEPT;
	int verdict;

	if (!goes_as_judged(e))
		return tag->verdict == SNIF_DENY ? refused(&e->policy) : egress_elsewhere(e);
	if (!same_policy(&tag->judged_under, &e->policy.active)) {
		judge_again(&e->policy, e->socket, tag, &e->judgement);
		if (e->judgement.verdict == SNIF_DENY && tag->verdict != SNIF_DENY) {
			if (tag->verdict == SNIF_ALLOW && e->judgement.reason != SNIF_REASON_STATE_LOST)
				e->judgement.reason = SNIF_REASON_REVOKED;
			return egress_refuse(e);
		}
	}
	if (tag->verdict == SNIF_DENY)
		return is_bare_reset(&e->packet) ? EGRESS_PASS : refused(&e->policy);
	if ((tag->dns || kept) && egress_asks(e, &verdict))
		return verdict;
	if (tag->settled || (tag->verdict == SNIF_ALLOW && !tag->inspected)) {
		if (kept)
			egress_tell_kept(e);
		return EGRESS_PASS;
	}
	inspect(e->skb, &e->policy, tag, &e->packet, &e->judgement);
	if (e->judgement.verdict != SNIF_DENY)
		return EGRESS_PASS;
	verdict = egress_refuse(e);
	/* a reset in the middle of a hello is told, and tells the server, which would keep its half for long */
	return is_bare_reset(&e->packet) ? EGRESS_PASS : verdict;
}

/*
 * A datagram leaves unseen where the hooks have allowed all places that it can go to. The address on it is asked only
 * where it may have strayed from these (note_stray()): netfilter may have written another one there (DNAT), as that of
 * a container's resolver. A disconnect passes no hook, and a sender on another thread can come in the middle of it; the
 * state is what it changes first. A connection to a v4-mapped address is there before that address is, and what is sent
 * in between goes to IPv6's loopback address.
 */
static __always_inline int egress_udp(struct egress *e) {
	struct snif_tag *tag = e->tag;
	_Bool current = same_policy(&tag->judged_under, &e->policy.active);
	_Bool disconnected = tag->connects > 0 && e->socket->state != BPF_TCP_ESTABLISHED;
	_Bool other_family = tag->connects > 0 && !same_family(&e->packet.to, &tag->to);
	int verdict;

	if (!current || disconnected || other_family)
		tag->kept = 0;
	if (tag->kept && !tag->dns)
		return EGRESS_PASS;
	if (!current && tag->verdict == SNIF_ALLOW)
		tag->verdict = SNIF_UNDECIDED; /* told again */
	if (tag->dns) {
		if (egress_asks(e, &verdict))
			return verdict;
		/* what goes elsewhere than the last call said may be a question that netfilter has sent there */
		if (!same_place(&e->packet.to, &tag->to))
			return egress_refuse_for(e, SNIF_REASON_OTHER_DESTINATION);
	}
	return egress_by_address(e);
}

/* From a connected socket that userspace has kept: to where it was connected then, until a rule denies that. */
static __always_inline int egress_udp_kept(struct egress *e) {
	struct snif_tag *tag = e->tag;
	int verdict;

	if (egress_asks(e, &verdict))
		return verdict;
	if (!goes_as_judged(e))
		return egress_by_address(e);
	if (!same_policy(&tag->judged_under, &e->policy.active)) {
		judge_kept_again(&e->policy, tag, &e->judgement);
		if (e->judgement.verdict == SNIF_DENY)
			return egress_refuse_for(e, SNIF_REASON_REVOKED);
	}
	if (!tag->settled)
		egress_tell_kept(e);
	return EGRESS_PASS;
}

static __always_inline int egress_judge(struct __sk_buff *skb, struct bpf_sock *socket, struct snif_tag *tag) {
	struct egress e = {.skb = skb, .socket = socket, .policy = policy_for(tag)};
	enum snif_reason reason = packet_read(skb, &e.packet);

	/* what a socket carries that listens is of the connection that it was before */
	if (tag && socket->state != BPF_TCP_LISTEN)
		e.tag = tag;
	if (!e.policy.present)
		reason = SNIF_REASON_NO_POLICY;
	if (reason != SNIF_REASON_NONE)
		return egress_refuse_for(&e, reason);
	if (e.packet.source_port == SNIF_DNS_PORT && is_forged_answer(&e.policy, &e.packet))
		return egress_refuse_for(&e, SNIF_REASON_DNS_FORGED);
	if (!e.tag)
		return egress_untagged(&e);
	if (!socket_fits(socket, e.packet.to.protocol))
		return egress_refuse_for(&e, SNIF_REASON_SOCKET_TYPE);
	if (source_is_foreign(&e))
		return egress_refuse_for(&e, SNIF_REASON_SOURCE_ADDRESS);
	if (e.packet.to.protocol == IPPROTO_TCP)
		return egress_tcp(&e);
	return tag->reason == SNIF_REASON_CONNECTION_KEPT ? egress_udp_kept(&e) : egress_udp(&e);
}

static __always_inline int decide_packet(struct __sk_buff *skb) {
	struct bpf_sock *socket = skb->sk;
	struct snif_tag *tag = socket ? tag_of(socket) : NULL;
	struct snif_active active;

	/* the hot path: allowed, nothing left to inspect, and to there without a doubt, as policy_for() does */
	if (tag && tag->settled && packet_is_plain(skb, &tag->to)) {
		active = active_of(tag->judged_under.policy);
		if (same_policy(&tag->judged_under, &active))
			return EGRESS_PASS;
	}
	/* who has a tag is a full socket, which the verifier does not know */
	socket = socket ? bpf_sk_fullsock(socket) : NULL;
	return egress_judge(skb, socket, socket ? tag : NULL);
}

#endif
