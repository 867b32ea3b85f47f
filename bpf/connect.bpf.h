/* SPDX-License-Identifier: GPL-2.0-only */
/* connect() and sendmsg() ──► address rules ──► EPERM, or a tag that tells egress what to do. */
#ifndef SNIF_CONNECT_BPF_H
#define SNIF_CONNECT_BPF_H

#include <linux/errno.h>

#include "binding.bpf.h"
#include "dns.h"
#include "options.h"
#include "tag.bpf.h"

enum { HOOK_REFUSE = 0, HOOK_PASS = 1 };

static __always_inline int socket_protocol(__u32 protocol) {
	return protocol == SNIF_SOCKET_MPTCP ? IPPROTO_TCP : (int)protocol;
}

/* Tells a judgement of a call, and whether the call may go on; `object` is a union snif_object. */
static __always_inline int hook_verdict_on(const struct policy *policy, const struct snif_judgement *judgement,
					   enum snif_hook hook, const struct snif_tag *tag, __u64 object) {
	if (event_wanted(policy, judgement))
		event_of_call_on(policy, judgement, hook, tag, object);
	return judgement->verdict == SNIF_ALLOW || policy->options.mode == SNIF_AUDIT ? HOOK_PASS : HOOK_REFUSE;
}

static __always_inline int hook_verdict(const struct policy *policy, const struct snif_judgement *judgement,
					enum snif_hook hook, const struct snif_tag *tag) {
	return hook_verdict_on(policy, judgement, hook, tag, 0);
}

/*
 * Raw, ping, SCTP, UDP-Lite, DCCP and MPTCP sockets are refused where they are made. Of MPTCP the kernel sends what was
 * not acknowledged once more, under new numbers of TCP: the filter would read bytes twice that the server reads once.
 * It is refused in the words of a kernel that has no MPTCP, so that programs take TCP at once.
 */
static __always_inline int decide_socket(struct bpf_sock *ctx) {
	struct snif_judgement refused = snif_refuse(SNIF_REASON_SOCKET_TYPE);
	int protocol = socket_protocol(ctx->protocol), verdict;
	struct policy policy = policy_now();
	struct snif_tag tag = {}, *made;

	if (!policy.present)
		refused.reason = SNIF_REASON_NO_POLICY;
	else if (ctx->protocol == SNIF_SOCKET_MPTCP)
		refused.reason = SNIF_REASON_MPTCP;
	else if (ctx->type == SOCK_STREAM && protocol == IPPROTO_TCP)
		return HOOK_PASS;
	else if (ctx->type == SOCK_DGRAM && protocol == IPPROTO_UDP) {
		/* one that has no tag from here is as one from before the filter: what it holds back, nobody knows */
		made = bpf_sk_storage_get(&tags, ctx, NULL, BPF_SK_STORAGE_GET_F_CREATE);
		if (made)
			made->kept = 1;
		return HOOK_PASS;
	}
	/* a socket that is not made carries no tag; this one is for the event */
	tag.to.protocol = protocol;
	process_read(&tag.process);
	verdict = hook_verdict(&policy, &refused, SNIF_HOOK_SOCKET, &tag);
	if (verdict == HOOK_REFUSE && refused.reason == SNIF_REASON_MPTCP)
		bpf_set_retval(-EPROTONOSUPPORT);
	return verdict;
}

static __always_inline struct snif_judgement judge_target(struct bpf_sock_addr *ctx, const struct policy *policy,
							  const struct snif_target *to, struct snif_tag *tag) {
	struct snif_judgement lost = snif_refuse(SNIF_REASON_STATE_LOST), judgement = {};
	__u64 netns_cookie = bpf_get_netns_cookie(ctx);
	struct snif_inspection *inspection;
	struct snif_dest dest = {};

	if (!policy->present)
		return snif_refuse(SNIF_REASON_NO_POLICY);
	if (!tag)
		return lost;
	if (to->protocol != IPPROTO_TCP && to->protocol != IPPROTO_UDP)
		return snif_refuse(SNIF_REASON_SOCKET_TYPE);
	judge_address(policy, to, &dest, &judgement);
	if (judgement.verdict == SNIF_DENY)
		judge_named(policy, to, netns_cookie, 0, &judgement);
	if (judgement.verdict == SNIF_UNDECIDED)
		judge_unnamed(policy, to, netns_cookie, &judgement);
	if (judgement.verdict != SNIF_UNDECIDED)
		return judgement;
	inspection = inspection_begin(ctx->sk);
	if (!inspection)
		return lost;
	inspection->dest = dest;
	return judgement;
}

