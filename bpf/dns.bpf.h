/* SPDX-License-Identifier: GPL-2.0-only */
/* Questions as they leave ──► which may; answers as they arrive ──► which addresses a name was found at. */
#ifndef SNIF_DNS_BPF_H
#define SNIF_DNS_BPF_H

#include <linux/if_ether.h>

#include "dns.h"
#include "event.bpf.h"

#define UDP_HEADER 8
#define WORKSPACES 32	  /* messages that can be read at once */
#define WORKSPACE_TRIES 4 /* a run that another one interrupts on its CPU holds one, and so may those before it */
#define ASKED_GROUPS 16	  /* of questions, by their number */
#define ASKED_IN_GROUP 4
#define MESSAGES_PER_SEGMENT 8 /* over TCP; no client sends as many */

/* Memory to read a message in. Not one for each CPU: runs interrupt each other there. */
struct workspace {
	__u32 claimed;
	__u32 unused;
	struct snif_dns dns;
	struct snif_name_scan scan;
	struct snif_name_hashing hashing;
	struct snif_name_progress match;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, WORKSPACES);
	__type(key, __u32);
	__type(value, struct workspace);
} workspaces SEC(".maps");

/* A question that waits for its answer. */
struct asked {
	__u64 name; /* the hash under which it is bound */
	__u64 sum;  /* the sum by which the answer is known to be of this name */
	__u8 server[16];
	__u32 rule;
	__u16 port, id, type;
	__u8 group; /* of `direct` rules by name; 0: none */
	__u8 waits;
};

struct questions {
	struct bpf_spin_lock lock;
	__u32 next;
	struct asked asked[ASKED_GROUPS][ASKED_IN_GROUP];
};

/* One for each socket that has asked something that the policy allows to bind. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct questions);
} questions SEC(".maps");

static __always_inline const struct snif_settings *settings_of(__u32 slot) {
	return bpf_map_lookup_elem(&settings, &slot);
}

/* The instance's own keys are where no policy's can be. */
static __always_inline const struct snif_settings *instance_keys(void) {
	return settings_of(0);
}

static __always_inline struct workspace *workspace_claim(void) {
	__u32 first = bpf_get_smp_processor_id(), index;
	struct workspace *found;

	for (__u32 i = 0; i < WORKSPACE_TRIES; i++) {
		index = (first + i * (WORKSPACES / WORKSPACE_TRIES)) % WORKSPACES;
		found = bpf_map_lookup_elem(&workspaces, &index);
		if (found && __sync_val_compare_and_swap(&found->claimed, 0, 1) == 0)
			return found;
	}
	return NULL;
}

static __always_inline void workspace_release(struct workspace *workspace) {
	__sync_lock_test_and_set(&workspace->claimed, 0);
}

/*
 * Copies a message out of a packet, at most `most` bytes of it (a power of two). Returns 0, or not 0 when they are not
 * there.
 */
static __always_inline long message_load(struct __sk_buff *skb, __u32 begin, struct snif_dns *dns, __u32 length,
					 const __u32 most) {
	dns->length = length;
	if (length == 0 || length > most)
		return -1;
	return bpf_skb_load_bytes(skb, begin, dns->message, snif_bound(length - 1, most - 1) + 1);
}

/* ---- questions ------------------------------------------------------------------------------------------------- */

/* Where a question goes, and what of the packet it is. */
struct question_place {
	struct snif_target server;
	__u32 begin, end;
};

