/* SPDX-License-Identifier: GPL-2.0-only */
/* Tag + TCP payload ──► the parser ──► the name ──► a verdict, kept in the tag. */
#ifndef SNIF_VERDICT_BPF_H
#define SNIF_VERDICT_BPF_H

#include "binding.bpf.h"
#include "budget.bpf.h"
#include "event.bpf.h"
#include "tag.bpf.h"

#define HELLOS_PER_PACKET 4 /* no client sends more than one; more than these are refused */

/* What the policy's rules say of the last ClientHello. Returns whether its address has to have been found, too. */
SNIF_SUBPROGRAM int judge_by_rules(const struct policy *policy, const struct snif_tag *tag,
				   struct snif_inspection *inspection, struct snif_judgement *out) {
	const struct snif_settings *found;
	struct snif_request request;
	__u32 slot;

	if (!policy || !tag || !inspection || !out)
		return 0;
	slot = policy->active.slot;
	found = settings_of(slot);
	if (!found) {
		*out = snif_refuse(SNIF_REASON_NO_POLICY);
		return 0;
	}
	request = (struct snif_request){.hello = &inspection->hello, .to = &tag->to, .dest = &inspection->dest};
	*out = snif_judge_hello_by(&inspection->match, slot, found, &request);
	return found->dns.bind != SNIF_BIND_OFF && out->verdict == SNIF_ALLOW;
}

/* What the policy says of it; `again`: of a connection that was allowed before. Two calls, for the sake of the stack. */
static __always_inline void judge_hello(const struct policy *policy, const struct snif_tag *tag,
					struct snif_inspection *inspection, _Bool again, struct snif_judgement *out) {
	if (judge_by_rules(policy, tag, inspection, out))
		judge_bound(policy, tag, inspection, again, out);
}

/*
 * Where the packet's payload begins in the stream, relative to what was parsed: bytes to pass over as parsed already.
 * The SYN sets the position; data in it (TCP Fast Open) comes behind its own sequence number.
 */
static __always_inline enum snif_reason payload_position(struct snif_tag *tag, const struct snif_packet *packet,
							 __u32 *parsed) {
	__u32 first = packet->sequence;
	__s32 ahead;

	if (packet->flags & SNIF_TCP_SYN) {
		first++;
		if (!tag->has_syn) {
			tag->next_sequence = first;
			tag->has_syn = 1;
		}
	}
	if (!tag->has_syn)
		return SNIF_REASON_UNTRACKED;
	ahead = (__s32)(first - tag->next_sequence);
	if (ahead > 0)
		return SNIF_REASON_SEQUENCE_GAP;
	*parsed = -ahead;
	return SNIF_REASON_NONE;
}

/*
 * Reads on in the packet's payload, from where the parser stands to the end, or until a ClientHello is complete. Writes
 * why the packet is refused, or SNIF_REASON_NONE.
 */
SNIF_SUBPROGRAM int read_hello(struct __sk_buff *skb, struct snif_tag *tag, struct snif_inspection *inspection,
			       const struct snif_packet *packet, enum snif_reason *out) {
	enum snif_reason reason;
	__u32 parsed = 0, begin;

	if (!tag || !inspection || !packet || !out)
		return 0;
	reason = payload_position(tag, packet, &parsed);
	if (packet->end > packet->payload && reason != SNIF_REASON_NONE) {
		*out = reason;
		return 0;
	}
	*out = SNIF_REASON_NONE;
	if (packet->end - packet->payload <= parsed)
		return 0;
	begin = packet->payload + parsed;
	snif_tls_feed(&inspection->hello, skb, begin, packet->end);
	tag->next_sequence += inspection->hello.offset - begin;
	if (inspection->hello.status == SNIF_HELLO_REFUSED)
		*out = inspection->hello.reason;
	return 0;
}

/*
 * Inspects a packet of a connection whose ClientHellos are not all read. Writes a refusal, or UNDECIDED or ALLOW: the
 * packet may pass.
 */
