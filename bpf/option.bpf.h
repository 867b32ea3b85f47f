/* SPDX-License-Identifier: GPL-2.0-only */
/* setsockopt() ──► options that put something between what is judged and the wire ──► EPERM, or the kernel's answer. */
#ifndef SNIF_OPTION_BPF_H
#define SNIF_OPTION_BPF_H

#include "connect.bpf.h"

/* Of a longer value the kernel shows a program only the first page, and fails the call unless told to use its own. */
#define OPTION_SHOWN 4096

#define FLOW_LABEL_LENGTH 32 /* of struct in6_flowlabel_req */

/* A function that is verified once: what follows is then gone through for any rule, not for each option. */
SNIF_SUBPROGRAM int option_rule(__u32 level, __u32 option) {
	if (level > 0xffff || option > 0xffff)
		return SNIF_OPTION_ANY;
	switch (level << 16 | option) {
#define X(level, option, name, rule)                                                                                   \
	case level << 16 | option:                                                                                     \
		return rule;
		SNIF_OPTIONS(X)
#undef X
	default:
		return SNIF_OPTION_ANY;
	}
}

/* Copies bytes of the value; what is behind its end is 0. Returns whether there can be so many. */
static __always_inline _Bool option_read(struct bpf_sockopt *ctx, __u32 at, void *to, const __u32 size) {
	const __u8 *from = (const __u8 *)ctx->optval + at;

	if (from + size > (const __u8 *)ctx->optval_end)
		return 0;
	__builtin_memcpy(to, from, size);
	return 1;
}

/* The group that a socket wants to be in, judged as a datagram to it and to the port where the socket listens. */
static __always_inline _Bool group_allowed(struct bpf_sockopt *ctx, enum snif_option_rule rule,
					   const struct policy *policy, struct snif_target *to, __u32 *decided_by) {
	struct snif_judgement judgement = {};
	_Bool storage = rule == SNIF_OPTION_GROUP_STORAGE;
	__u32 address = 0;

	to->protocol = IPPROTO_UDP;
	to->port = ctx->sk->src_port;
	/* struct sockaddr_storage is at 8 of the structures for groups, and in it the address at 4 of IPv4, 8 of IPv6 */
	if (ctx->level == SNIF_LEVEL_IPV6) {
		if (!option_read(ctx, storage ? 16 : 0, to->address, 16))
			return 0;
	} else {
		if (!option_read(ctx, storage ? 12 : 0, &address, 4))
			return 0;
		snif_map_ipv4(to->address, &address);
	}
	judge_address(policy, to, NULL, &judgement);
	*decided_by = judgement.rule;
	return judgement.verdict == SNIF_ALLOW;
}

static __always_inline _Bool option_allowed(struct bpf_sockopt *ctx, enum snif_option_rule rule,
					    const struct policy *policy, struct snif_tag *told, __u32 *decided_by) {
	const struct snif_tag *tag = tag_of(ctx->sk);
	__u32 value[4] = {};

	/* the kernel would read it once more from the program's memory, where other words can stand by then */
	if (ctx->optlen > OPTION_SHOWN)
		return 0;
	option_read(ctx, 0, value, 16);
	switch (rule) {
	case SNIF_OPTION_ZERO:
		return value[0] == 0;
	case SNIF_OPTION_ZERO_OF_TCP:
		return value[0] == 0 || ctx->sk->type != SOCK_STREAM;
	case SNIF_OPTION_EMPTY:
		return ctx->optlen == 0;
	case SNIF_OPTION_NO_ADDRESS:
		return !(value[0] | value[1] | value[2] | value[3]);
	case SNIF_OPTION_FLOW_LABEL:
		return ctx->optlen <= FLOW_LABEL_LENGTH;
	case SNIF_OPTION_TLS_ULP:
		return value[0] == bpf_htonl(0x746c7300); /* and a NUL */
	case SNIF_OPTION_SETTLED:
		return tag && tag->settled;
	default:
		return group_allowed(ctx, rule, policy, &told->to, decided_by);
	}
}

/* Who sets the option, and of which socket, for the event. */
static __always_inline void option_tag(struct bpf_sockopt *ctx, struct snif_tag *told) {
	const struct snif_tag *tag = tag_of(ctx->sk);

	process_read(&told->process);
	told->to.protocol = socket_protocol(ctx->sk->protocol);
	if (!tag)
		return;
	told->flow = tag->flow;
	told->netns_cookie = tag->netns_cookie;
}

static __always_inline int option_refuse_unless_allowed(struct bpf_sockopt *ctx, enum snif_option_rule rule) {
	struct snif_judgement refused = snif_refuse(SNIF_REASON_SOCKET_OPTION);
	union snif_object object = {.level = ctx->level, .option = ctx->optname};
	struct policy policy = policy_now();
	struct snif_tag told = {};

	option_tag(ctx, &told);
	if (!policy.present)
		refused.reason = SNIF_REASON_NO_POLICY;
	else if (option_allowed(ctx, rule, &policy, &told, &refused.rule))
		return HOOK_PASS;
	return hook_verdict_on(&policy, &refused, SNIF_HOOK_SETSOCKOPT, &told, object.bits);
}

static __always_inline int decide_option(struct bpf_sockopt *ctx) {
	enum snif_option_rule rule = (enum snif_option_rule)option_rule(ctx->level, ctx->optname);
	__u32 family = ctx->sk->family;
	int verdict = HOOK_PASS;

	if (rule != SNIF_OPTION_ANY && (family == AF_INET || family == AF_INET6))
		verdict = option_refuse_unless_allowed(ctx, rule);
	if (verdict == HOOK_PASS && ctx->optlen > OPTION_SHOWN)
		ctx->optlen = 0; /* the kernel takes the value as the program has it */
	return verdict;
}

#endif
