/* SPDX-License-Identifier: GPL-2.0-only */
/* A decision ──► a counter and a record in the ring buffer. */
#ifndef SNIF_EVENT_BPF_H
#define SNIF_EVENT_BPF_H

#include "packet.bpf.h"
#include "tag.bpf.h"

static __always_inline void count(const struct policy *policy, __u32 counter) {
	__u32 number = policy->number;
	struct snif_counters *found = bpf_map_lookup_elem(&counters, &number);

	/* atomic although per CPU: a packet sent in softirq can come between */
	if (found)
		__sync_fetch_and_add(&found->of[counter & 63], 1);
}

/* Counts the decision. Returns whether there is to be an event of it: event_of_call() or event_of_packet(). */
static __always_inline _Bool event_wanted(const struct policy *policy, const struct snif_judgement *judgement) {
	count(policy, judgement->reason);
	return judgement->verdict != SNIF_ALLOW || !policy->options.skip_allowed;
}

/* Room for an event in the ring of the attachment at hand; NULL: that is full. `size` is a constant, for the verifier. */
static __always_inline struct snif_event *event_room(__u64 size) {
	const struct snif_attachment *attachment = bpf_get_local_storage(&attachments, 0);
	__u32 number = attachment->ring;
	void *ring = bpf_map_lookup_elem(&rings, &number);

	return ring ? bpf_ringbuf_reserve(ring, size, 0) : NULL;
}

/* Fills everything but the name that does not come from a tag or packet. */
static __always_inline void event_begin(struct snif_event *event, const struct policy *policy,
					const struct snif_judgement *judgement, enum snif_hook hook) {
	__builtin_memset(event, 0, SNIF_EVENT_NAMELESS);
	event->time = bpf_ktime_get_ns();
	event->active = policy->active;
	event->mode = policy->options.mode;
	event->hook = hook;
	event->verdict = judgement->verdict;
	event->reason = judgement->reason;
	event->rule = judgement->rule;
}

static __always_inline void event_add_tag(struct snif_event *event, const struct snif_tag *tag) {
	event->flow = tag->flow;
	event->netns_cookie = tag->netns_cookie;
	event->process = tag->process;
	event->protocol = tag->to.protocol;
	event->destination_port = tag->to.port;
	__builtin_memcpy(event->destination, tag->to.address, 16);
}

/* Of a source-routed packet, only the tag has the socket's own destination. */
static __always_inline void event_add_packet(struct snif_event *event, const struct snif_tag *tag,
					     const struct snif_packet *packet) {
	event->protocol = packet->to.protocol;
	event->interface = packet->interface;
	event->source_port = packet->source_port;
	__builtin_memcpy(event->source, packet->source, 16);
	if (!tag || tag->to.protocol != IPPROTO_TCP) {
		event->destination_port = packet->to.port;
		__builtin_memcpy(event->destination, packet->to.address, 16);
	}
}

static __always_inline void event_add_hello(struct snif_event *event, const struct snif_hello *hello) {
	event->flags |= SNIF_EVENT_HELLO;
	if (hello->ech)
		event->flags |= SNIF_EVENT_ECH;
	event->version = hello->version;
	event->name_length = hello->name_length;
}

/*
 * A decision on a call, for which there is to be an event: `tag` is NULL where none could be made, `object` a union
 * snif_object.
 */
SNIF_SUBPROGRAM int event_of_call_on(const struct policy *policy, const struct snif_judgement *judgement,
				     enum snif_hook hook, const struct snif_tag *tag, __u64 object) {
	struct snif_event *event;

	if (!policy || !judgement)
		return 0;
	event = event_room(SNIF_EVENT_NAMELESS);
	if (!event) {
		count(policy, SNIF_COUNTER_LOST);
		return 0;
	}
	event_begin(event, policy, judgement, hook);
	event->object.bits = object;
	if (tag)
		event_add_tag(event, tag);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

static __always_inline void event_of_call(const struct policy *policy, const struct snif_judgement *judgement,
					  enum snif_hook hook, const struct snif_tag *tag) {
	event_of_call_on(policy, judgement, hook, tag, 0);
}

/* An event with room for the name of the hello that was read, which is copied. NULL: the ring is full. */
static __always_inline struct snif_event *event_reserve(const struct snif_inspection *read) {
	struct snif_event *event;

	if (!read)
		return event_room(SNIF_EVENT_NAMELESS);
	if (read->hello.name_length <= SNIF_EVENT_SHORT_NAME) {
		event = event_room(SNIF_EVENT_SHORT);
		if (event)
			__builtin_memcpy(event->name, read->hello.name, SNIF_EVENT_SHORT_NAME);
		return event;
	}
	event = event_room(SNIF_EVENT_NAMED);
	if (event)
		__builtin_memcpy(event->name, read->hello.name, sizeof(event->name));
	return event;
}

/* The same of a packet. */
SNIF_SUBPROGRAM int event_of_packet(struct __sk_buff *skb, const struct policy *policy,
				    const struct snif_judgement *judgement, const struct snif_tag *tag,
				    const struct snif_packet *packet) {
	struct bpf_sock *socket = skb->sk;
	const struct snif_inspection *inspection = socket ? inspection_of(socket) : NULL;
	struct snif_event *event;

	if (!policy || !judgement || !packet)
		return 0;
	if (inspection && inspection->hello.size == 0 && inspection->hello.hellos == 0)
		inspection = NULL;
	event = event_reserve(inspection);
	if (!event) {
		count(policy, SNIF_COUNTER_LOST);
		return 0;
	}
	event_begin(event, policy, judgement, SNIF_HOOK_EGRESS);
	if (tag)
		event_add_tag(event, tag);
	event_add_packet(event, tag, packet);
	if (inspection) {
		event_add_hello(event, &inspection->hello);
		if (inspection->unbound)
			event->flags |= SNIF_EVENT_UNBOUND;
	}
	bpf_ringbuf_submit(event, 0);
	return 0;
}

#endif
