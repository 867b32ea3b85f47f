/* SPDX-License-Identifier: GPL-2.0-only */
/* Questions as they leave ──► which may, and which answers are waited for. */
#ifndef SNIF_QUESTION_BPF_H
#define SNIF_QUESTION_BPF_H

#include "binding.bpf.h"
#include "flow.bpf.h"

/* Where a question goes, and what of the packet it is. */
struct question_place {
	struct snif_target server;
	__u32 begin, end; /* offsets in the packet */
	__u32 segment_end;
};

/* Writes into the workspace which question its message is, or is the answer to. */
static __always_inline void question_write(struct __sk_buff *skb, struct workspace *workspace, const __u8 server[16],
					   __u16 port) {
	struct snif_question *question = &workspace->question;

	question->socket = bpf_get_socket_cookie(skb);
	question->sum = workspace->dns.asked;
	__builtin_memcpy(question->server, server, 16);
	question->port = port;
	question->id = workspace->dns.id;
	question->type = workspace->dns.type;
}

/*
 * Remembers the question in the workspace, whose answer is for `name`. A function for the sake of the stack, but not a global
 * one: there the workspace is no map's, in which Linux 6.1 looks for keys.
 */
static __attribute__((noinline)) int question_remember(struct __sk_buff *skb, struct workspace *workspace,
						       const struct policy *policy, const struct snif_target *server,
						       __u64 name) {
	__u32 number = policy->number;
	void *inner = bpf_map_lookup_elem(&questions, &number);
	const struct snif_settings *found = settings_of(policy->active.slot);
	struct snif_asked *asked = &workspace->asked;
	__u32 group = workspace->match.best.zone;

	if (!inner || !found)
		return 0;
	question_write(skb, workspace, server->address, server->port);
	asked->name = name;
	asked->rule = workspace->match.best.rule;
	asked->generation = policy->active.generation;
	asked->group = group ? snif_bound_group(found->group_rules, group) : 0;
	bpf_map_update_elem(inner, &workspace->question, asked, BPF_ANY);
	return 0;
}

static __always_inline enum snif_reason question_refusal(struct workspace *workspace, const struct policy *policy,
							 const struct snif_tag *tag, _Bool allowed,
							 const struct snif_dns_rules *rules) {
	enum snif_reason reason = snif_judge_question(rules, workspace->dns.type, allowed);

	if (reason == SNIF_REASON_DNS_NAME && workspace->dns.type == SNIF_DNS_PTR && rules->bind != SNIF_BIND_OFF &&
	    reverse_is_bound(workspace, policy, tag))
		return SNIF_REASON_NONE;
	return reason;
}

/* Reads the question into the workspace, and remembers it where it may be asked. */
static __always_inline enum snif_reason question_judge(struct __sk_buff *skb, struct workspace *workspace,
						       const struct policy *policy, const struct snif_tag *tag,
						       const struct question_place *place) {
	__u32 slot = policy->active.slot, length = place->end - place->begin;
	const struct snif_settings *found = settings_of(slot), *keys = instance_keys();
	struct snif_dns *dns = &workspace->dns;
	enum snif_reason reason;
	_Bool allowed, binds;

	if (!found || !keys)
		return SNIF_REASON_STATE_LOST;
	dns->name_length = dns->type = 0;
	dns->key = keys->hash_key[0] | 1;
	if (message_load(skb, place->begin, dns, length, SNIF_DNS_QUESTION) != 0 || !snif_dns_read_question(dns, 0) ||
	    dns->unclear || snif_name_normalise_by(&workspace->scan, dns->name, &dns->name_length) != SNIF_REASON_NONE)
		return found->dns.names_policy ? SNIF_REASON_DNS_QUESTION : SNIF_REASON_NONE;
	allowed = snif_may_look_up(&workspace->match, slot, found, dns->name, dns->name_length);
	reason = question_refusal(workspace, policy, tag, allowed, &found->dns);
	binds = reason == SNIF_REASON_NONE && allowed && found->dns.bind != SNIF_BIND_OFF;
	if (binds || (found->dns.log_answers && (reason == SNIF_REASON_NONE || policy->options.mode == SNIF_AUDIT)))
		question_remember(skb, workspace, policy, &place->server,
				  binds ? snif_bound_name(snif_name_hash_by(&workspace->hashing, keys->hash_key,
									    dns->name, dns->name_length))
					: SNIF_BOUND_ANY);
	return reason;
}

static __always_inline void event_of_question(const struct policy *policy, const struct snif_judgement *judgement,
					      const struct snif_tag *tag, const struct question_place *place,
					      const struct snif_dns *dns) {
	struct snif_event *event = event_room(SNIF_EVENT_NAMED);

	if (!event) {
		count(policy, SNIF_COUNTER_LOST);
		return;
	}
	event_begin(event, policy, judgement, SNIF_HOOK_EGRESS);
	event_add_tag(event, tag);
	__builtin_memcpy(event->destination, place->server.address, 16);
	event->destination_port = place->server.port;
	event->flags = SNIF_EVENT_DNS;
	event->object.dns.type = dns->type;
	event->object.dns.id = dns->id;
	event->name_length = dns->name_length;
	__builtin_memcpy(event->name, dns->name, sizeof(event->name));
	bpf_ringbuf_submit(event, 0);
}

