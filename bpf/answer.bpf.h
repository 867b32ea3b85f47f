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

#endif