static __always_inline void tag_fill(struct snif_tag *tag, struct bpf_sock_addr *ctx, const struct snif_target *to) {
	process_read(&tag->process);
	tag->flow = bpf_get_socket_cookie(ctx);
	tag->netns_cookie = bpf_get_netns_cookie(ctx);
	tag->to = *to;
}

static __always_inline int decide_tcp(struct bpf_sock_addr *ctx, const struct policy *policy,
				      const struct snif_target *to) {
	struct snif_tag *tag = tag_renew(ctx->sk);
	struct snif_judgement judgement;
	int verdict;

	if (tag)
		tag_fill(tag, ctx, to);
	judgement = judge_target(ctx, policy, to, tag);
	if (tag) {
		tag->inspected = judgement.verdict == SNIF_UNDECIDED;
		tag_judge(tag, policy, &judgement);
	}
	if (judgement.verdict == SNIF_UNDECIDED)
		return HOOK_PASS;
	verdict = hook_verdict(policy, &judgement, SNIF_HOOK_CONNECT, tag);
	if (verdict == HOOK_REFUSE)
		bpf_sk_storage_delete(&tags, ctx->sk);
	return verdict;
}

/* A datagram to where the last one was allowed to go needs no new event. */
static __always_inline _Bool told_before(const struct snif_tag *tag, const struct policy *policy,
					 const struct snif_target *to) {
	return tag->verdict == SNIF_ALLOW && same_policy(&tag->judged_under, &policy->active) &&
	       same_place(&tag->to, to);
}

/*
 * Notes where a datagram can come to leave for elsewhere than calls were allowed under the policy in force: then egress
 * has to look. It can when one was let through unallowed, or under another policy; and when the socket is connected
 * more than once, as what is held back (MSG_MORE) goes to where it was connected first, and a sender on another thread
 * may read the old address with the new port. Of IPv4, a sender on a connected socket reads both from where what is
 * held back for another place has written its own. Each call counts before it looks: of two at once, one sees both.
 */
static __always_inline void note_stray(struct snif_tag *tag, const struct policy *policy,
				       const struct snif_judgement *judgement, enum snif_hook hook, _Bool told) {
	volatile struct snif_tag *counts = tag;
	_Bool allowed = judgement->verdict == SNIF_ALLOW;
	__u32 connects;

	if (allowed && !told)
		__sync_fetch_and_add(&tag->places, 1);
	if (hook == SNIF_HOOK_CONNECT)
		__sync_fetch_and_add(&tag->connects, 1);
	connects = counts->connects;
	if (connects > 1 || (connects > 0 && counts->places > 1) ||
	    (tag->judged_under.slot != 0 && !same_policy(&tag->judged_under, &policy->active)) ||
	    (!allowed && (hook == SNIF_HOOK_CONNECT || policy->options.mode == SNIF_AUDIT)))
		tag->kept = 0;
}

/*
 * UDP. Threads may use the socket at once, and nothing keeps their calls apart: each is judged for itself, whatever the
 * tag says, which stays the same object for as long as the socket is there.
 */
static __always_inline int decide_udp(struct bpf_sock_addr *ctx, const struct policy *policy,
				      const struct snif_target *to, enum snif_hook hook) {
	struct snif_tag *tag = tag_make(ctx->sk);
	struct snif_judgement judgement = judge_target(ctx, policy, to, tag), kept = judgement;
	_Bool allowed = judgement.verdict == SNIF_ALLOW, told;

	if (!tag)
		return hook_verdict(policy, &judgement, hook, NULL);
	told = allowed && told_before(tag, policy, to);
	if (told && hook == SNIF_HOOK_SENDMSG)
		return HOOK_PASS;
	note_stray(tag, policy, &judgement, hook, told);
	/* what egress refuses next is told again, but for what audit mode lets through: this call tells it */
	if (!allowed && (hook == SNIF_HOOK_CONNECT || policy->options.mode == SNIF_ENFORCE))
		kept.verdict = SNIF_UNDECIDED;
	tag_fill(tag, ctx, to);
	tag_judge(tag, policy, &kept);
	/*
	 * connect() of a UDP socket sends nothing, and resolvers use it to ask for source addresses: refusing it here
	 * would log names' addresses that nobody spoke to. Egress judges each datagram.
	 */
	if (!allowed && hook == SNIF_HOOK_CONNECT)
		return HOOK_PASS;
	return hook_verdict(policy, &judgement, hook, tag);
}

