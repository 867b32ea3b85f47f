/* SPDX-License-Identifier: GPL-2.0-only */
/* Answers as they arrive ──► the addresses at which a name was found. */
#ifndef SNIF_ANSWER_BPF_H
#define SNIF_ANSWER_BPF_H

#include "question.bpf.h"

/* Notes the question that the answer in the workspace belongs to. Returns whether there is one. */
static __always_inline _Bool question_find(struct __sk_buff *skb, struct workspace *workspace, void *waiting,
					   const struct snif_packet *packet) {
	const struct snif_asked *found;

	question_write(skb, workspace, packet->source, packet->source_port);
	found = bpf_map_lookup_elem(waiting, &workspace->question);
	if (!found)
		return 0;
	workspace->asked = *found;
	return 1;
}

/* Binds a name at the key's address. What was bound for longer, by another name or an earlier answer, stays as long. */
static __always_inline void bind_name(void *of_policy, struct snif_binding_key *key, __u64 name,
				      struct snif_binding binding) {
	const struct snif_binding *before;

	key->name = name;
	before = bpf_map_lookup_elem(of_policy, key);
	if (before && before->expires > binding.expires)
		binding.expires = before->expires;
	bpf_map_update_elem(of_policy, key, &binding, BPF_ANY);
}

/* Binds an address of an answer to what was asked for. A function that is verified once, not for each address. */
SNIF_SUBPROGRAM int bind_address(const struct snif_dns_address *address, const struct snif_asked *asked,
				 const struct snif_tag *tag, const struct snif_dns_rules *rules) {
	struct snif_binding_key key = {};
	struct snif_binding binding = {};
	__u32 policy;
	void *of_policy;

	if (!reads_dns || !address || !asked || !tag || !rules)
		return 0;
	policy = tag->judged_under.policy;
	of_policy = bpf_map_lookup_elem(&bindings, &policy);
	if (!of_policy)
		return 0;
	key.netns_cookie = tag->netns_cookie;
	__builtin_memcpy(key.address, address->address, 16);
	binding.expires = bpf_ktime_get_boot_ns() + snif_dns_counts_for(rules, address->ttl) * 1000000000ULL;
	binding.rule = asked->rule;
	binding.generation = asked->generation;
	bind_name(of_policy, &key, SNIF_BOUND_ANY, binding);
	bind_name(of_policy, &key, asked->name, binding);
	if (asked->group)
		bind_name(of_policy, &key, asked->group, binding);
	return 0;
}

/* Binds what the answer in the workspace gives to what was asked for. */
static __always_inline void answer_bind(const struct workspace *workspace, const struct snif_tag *tag,
					const struct snif_dns_rules *rules) {
	for (__u32 i = 0; i < SNIF_DNS_ADDRESSES && i < workspace->dns.found; i++)
		bind_address(&workspace->dns.addresses[i], &workspace->asked, tag, rules);
}

/* Tells an answer. The name is as the server has sent it. A function for the sake of the stack. */
SNIF_SUBPROGRAM int event_of_answer(const struct workspace *workspace, const struct snif_tag *tag,
				    const struct snif_dns_rules *rules) {
	const struct snif_asked *asked;
	const struct snif_dns *dns;
	struct snif_judgement none = {};
	struct snif_event *event;
	struct policy policy;

	if (!reads_dns || !workspace || !tag || !rules)
		return 0;
	dns = &workspace->dns;
	asked = &workspace->asked;
	policy = policy_for(tag);
	event = event_room(sizeof(*event));
	if (!event) {
		count(&policy, SNIF_COUNTER_LOST);
		return 0;
	}
	if (asked->name != SNIF_BOUND_ANY)
		none.rule = asked->rule;
	event_begin(event, &policy, &none, SNIF_HOOK_COUNT);
	event_add_tag(event, tag);
	__builtin_memcpy(event->destination, workspace->question.server, 16);
	event->destination_port = workspace->question.port;
	event->flags = SNIF_EVENT_DNS | SNIF_EVENT_ANSWER | (asked->name ? SNIF_EVENT_BOUND : 0);
	event->object.dns.type = dns->type;
	event->object.dns.id = dns->id;
	event->name_length = dns->name_length;
	event->answer_count = dns->found;
	__builtin_memcpy(event->name, dns->name, sizeof(event->name));
	__builtin_memcpy(event->answers, dns->addresses, sizeof(event->answers));
	event->dns = *rules;
	bpf_ringbuf_submit(event, 0);
	return 0;
}

