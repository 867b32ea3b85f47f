/* SPDX-License-Identifier: GPL-2.0-only */
/* A decision ──► a counter and a record in the ring buffer. */
#ifndef SNIF_EVENT_BPF_H
#define SNIF_EVENT_BPF_H

#include "packet.bpf.h"
#include "tables.bpf.h"

static __always_inline void count(__u32 counter) {
	__u64 *value = bpf_map_lookup_elem(&counters, &counter);

	/* atomic although per CPU: a packet sent in softirq can come between */
	if (value)
		__sync_fetch_and_add(value, 1);
}

/* Counts the decision and reserves its event, with everything that does not come from a tag or packet. */
static __always_inline struct snif_event *event_begin(const struct policy *policy,
						      const struct snif_judgement *judgement, enum snif_hook hook) {
	struct snif_event *event;

	count(judgement->reason);
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		count(SNIF_COUNTER_LOST);
		return NULL;
	}
	__builtin_memset(event, 0, sizeof(*event));
	event->time = bpf_ktime_get_ns();
	event->active = policy->active;
	event->mode = policy->settings.mode;
	event->hook = hook;
	event->verdict = judgement->verdict;
	event->reason = judgement->reason;
	event->rule = judgement->rule;
	return event;
}

static __always_inline void event_add_hello(struct snif_event *event, const struct snif_hello *hello) {
	if (hello->size == 0 && hello->hellos == 0)
		return;
	event->flags |= SNIF_EVENT_HELLO;
	if (hello->ech)
		event->flags |= SNIF_EVENT_ECH;
	event->version = hello->version;
	event->name_length = hello->name_length;
	__builtin_memcpy(event->name, hello->name, sizeof(event->name));
}

/* `packet` is NULL in the connect hooks; `tag` is NULL where none could be made. */
SNIF_SUBPROGRAM int event_emit(const struct policy *policy, const struct snif_judgement *judgement, enum snif_hook hook,
			       const struct snif_tag *tag, const struct packet *packet) {
	struct snif_event *event;

	if (!policy || !judgement)
		return 0;
	event = event_begin(policy, judgement, hook);
	if (!event)
		return 0;
	if (tag) {
		event->flow = tag->flow;
		event->netns_cookie = tag->netns_cookie;
		event->process = tag->process;
		event->protocol = tag->to.protocol;
		event->destination_port = tag->to.port;
		__builtin_memcpy(event->destination, tag->to.address, 16);
		event_add_hello(event, &tag->hello);
	}
	if (packet) {
		event->protocol = packet->to.protocol;
		event->interface = packet->interface;
		event->source_port = packet->source_port;
		__builtin_memcpy(event->source, packet->source, 16);
		/* of a source-routed packet, only the tag has the socket's own destination */
		if (!tag || tag->to.protocol != IPPROTO_TCP) {
			event->destination_port = packet->to.port;
			__builtin_memcpy(event->destination, packet->to.address, 16);
		}
	}
	bpf_ringbuf_submit(event, 0);
	return 0;
}

#endif
