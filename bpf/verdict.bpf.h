/* SPDX-License-Identifier: GPL-2.0-only */
/* Tag + TCP payload ──► the parser ──► the name ──► a verdict, kept in the tag. */
#ifndef SNIF_VERDICT_BPF_H
#define SNIF_VERDICT_BPF_H

#include "event.bpf.h"
#include "tag.bpf.h"

#define HELLOS_PER_PACKET 4 /* no client sends more than one; more than these are refused */

static __always_inline struct snif_judgement refuse(enum snif_reason reason) {
	return (struct snif_judgement){SNIF_DENY, reason, 0};
}

/* What the policy says of the ClientHello in the tag. */
SNIF_SUBPROGRAM int judge_hello(const struct policy *policy, const struct snif_tag *tag, struct snif_judgement *out) {
	if (!policy || !tag || !out)
		return 0;
	if (tag->hello.ech && policy->settings.ech_deny)
		*out = refuse(SNIF_REASON_ECH_DENIED);
	else
		*out = snif_judge_name(policy->active.slot, policy->settings.hash_key, tag->hello.name,
				       tag->hello.name_length, &tag->dest);
	return 0;
}

struct inspection {
	const struct policy *policy;
	struct snif_tag *tag;
	const struct packet *packet;
	struct snif_segment segment;
	struct snif_judgement judgement; /* UNDECIDED: the packet may pass, the parser wants more */
};

/* One ClientHello of the packet, or what is there of it. */
static inline long inspect_step(__u32 index, void *context) {
	struct inspection *inspection = context;
	struct snif_judgement *judgement = &inspection->judgement;
	struct snif_tag *tag = inspection->tag;
	struct snif_hello *hello = &tag->hello;
	__u32 rule = tag->rule;

	snif_hello_feed(&inspection->segment);
	if (hello->status == SNIF_HELLO_REFUSED)
		*judgement = refuse(hello->reason);
	if (hello->status != SNIF_HELLO_READ)
		return SNIF_STOP;
	judge_hello(inspection->policy, tag, judgement);
	if (judgement->verdict != SNIF_ALLOW)
		return SNIF_STOP;
	tag_judge(tag, inspection->policy, *judgement);
	/* after a HelloRetryRequest the same name comes again: one flow, one event */
	if (hello->hellos == 1 || rule != judgement->rule)
		event_emit(inspection->policy, judgement, SNIF_HOOK_EGRESS, tag, inspection->packet);
	snif_hello_continue(hello);
	if (index == HELLOS_PER_PACKET - 1)
		*judgement = refuse(SNIF_REASON_SCAN_LIMIT);
	return SNIF_NEXT;
}

/*
 * Where the packet's payload begins in the stream, relative to what was parsed: bytes to pass over as parsed already.
 * The SYN sets the position; data in it (TCP Fast Open) comes behind its own sequence number.
 */
static __always_inline enum snif_reason payload_position(struct snif_tag *tag, const struct packet *packet,
							 __u32 *parsed) {
	__u32 first = packet->sequence;
	__s32 ahead;

	if (packet->flags & TCP_SYN) {
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
 * Inspects a packet of a connection whose ClientHellos are not all read. Writes a refusal, or UNDECIDED or ALLOW: the
 * packet may pass.
 */
SNIF_SUBPROGRAM int inspect(struct __sk_buff *skb, const struct policy *policy, struct snif_tag *tag,
			    const struct packet *packet, struct snif_judgement *out) {
	struct inspection inspection = {.policy = policy, .tag = tag, .packet = packet};
	enum snif_reason reason;
	__u32 parsed = 0;

	if (!policy || !tag || !packet || !out)
		return 0;
	if (packet->flags & TCP_URG) {
		*out = refuse(SNIF_REASON_URGENT_DATA);
		return 0;
	}
	reason = payload_position(tag, packet, &parsed);
	if (packet->end > packet->payload && reason != SNIF_REASON_NONE) {
		*out = refuse(reason);
		return 0;
	}
	if (packet->end - packet->payload > parsed) {
		inspection.segment.hello = &tag->hello;
		inspection.segment.source = skb;
		inspection.segment.offset = packet->payload + parsed;
		inspection.segment.end = packet->end;
		snif_loop(HELLOS_PER_PACKET, inspect_step, &inspection);
		tag->next_sequence += packet->end - packet->payload - parsed;
	}
	*out = inspection.judgement;
	if (out->verdict == SNIF_DENY)
		return 0;
	if (tag->hello.status == SNIF_HELLO_OVER)
		tag->settled = tag->verdict == SNIF_ALLOW;
	else if ((packet->flags & (TCP_FIN | TCP_RST)) && tag->hello.hellos == 0 && tag->hello.size > 0)
		*out = refuse(SNIF_REASON_HELLO_INCOMPLETE);
	return 0;
}

/*
 * The policy was reloaded since the tag was judged: judge again, by what the tag remembers. A refusal stays. A
 * connection that was let through without inspection and would now be inspected cannot be: its beginning is gone.
 */
static __always_inline struct snif_judgement judge_again(const struct policy *policy, struct snif_tag *tag) {
	struct snif_judgement judgement = {};

	if (tag->verdict == SNIF_DENY)
		return (struct snif_judgement){SNIF_DENY, tag->reason, tag->rule};
	if (tag->inbound)
		return policy->settings.inbound_deny
			       ? refuse(SNIF_REASON_INBOUND_DENIED)
			       : (struct snif_judgement){SNIF_ALLOW, SNIF_REASON_INBOUND_ALLOWED, 0};
	judge_address(policy, &tag->to, &tag->dest, &judgement);
	if (judgement.verdict != SNIF_UNDECIDED)
		return judgement;
	if (!tag->inspected)
		return refuse(SNIF_REASON_UNTRACKED);
	/* no name yet, or a second ClientHello's is taking its place: that one will be judged when it is complete */
	if (tag->hello.hellos == 0 || tag->hello.named || tag->hello.field == SNIF_FIELD_SNI_NAME)
		return judgement;
	judge_hello(policy, tag, &judgement);
	return judgement;
}

#endif