/* An answer in the workspace, to one of the questions. */
static __always_inline void answer_take(struct __sk_buff *skb, struct workspace *workspace, const struct snif_tag *tag,
					const struct snif_packet *packet) {
	struct snif_active active = active_of(tag->judged_under.policy);
	const struct snif_settings *found = settings_of(active.slot), *keys = instance_keys();
	__u32 policy = tag->judged_under.policy;
	void *waiting = bpf_map_lookup_elem(&questions, &policy);

	if (active.slot == 0 || !found || !keys || !waiting)
		return;
	workspace->dns.key = keys->hash_key[0] | 1;
	if (!snif_dns_read_question(&workspace->dns, 1) || !question_find(skb, workspace, waiting, packet) ||
	    !snif_dns_read_records(&workspace->dns))
		return;
	/* of two answers at once, one finds the question gone */
	if (bpf_map_delete_elem(waiting, &workspace->question) != 0)
		return;
	if (workspace->asked.name != SNIF_BOUND_ANY)
		answer_bind(workspace, tag, &found->dns);
	if (found->dns.log_answers)
		event_of_answer(workspace, tag, &found->dns);
}

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

/* ---- answers over TCP ------------------------------------------------------------------------------------------ */

/* Bytes of an answer over TCP, its length before it included. A longer one binds nothing. */
#define STREAM_MESSAGE SNIF_DNS_MESSAGE
#define STREAM_PIECES 4096 /* of answers in one packet, which has room for no more */
/* Of reading the answers in one packet, behind which the connection is lost; to bind an address takes as long as some. */
#define STREAM_STEPS (16 * SNIF_DNS_STEPS)
#define STEPS_OF_ADDRESS 64

/* What has come of an answer. It is read from the connection's first byte on, so that nobody can shift its frame. */
struct stream {
	__u32 claimed;
	__u32 next; /* sequence number of the byte that is to come */
	__u32 have;
	__u32 steps;			/* that the answers of a packet took */
	__u8 lost;			/* where its frames are: nothing is bound any more */
	__u8 bytes[2 * STREAM_MESSAGE]; /* room for the largest offset plus the largest length, as verifiers add */
};

/* One for each connection to a DNS server of the policy. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct stream);
} streams SEC(".maps");

struct stream_walk {
	struct __sk_buff *skb;
	struct stream *stream;
	const struct snif_tag *tag;
	const struct snif_packet *packet;
	__u32 at;
};

#define COPY_BYTES 32

struct stream_copy {
	struct snif_dns *to;
	const struct stream *from;
};

static long stream_copy_step(__u32 index, void *context) {
	const struct stream_copy *copy = context;
	__u64 at = index * COPY_BYTES & (STREAM_MESSAGE - COPY_BYTES);

	for (__u32 i = 0; i < COPY_BYTES; i++)
		copy->to->message[at + i] = copy->from->bytes[at + 2 + i];
	return SNIF_NEXT;
}

/* A whole answer: its two bytes of length, then the message. */
static __always_inline void stream_answer(const struct stream_walk *walk) {
	struct workspace *workspace = workspace_claim();
	struct stream *stream = walk->stream;
	struct stream_copy copy = {.from = stream};

	if (!workspace)
		return;
	copy.to = &workspace->dns;
	workspace->dns.length = stream->have - 2;
	bpf_loop((workspace->dns.length + COPY_BYTES - 1) / COPY_BYTES, stream_copy_step, &copy, 0);
	answer_take(walk->skb, workspace, walk->tag, walk->packet);
	stream->steps += workspace->dns.steps + workspace->dns.found * STEPS_OF_ADDRESS;
	workspace_release(workspace);
}