SNIF_SUBPROGRAM int inspect(struct __sk_buff *skb, const struct policy *policy, struct snif_tag *tag,
			    const struct snif_packet *packet, struct snif_judgement *out) {
	struct bpf_sock *socket = skb->sk;
	struct snif_inspection *inspection = socket ? inspection_of(socket) : NULL;
	enum snif_reason reason = SNIF_REASON_SCAN_LIMIT, refused;
	struct snif_hello *hello;
	__u32 rule;

	if (!policy || !tag || !packet || !out)
		return 0;
	if (!inspection || (packet->flags & SNIF_TCP_URG)) {
		*out = snif_refuse(inspection ? SNIF_REASON_URGENT_DATA : SNIF_REASON_STATE_LOST);
		return 0;
	}
	if ((packet->flags & SNIF_TCP_SYN) && (refused = snif_packet_syn(skb, packet)) != SNIF_REASON_NONE) {
		*out = snif_refuse(refused);
		return 0;
	}
	hello = &inspection->hello;
	hello->rules = policy->options.hello;
	hello->rules.postgres = inspection->dest.postgres;
	for (int i = 0; i < HELLOS_PER_PACKET; i++) {
		read_hello(skb, tag, inspection, packet, &reason);
		if (reason != SNIF_REASON_NONE || hello->status != SNIF_HELLO_READ)
			break;
		rule = tag->rule;
		judge_hello(policy, tag, inspection, 0, out);
		if (out->verdict != SNIF_ALLOW)
			return 0;
		tag_judge(tag, policy, out);
		budget_give_back(inspection);
		/* after a HelloRetryRequest the same name comes again: one flow, one event */
		if ((hello->hellos == 1 || rule != out->rule) && event_wanted(policy, out))
			event_of_packet(skb, policy, out, tag, packet);
		snif_tls_continue(hello);
		if (hello->offset >= packet->end)
			break;
		reason = SNIF_REASON_SCAN_LIMIT;
	}
	if (reason != SNIF_REASON_NONE) {
		*out = snif_refuse(reason);
	} else if (hello->status == SNIF_HELLO_OVER && tag->verdict == SNIF_ALLOW) {
		tag->settled = 1;
		inspection_end(socket, tag, hello);
	} else if ((packet->flags & (SNIF_TCP_FIN | SNIF_TCP_RST)) && hello->hellos == 0 && hello->size > 0) {
		*out = snif_refuse(SNIF_REASON_HELLO_INCOMPLETE);
	} else if (hello->hellos == 0 && packet->end > packet->payload &&
		   !budget_take(inspection, packet->end - packet->payload)) {
		*out = snif_refuse(SNIF_REASON_HELLO_BUDGET);
	}
	return 0;
}

/* Of an inspected connection: by the name that was read, if one was. */
static __always_inline void judge_name_again(const struct policy *policy, struct bpf_sock *socket, struct snif_tag *tag,
					     struct snif_judgement *out) {
	struct snif_inspection *inspection = inspection_again(socket, tag);
	const struct snif_hello *hello;

	if (!inspection) {
		*out = snif_refuse(SNIF_REASON_STATE_LOST);
		return;
	}
	hello = &inspection->hello;
	judge_address(policy, &tag->to, &inspection->dest, out);
	/* no name yet, or a second ClientHello's is taking its place: that one will be judged when it is complete */
	if (out->verdict == SNIF_UNDECIDED && hello->hellos > 0 && !hello->named && hello->field != SNIF_FIELD_SNI_NAME)
		judge_hello(policy, tag, inspection, 1, out);
	if (out->verdict == SNIF_DENY)
		return;
	tag_judge(tag, policy, out);
	if (out->verdict == SNIF_ALLOW && hello->status == SNIF_HELLO_OVER) {
		tag->settled = 1;
		inspection_end(socket, tag, hello);
	}
}

/*
 * What was open before the attachment and was to be kept stays until a rule denies where it goes: that no rule allows
 * that is what it was kept for.
 */
static __always_inline void judge_kept_again(const struct policy *policy, struct snif_tag *tag,
					     struct snif_judgement *out) {
	__u8 told = tag->settled;

	judge_address(policy, &tag->to, NULL, out);
	if (out->reason == SNIF_REASON_ADDRESS_DENIED)
		return;
	*out = (struct snif_judgement){SNIF_ALLOW, SNIF_REASON_CONNECTION_KEPT, 0};
	tag_judge(tag, policy, out);
	tag->settled = told;
}

/*
 * The policy was reloaded since the tag was judged: judges it again, by what it remembers, and writes the judgement
 * into it unless that is a new refusal. A refusal stays. A connection that was let through without inspection and would
 * now be inspected cannot be: its beginning is gone.
 */
static __always_inline void judge_again(const struct policy *policy, struct bpf_sock *socket, struct snif_tag *tag,
					struct snif_judgement *out) {
	if (tag->verdict == SNIF_DENY) {
		tag->judged_under = policy->active;
		*out = (struct snif_judgement){SNIF_DENY, tag->reason, tag->rule};
		return;
	}
	if (tag->inspected) {
		judge_name_again(policy, socket, tag, out);
		return;
	}
	if (tag->reason == SNIF_REASON_CONNECTION_KEPT) {
		judge_kept_again(policy, tag, out);
		return;
	}
	if (tag->inbound) {
		*out = snif_judge_inbound(&policy->options);
	} else {
		judge_address(policy, &tag->to, NULL, out);
		judge_named(policy, &tag->to, tag->netns_cookie, 1, out);
	}
	if (out->verdict == SNIF_UNDECIDED)
		*out = snif_refuse(SNIF_REASON_UNTRACKED);
	if (out->verdict == SNIF_ALLOW)
		tag_judge(tag, policy, out);
}

#endif