static __always_inline int decide_target(struct bpf_sock_addr *ctx, const struct snif_target *to, enum snif_hook hook) {
	struct policy policy = policy_now();

	if (!ctx->sk)
		return HOOK_REFUSE;
	if (hook == SNIF_HOOK_SENDMSG || to->protocol == IPPROTO_UDP)
		return decide_udp(ctx, &policy, to, hook);
	return decide_tcp(ctx, &policy, to);
}

/*
 * 0.0.0.0 and :: mean "this host", which may be any of its addresses: they are rewritten to the loopback address, so
 * that what is judged is what is reached.
 */
static __always_inline int decide_ipv4(struct bpf_sock_addr *ctx, enum snif_hook hook) {
	struct snif_target to = {.port = bpf_ntohs(ctx->user_port), .protocol = socket_protocol(ctx->protocol)};
	__u32 address = ctx->user_ip4;

	if (address == 0) {
		address = bpf_htonl(INADDR_LOOPBACK);
		ctx->user_ip4 = address;
	}
	snif_map_ipv4(to.address, &address);
	return decide_target(ctx, &to, hook);
}

static __always_inline int decide_ipv6(struct bpf_sock_addr *ctx, enum snif_hook hook) {
	struct snif_target to = {.port = bpf_ntohs(ctx->user_port), .protocol = socket_protocol(ctx->protocol)};
	__u32 address[4] = {ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3]};

	if (!(address[0] | address[1] | address[2] | address[3])) {
		address[3] = bpf_htonl(1);
		ctx->user_ip6[3] = address[3];
	} else if (!(address[0] | address[1] | address[3]) && address[2] == bpf_htonl(0xffff)) {
		address[3] = bpf_htonl(INADDR_LOOPBACK);
		ctx->user_ip6[3] = address[3];
	}
	__builtin_memcpy(to.address, address, 16);
	return decide_target(ctx, &to, hook);
}

/* Whether a connection was accepted where a DNS server of the policy answers: its SYN-ACK may have been seen by no hook. */
static __always_inline _Bool accepted_as_server(struct bpf_sock_ops *ctx, const struct policy *policy) {
	__u32 address[4] = {0, 0, bpf_htonl(0xffff), ctx->local_ip4};
	struct snif_target local = {.port = ctx->local_port, .protocol = IPPROTO_TCP};
	struct snif_judgement judgement = {};

	if (local.port != SNIF_DNS_PORT)
		return 0;
	if (ctx->family == AF_INET6) {
		address[0] = ctx->local_ip6[0];
		address[1] = ctx->local_ip6[1];
		address[2] = ctx->local_ip6[2];
		address[3] = ctx->local_ip6[3];
	}
	__builtin_memcpy(local.address, address, 16);
	judge_address(policy, &local, NULL, &judgement);
	return judgement.reason == SNIF_REASON_DNS_ALLOWED;
}

/*
 * A connection that was accepted, not opened: its packets leave without inspection, unless the policy refuses it. Then
 * its SYN-ACK was held back already, except for an IPv6 one on Linux 6.1, which shows these to no hook on egress.
 */
static __always_inline void tag_accepted(struct bpf_sock_ops *ctx) {
	struct policy policy = policy_now();
	struct snif_judgement judgement;
	struct bpf_sock *sk = ctx->sk;
	struct snif_tag *tag;
	__u32 address[4] = {0, 0, bpf_htonl(0xffff), ctx->remote_ip4};

	if (!sk || !policy.present)
		return;
	/*
	 * A connection that was opened comes here too, when the other end answers its SYN with a SYN (RFC 9293, section
	 * 3.5: a simultaneous open). It has the tag that connect() made, and keeps it.
	 */
	if (tag_of(sk))
		return;
	tag = bpf_sk_storage_get(&tags, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!tag)
		return;
	if (ctx->family == AF_INET6) {
		address[0] = ctx->remote_ip6[0];
		address[1] = ctx->remote_ip6[1];
		address[2] = ctx->remote_ip6[2];
		address[3] = ctx->remote_ip6[3];
	}
	__builtin_memcpy(tag->to.address, address, 16);
	tag->to.port = bpf_ntohl(ctx->remote_port);
	tag->flow = bpf_get_socket_cookie(ctx);
	tag->to.protocol = IPPROTO_TCP;
	tag->inbound = 1;
	judgement = snif_judge_inbound(&policy.options);
	if (accepted_as_server(ctx, &policy))
		judgement = snif_refuse(SNIF_REASON_DNS_FORGED);
	tag_judge(tag, &policy, &judgement);
	if (event_wanted(&policy, &judgement))
		event_of_call(&policy, &judgement, SNIF_HOOK_EGRESS, tag);
}

#endif