/* The next piece: of a message's length, or of the message. */
static long stream_step(__u32 index, void *context) {
	struct stream_walk *walk = context;
	struct stream *stream = walk->stream;
	__u64 have = stream->have, piece; /* in 64 bits, of which Linux 6.1 knows the bounds */
	__u32 whole = have < 2 ? 2 : 2 + snif_be16(stream->bytes), left = walk->packet->end - walk->at;

	(void)index;
	if (left == 0 || stream->steps > STREAM_STEPS)
		return SNIF_STOP;
	piece = snif_min(whole - have, left);
	if (whole <= STREAM_MESSAGE &&
	    bpf_skb_load_bytes(walk->skb, walk->at, stream->bytes + (have & (STREAM_MESSAGE - 1)),
			       ((piece - 1) & (STREAM_MESSAGE - 1)) + 1))
		return SNIF_STOP;
	walk->at += piece;
	stream->have = have + piece;
	whole = 2 + snif_be16(stream->bytes);
	if (stream->have < 2 || stream->have < whole)
		return SNIF_NEXT;
	if (whole <= STREAM_MESSAGE)
		stream_answer(walk);
	stream->have = 0;
	return SNIF_NEXT;
}

/* Whether the program has got something that was not read, as nothing is while the policy is detached. */
static __always_inline _Bool stream_is_behind(struct __sk_buff *skb, const struct stream *stream) {
	struct bpf_sock *socket = skb->sk;
	const struct bpf_tcp_sock *tcp = socket ? bpf_tcp_sock(socket) : NULL;

	return tcp && (__s32)(tcp->rcv_nxt - stream->next) > 0;
}

/* Returns whether the program may have it: what is ahead of its turn comes again, as nobody acknowledges it. */
static __always_inline _Bool stream_read(struct __sk_buff *skb, struct stream *stream, const struct snif_tag *tag,
					 const struct snif_packet *packet) {
	struct stream_walk walk = {.skb = skb, .stream = stream, .tag = tag, .packet = packet};
	__s32 ahead = (__s32)(packet->sequence - stream->next);

	if (packet->end == packet->payload || (packet->flags & SNIF_TCP_SYN) || stream->lost)
		return 1;
	if (ahead > 0) {
		stream->lost = stream_is_behind(skb, stream);
		return stream->lost;
	}
	if (packet->end - packet->payload <= (__u32)-ahead)
		return 1;
	walk.at = packet->payload - ahead;
	stream->next += packet->end - walk.at;
	stream->steps = 0;
	bpf_loop(STREAM_PIECES, stream_step, &walk, 0);
	if (walk.at != packet->end)
		stream->lost = 1;
	return 1;
}

static __always_inline _Bool see_segment(struct __sk_buff *skb, const struct snif_tag *tag,
					 const struct snif_packet *packet) {
	struct bpf_sock *socket = skb->sk;
	_Bool passes = 1, syn = socket && socket->state == BPF_TCP_SYN_SENT && (packet->flags & SNIF_TCP_SYN);
	struct stream *stream =
		socket ? bpf_sk_storage_get(&streams, socket, NULL, syn ? BPF_SK_STORAGE_GET_F_CREATE : 0) : NULL;

	if (!stream)
		return 1;
	/* segments of one connection are read one after the other */
	if (__sync_val_compare_and_swap(&stream->claimed, 0, 1) != 0)
		return 0;
	if (syn) {
		stream->next = packet->sequence + 1;
		stream->have = 0;
		stream->lost = packet->end != packet->payload;
	} else {
		passes = stream_read(skb, stream, tag, packet);
	}
	__sync_lock_test_and_set(&stream->claimed, 0);
	return passes;
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