/* Judges one question to a server of the policy, and tells it when it is refused. Writes the judgement. */
SNIF_SUBPROGRAM int ask(struct __sk_buff *skb, const struct policy *policy, const struct snif_tag *tag,
			const struct question_place *place, struct snif_judgement *out) {
	struct workspace *workspace;
	enum snif_reason reason;

	if (!reads_dns || !policy || !tag || !place || !out)
		return 0;
	workspace = workspace_claim();
	if (!workspace) {
		*out = snif_refuse(SNIF_REASON_STATE_LOST);
		return 0;
	}
	reason = question_judge(skb, workspace, policy, tag, place);
	*out = (struct snif_judgement){SNIF_ALLOW, SNIF_REASON_DNS_ALLOWED, tag->rule};
	if (reason != SNIF_REASON_NONE) {
		*out = snif_refuse(reason);
		out->rule = snif_question_rule(reason, &workspace->match.best);
		if (event_wanted(policy, out))
			event_of_question(policy, out, tag, place, &workspace->dns);
	}
	workspace_release(workspace);
	return 0;
}

/*
 * Where the questions of a packet go, and what the rules say of that: by the tag, as netfilter may have written elsewhere
 * on it. Of TCP the caller has seen to it that it goes there.
 */
static __always_inline void question_server(struct __sk_buff *skb, const struct policy *policy,
					    const struct snif_tag *tag, const struct snif_packet *packet,
					    struct snif_target *server, struct snif_judgement *out) {
	_Bool tcp = packet->to.protocol == IPPROTO_TCP;

	*server = tag->to;
	if (tcp || sent_as_called(skb, packet, tag)) {
		judge_address(policy, server, NULL, out);
		if (tcp || out->reason == SNIF_REASON_DNS_ALLOWED)
			return;
	}
	*server = packet->to;
	judge_address(policy, server, NULL, out);
}

/* Whether a segment has the server read other bytes, or in another order. A function for the sake of the stack. */
SNIF_SUBPROGRAM int is_read_otherwise(struct __sk_buff *skb, const struct snif_packet *packet) {
	if (!packet)
		return 1;
	if (packet->flags & SNIF_TCP_URG)
		return 1;
	return (packet->flags & SNIF_TCP_SYN) && snif_packet_syn(skb, packet) != SNIF_REASON_NONE;
}

/*
 * Goes on to the question behind the one at hand: of no bytes, which is none, where it is not whole in this segment, or
 * there may be no more. A function that is verified once, not for each of them.
 */
SNIF_SUBPROGRAM int question_next(struct __sk_buff *skb, struct question_place *place, _Bool last) {
	__u8 length[2];
	__u32 begin;

	if (!place)
		return 0;
	begin = place->end + 2;
	place->begin = place->end = place->segment_end;
	if (last || bpf_skb_load_bytes(skb, begin - 2, length, 2) || begin + snif_be16(length) > place->segment_end)
		return 0;
	place->begin = begin;
	place->end = begin + snif_be16(length);
	return 0;
}

/*
 * Judges what a packet asks the policy's DNS servers. Over TCP a segment holds whole messages, as clients send them:
 * then it can be read for itself, whatever was sent before. Writes the judgement. Returns 0 where it goes to no such
 * server, and is to be judged by its address.
 */
SNIF_SUBPROGRAM int ask_packet(struct __sk_buff *skb, const struct policy *policy, const struct snif_tag *tag,
			       const struct snif_packet *packet, struct snif_judgement *out) {
	struct question_place place = {};

	if (!reads_dns || !policy || !tag || !packet || !out)
		return 0;
	question_server(skb, policy, tag, packet, &place.server, out);
	if (out->reason != SNIF_REASON_DNS_ALLOWED)
		return 0;
	place.begin = packet->payload;
	place.end = packet->end;
	if (packet->to.protocol == IPPROTO_UDP) {
		/* a write that is to be cut into datagrams (UDP_SEGMENT) is none */
		place.begin = skb->gso_size ? place.end : place.begin + UDP_HEADER;
		ask(skb, policy, tag, &place, out);
		return 1;
	}
	if (is_read_otherwise(skb, packet)) {
		place.begin = place.end;
		ask(skb, policy, tag, &place, out);
		return 1;
	}
	place.end = packet->payload;
	place.segment_end = packet->end;
	for (__u32 i = 1; i <= SNIF_DNS_OF_SEGMENT && out->verdict == SNIF_ALLOW && place.end < place.segment_end;
	     i++) {
		question_next(skb, &place, i == SNIF_DNS_OF_SEGMENT);
		ask(skb, policy, tag, &place, out);
	}
	return 1;
}

/* Whether a packet comes from where a server of the policy answers: nobody inside may be one. */
SNIF_SUBPROGRAM int is_forged_answer(const struct policy *policy, const struct snif_packet *packet) {
	struct snif_judgement judgement = {};
	struct snif_target source = {};

	if (!reads_dns || !policy || !packet)
		return 0;
	__builtin_memcpy(source.address, packet->source, 16);
	source.port = packet->source_port;
	source.protocol = packet->to.protocol;
	judge_address(policy, &source, NULL, &judgement);
	return judgement.reason == SNIF_REASON_DNS_ALLOWED;
}

#endif