static __always_inline void question_remember(struct bpf_sock *socket, const struct workspace *workspace,
					      const struct snif_target *server, __u64 name) {
	struct questions *found = bpf_sk_storage_get(&questions, socket, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	const struct snif_name_rule *best = &workspace->match.best;
	__u64 group = workspace->dns.id % ASKED_GROUPS, next; /* in 64 bits, of which Linux 6.1 knows the bounds */
	struct asked *asked;

	if (!found)
		return;
	/* in place: the stack has no room for one */
	bpf_spin_lock(&found->lock);
	next = found->next++;
	asked = &found->asked[group][next % ASKED_IN_GROUP];
	asked->name = name;
	asked->sum = workspace->dns.asked;
	__builtin_memcpy(asked->server, server->address, 16);
	asked->rule = best->rule;
	asked->port = server->port;
	asked->id = workspace->dns.id;
	asked->type = workspace->dns.type;
	asked->group = best->zone % SNIF_GROUPS;
	asked->waits = 1;
	bpf_spin_unlock(&found->lock);
}

static __always_inline enum snif_reason question_refusal(const struct workspace *workspace, _Bool allowed,
							 const struct snif_dns_rules *rules) {
	__u16 type = workspace->dns.type;

	if (rules->https_deny && (type == SNIF_DNS_HTTPS || type == SNIF_DNS_SVCB))
		return SNIF_REASON_DNS_TYPE;
	if (!rules->names_policy)
		return SNIF_REASON_NONE;
	if (!allowed)
		return SNIF_REASON_DNS_NAME;
	return snif_dns_is_lookup(type) ? SNIF_REASON_NONE : SNIF_REASON_DNS_TYPE;
}

/* Reads the question into the workspace, and remembers it where it may be asked. */
static __always_inline enum snif_reason question_judge(struct __sk_buff *skb, struct workspace *workspace,
						       const struct policy *policy,
						       const struct question_place *place) {
	__u32 slot = policy->active.slot, length = place->end - place->begin;
	const struct snif_settings *found = settings_of(slot), *keys = instance_keys();
	struct bpf_sock *socket = skb->sk;
	struct snif_dns *dns = &workspace->dns;
	enum snif_reason reason = SNIF_REASON_DNS_QUESTION;
	_Bool allowed = 0;

	if (!found || !keys || !socket)
		return SNIF_REASON_STATE_LOST;
	dns->name_length = dns->type = 0;
	dns->key = keys->hash_key[0] | 1;
	if (message_load(skb, place->begin, dns, length, SNIF_DNS_QUESTION) == 0 && snif_dns_read(dns, 0) &&
	    !dns->unclear && snif_name_normalise_by(&workspace->scan, dns->name, &dns->name_length) == SNIF_REASON_NONE)
		reason = SNIF_REASON_NONE;
	if (reason == SNIF_REASON_NONE) {
		allowed = snif_may_look_up(&workspace->match, slot, found, dns->name, dns->name_length);
		reason = question_refusal(workspace, allowed, &found->dns);
	} else if (!found->dns.names_policy) {
		return SNIF_REASON_NONE;
	}
	if (reason != SNIF_REASON_NONE || !allowed || found->dns.bind == SNIF_BIND_OFF)
		return reason;
	question_remember(socket, workspace, &place->server,
			  snif_name_hash_by(&workspace->hashing, keys->hash_key, dns->name, dns->name_length));
	return SNIF_REASON_NONE;
}

static __always_inline void event_of_question(const struct policy *policy, const struct snif_judgement *judgement,
					      const struct snif_tag *tag, const struct question_place *place,
					      const struct snif_dns *dns) {
	struct snif_event *event = event_room(sizeof(*event));

	if (!event) {
		count(policy, SNIF_COUNTER_LOST);
		return;
	}
	event_begin(event, policy, judgement, SNIF_HOOK_EGRESS);
	event_add_tag(event, tag);
	__builtin_memcpy(event->destination, place->server.address, 16);
	event->destination_port = place->server.port;
	event->flags = SNIF_EVENT_DNS;
	event->object.dns_type = dns->type;
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
	reason = question_judge(skb, workspace, policy, place);
	*out = (struct snif_judgement){SNIF_ALLOW, SNIF_REASON_DNS_ALLOWED, tag->rule};
	if (reason != SNIF_REASON_NONE) {
		*out = snif_refuse(reason);
		if (event_wanted(policy, out))
			event_of_question(policy, out, tag, place, &workspace->dns);
	}
	workspace_release(workspace);
	return 0;
}

/* Where the questions of a packet go, and what the rules say of that: in the tag, as netfilter may have written elsewhere on it. */
static __always_inline void question_server(const struct policy *policy, const struct snif_tag *tag,
					    const struct snif_packet *packet, struct snif_target *server,
					    struct snif_judgement *out) {
	*server = tag->to;
	judge_address(policy, server, NULL, out);
	if (out->reason == SNIF_REASON_DNS_ALLOWED || packet->to.protocol == IPPROTO_TCP)
		return;
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
 * Judges what a packet asks the policy's DNS servers. Over TCP a segment holds whole messages, as clients send them:
 * then it can be read for itself, whatever was sent before. Writes the judgement. Returns 0 where it goes to no such
 * server, and is to be judged by its address.
 */
SNIF_SUBPROGRAM int ask_packet(struct __sk_buff *skb, const struct policy *policy, const struct snif_tag *tag,
			       const struct snif_packet *packet, struct snif_judgement *out) {
	struct question_place place = {};
	__u8 length[2];

	if (!reads_dns || !policy || !tag || !packet || !out)
		return 0;
	question_server(policy, tag, packet, &place.server, out);
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
	for (__u32 i = 0; i < MESSAGES_PER_SEGMENT && out->verdict == SNIF_ALLOW && place.begin < packet->end; i++) {
		place.end = place.begin; /* none, which is no question */
		if (bpf_skb_load_bytes(skb, place.begin, length, 2) == 0 && i < MESSAGES_PER_SEGMENT - 1 &&
		    place.begin + 2 + snif_be16(length) <= packet->end) {
			place.begin += 2;
			place.end = place.begin + snif_be16(length);
		}
		ask(skb, policy, tag, &place, out);
		place.begin = place.end > place.begin ? place.end : packet->end;
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

/* ---- bindings -------------------------------------------------------------------------------------------------- */

/*
 * Whether the policy has found a name at an address, and which rule was that name's. `again`: it is enough that it was,
 * once; what is open goes on.
 */
static __always_inline _Bool is_bound(__u32 policy, const struct snif_binding_key *key, _Bool again, __u32 *rule) {
	void *inner = bpf_map_lookup_elem(&bindings, &policy);
	const struct snif_binding *found = inner ? bpf_map_lookup_elem(inner, key) : NULL;

	if (!found || (!again && found->expires < bpf_ktime_get_boot_ns()))
		return 0;
	*rule = found->rule;
	return 1;
}

struct group_search {
	__u64 groups; /* those left */
	__u32 policy, rule;
	_Bool again, found;
	struct snif_binding_key key;
};

static long group_step(__u32 index, void *context) {
	struct group_search *search = context;

	if (!(search->groups >> index))
		return SNIF_STOP;
	search->key.name = index;
	if (search->groups >> index & 1 && is_bound(search->policy, &search->key, search->again, &search->rule)) {
		search->found = 1;
		return SNIF_STOP;
	}
	return SNIF_NEXT;
}

/*
 * A destination that no address rule allows: allows it where a name was found that a `direct` rule allows for this
 * protocol and port.
 */
SNIF_SUBPROGRAM int judge_named(const struct policy *policy, const struct snif_target *to, __u64 netns_cookie,
				_Bool again, struct snif_judgement *out) {
	struct group_search search = {.again = again, .key = {.netns_cookie = netns_cookie}};

	if (!reads_dns || !policy || !to || !out)
		return 0;
	if (out->reason != SNIF_REASON_ADDRESS_NOT_ALLOWED && out->reason != SNIF_REASON_PORT_NOT_ALLOWED)
		return 0;
	search.groups = snif_named_groups(policy->active.slot, to->protocol, to->port);
	if (search.groups == 0)
		return 0;
	search.policy = policy->number;
	__builtin_memcpy(search.key.address, to->address, 16);
	bpf_loop(SNIF_GROUPS, group_step, &search, 0);
	if (search.found)
		*out = (struct snif_judgement){SNIF_ALLOW, SNIF_REASON_ADDRESS_BOUND, search.rule};
	return 0;
}

/*
 * A destination where names are checked, and must have been found: refuses it at once where none was found at it, so
 * that a program takes the next address. In audit mode the name is wanted, which comes later.
 */
SNIF_SUBPROGRAM int judge_unnamed(const struct policy *policy, const struct snif_target *to, __u64 netns_cookie,
				  struct snif_judgement *out) {
	struct snif_binding_key key = {.name = SNIF_BOUND_ANY, .netns_cookie = netns_cookie};
	const struct snif_settings *found;
	__u32 rule;

	if (!reads_dns || !policy || !to || !out || policy->options.mode == SNIF_AUDIT)
		return 0;
	found = settings_of(policy->active.slot);
	if (!found || found->dns.bind != SNIF_BIND_REQUIRE)
		return 0;
	__builtin_memcpy(key.address, to->address, 16);
	if (!is_bound(policy->number, &key, 0, &rule))
		*out = snif_refuse(SNIF_REASON_NAME_NOT_BOUND);
	return 0;
}

/* An allowed server name: whether it was found at the address that it is sent to, where the policy asks that. */
SNIF_SUBPROGRAM int judge_bound(const struct policy *policy, const struct snif_tag *tag,
				struct snif_inspection *inspection, _Bool again, struct snif_judgement *out) {
	const struct snif_settings *found, *keys = instance_keys();
	struct snif_binding_key key = {};
	__u32 rule;

	if (!reads_dns || !policy || !tag || !inspection || !out || !keys)
		return 0;
	found = settings_of(policy->active.slot);
	if (!found)
		return 0;
	key.name = snif_name_hash_by(&inspection->hashing, keys->hash_key, inspection->hello.name,
				     inspection->hello.name_length);
	key.netns_cookie = tag->netns_cookie;
	__builtin_memcpy(key.address, tag->to.address, 16);
	inspection->unbound = !is_bound(policy->number, &key, again, &rule);
	if (inspection->unbound)
		*out = snif_judge_unbound(&found->dns, out->rule);
	return 0;
}

/* ---- answers --------------------------------------------------------------------------------------------------- */

/* The question that the answer in the workspace belongs to, which then waits no more. `waits` is 0 when there is none. */
static __always_inline struct asked question_take(struct questions *from, const struct snif_dns *dns,
						  const struct snif_packet *packet) {
	struct asked taken = {};
	__u64 server[2], want[2];
	__u64 group = dns->id % ASKED_GROUPS;
	struct asked *at;

	__builtin_memcpy(want, packet->source, 16);
	bpf_spin_lock(&from->lock);
	for (__u32 i = 0; i < ASKED_IN_GROUP; i++) {
		at = &from->asked[group][i];
		__builtin_memcpy(server, at->server, 16);
		if (!at->waits || at->id != dns->id || at->type != dns->type || at->sum != dns->asked ||
		    at->port != packet->source_port || server[0] != want[0] || server[1] != want[1])
			continue;
		taken = *at;
		at->waits = 0;
		break;
	}
	bpf_spin_unlock(&from->lock);
	return taken;
}

static __always_inline void bind_one(void *inner, struct snif_binding_key *key, __u64 name,
				     const struct snif_binding *binding) {
	key->name = name;
	bpf_map_update_elem(inner, key, binding, BPF_ANY);
}

/* Binds what the answer in the workspace gives to the name that was asked for. */
static __always_inline void answer_bind(const struct workspace *workspace, const struct snif_tag *tag,
					const struct asked *asked, const struct snif_dns_rules *rules) {
	__u32 policy = tag->judged_under.policy, ttl;
	void *inner = bpf_map_lookup_elem(&bindings, &policy);
	struct snif_binding_key key = {.netns_cookie = tag->netns_cookie};
	struct snif_binding binding = {.rule = asked->rule};
	const struct snif_dns_address *address;

	if (!inner)
		return;
	for (__u32 i = 0; i < SNIF_DNS_ADDRESSES && i < workspace->dns.found; i++) {
		address = &workspace->dns.addresses[i];
		ttl = address->ttl < rules->least ? rules->least : snif_min(address->ttl, rules->most);
		binding.expires = bpf_ktime_get_boot_ns() + ((__u64)ttl + rules->grace) * 1000000000ULL;
		__builtin_memcpy(key.address, address->address, 16);
		bind_one(inner, &key, SNIF_BOUND_ANY, &binding);
		bind_one(inner, &key, asked->name, &binding);
		if (asked->group)
			bind_one(inner, &key, asked->group, &binding);
	}
}

/* An answer in the workspace, to one of the questions. */
static __always_inline void answer_take(struct workspace *workspace, struct questions *from, const struct snif_tag *tag,
					const struct snif_packet *packet) {
	struct snif_active active = active_of(tag->judged_under.policy);
	const struct snif_settings *found = settings_of(active.slot), *keys = instance_keys();
	struct asked asked;

	if (active.slot == 0 || !found || !keys)
		return;
	workspace->dns.key = keys->hash_key[0] | 1;
	if (!snif_dns_read(&workspace->dns, 1))
		return;
	asked = question_take(from, &workspace->dns, packet);
	if (asked.waits)
		answer_bind(workspace, tag, &asked, &found->dns);
}

static __always_inline void see_datagram(struct __sk_buff *skb, const struct snif_tag *tag,
					 const struct snif_packet *packet) {
	struct bpf_sock *socket = skb->sk;
	struct questions *from = socket ? bpf_sk_storage_get(&questions, socket, NULL, 0) : NULL;
	__u32 begin = packet->payload + UDP_HEADER;
	struct workspace *workspace = from ? workspace_claim() : NULL;

	if (!workspace)
		return;
	if (message_load(skb, begin, &workspace->dns, snif_min(packet->end - begin, SNIF_DNS_MESSAGE),
			 SNIF_DNS_MESSAGE) == 0)
		answer_take(workspace, from, tag, packet);
	workspace_release(workspace);
}

/* ---- answers over TCP ------------------------------------------------------------------------------------------ */

#define STREAM_MESSAGE 2048 /* bytes of an answer over TCP, its length before it included: longer ones bind nothing */
#define STREAM_STEPS 32	    /* pieces of answers in one packet */

/* What has come of an answer. It is read from the connection's first byte on, so that nobody can shift its frame. */
struct stream {
	__u32 claimed;
	__u32 next; /* sequence number of the byte that is to come */
	__u32 have;
	__u8 lost;			/* a piece is missing: nothing is bound any more */
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
	struct bpf_sock *socket = walk->skb->sk;
	struct questions *from = socket ? bpf_sk_storage_get(&questions, socket, NULL, 0) : NULL;
	struct workspace *workspace = from ? workspace_claim() : NULL;
	const struct stream *stream = walk->stream;
	struct stream_copy copy = {.from = stream};

	if (!workspace)
		return;
	copy.to = &workspace->dns;
	bpf_loop(STREAM_MESSAGE / COPY_BYTES, stream_copy_step, &copy, 0);
	workspace->dns.length = stream->have - 2;
	answer_take(workspace, from, walk->tag, walk->packet);
	workspace_release(workspace);
}

/* The next piece: of a message's length, or of the message. */
static long stream_step(__u32 index, void *context) {
	struct stream_walk *walk = context;
	struct stream *stream = walk->stream;
	__u64 have = stream->have, piece; /* in 64 bits, of which Linux 6.1 knows the bounds */
	__u32 whole = have < 2 ? 2 : 2 + snif_be16(stream->bytes), left = walk->packet->end - walk->at;

	(void)index;
	if (left == 0)
		return SNIF_STOP;
	if (whole > STREAM_MESSAGE || have >= whole) {
		stream->lost = 1;
		return SNIF_STOP;
	}
	piece = snif_min(whole - have, left) - 1;
	have &= STREAM_MESSAGE - 1;
	piece &= STREAM_MESSAGE - 1;
	if (bpf_skb_load_bytes(walk->skb, walk->at, stream->bytes + have, piece + 1)) {
		stream->lost = 1;
		return SNIF_STOP;
	}
	walk->at += piece + 1;
	stream->have = have + piece + 1;
	if (stream->have < 2 || stream->have != 2 + snif_be16(stream->bytes))
		return SNIF_NEXT;
	stream_answer(walk);
	stream->have = 0;
	return SNIF_NEXT;
}

static __always_inline void stream_read(struct __sk_buff *skb, struct stream *stream, const struct snif_tag *tag,
					const struct snif_packet *packet) {
	struct stream_walk walk = {.skb = skb, .stream = stream, .tag = tag, .packet = packet};
	__s32 ahead = (__s32)(packet->sequence - stream->next);

	if (packet->end == packet->payload || stream->lost)
		return;
	if (ahead > 0)
		stream->lost = 1;
	if (ahead > 0 || packet->end - packet->payload <= (__u32)-ahead)
		return;
	walk.at = packet->payload - ahead;
	stream->next += packet->end - walk.at;
	bpf_loop(STREAM_STEPS, stream_step, &walk, 0);
	if (walk.at != packet->end)
		stream->lost = 1;
}

static __always_inline void see_segment(struct __sk_buff *skb, const struct snif_tag *tag,
					const struct snif_packet *packet) {
	_Bool syn = packet->flags & SNIF_TCP_SYN;
	struct bpf_sock *socket = skb->sk;
	struct stream *stream =
		socket ? bpf_sk_storage_get(&streams, socket, NULL, syn ? BPF_SK_STORAGE_GET_F_CREATE : 0) : NULL;

	if (!stream)
		return;
	/* segments of one connection come one after the other; where they do not, one is missing */
	if (__sync_val_compare_and_swap(&stream->claimed, 0, 1) != 0) {
		stream->lost = 1;
		return;
	}
	if (syn) {
		stream->next = packet->sequence + 1;
		stream->have = stream->lost = 0;
	} else {
		stream_read(skb, stream, tag, packet);
	}
	__sync_lock_test_and_set(&stream->claimed, 0);
}

/* A packet that arrives: what a DNS server of the policy answers is read before the program gets it. */
static __always_inline void see_answer(struct __sk_buff *skb) {
	struct bpf_sock *socket = reads_dns ? skb->sk : NULL;
	const struct snif_tag *tag = socket ? tag_of(socket) : NULL;
	struct snif_packet packet = {};

	if (!tag || !tag->dns || packet_read(skb, &packet) != SNIF_REASON_NONE)
		return;
	if (packet.to.protocol == IPPROTO_UDP)
		see_datagram(skb, tag, &packet);
	else
		see_segment(skb, tag, &packet);
}

#endif
