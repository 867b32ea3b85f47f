/* SPDX-License-Identifier: GPL-2.0-only */
/* A name or an address ──► whether the one was found at the other. */
#ifndef SNIF_BINDING_BPF_H
#define SNIF_BINDING_BPF_H

#include "message.bpf.h"

/*
 * What says that the policy has found a name at an address; NULL: nothing. `again`: it is enough that it was, once; what
 * is open goes on.
 */
static __always_inline const struct snif_binding *binding_of(__u32 policy, const struct snif_binding_key *key,
							     _Bool again) {
	void *inner = bpf_map_lookup_elem(&bindings, &policy);
	const struct snif_binding *found = inner ? bpf_map_lookup_elem(inner, key) : NULL;

	return found && (again || found->expires >= bpf_ktime_get_boot_ns()) ? found : NULL;
}

struct group_search {
	__u64 groups; /* those left */
	__u32 policy, rule;
	_Bool again, found;
	__u32 generation;
	__u64 rules; /* snif_settings.group_rules */
	struct snif_binding_key key;
};

static long group_step(__u32 index, void *context) {
	struct group_search *search = context;
	const struct snif_binding *found;

	if (!(search->groups >> index))
		return SNIF_STOP;
	search->key.name = snif_bound_group(search->rules, index);
	if (!(search->groups >> index & 1))
		return SNIF_NEXT;
	found = binding_of(search->policy, &search->key, search->again);
	if (!found)
		return SNIF_NEXT;
	/* a reload numbers rules anew */
	search->rule = found->generation == search->generation ? found->rule : 0;
	search->found = 1;
	return SNIF_STOP;
}

/*
 * A destination that no address rule allows: allows it where a name was found that a `direct` rule allows for this
 * protocol and port.
 */
SNIF_SUBPROGRAM int judge_named(const struct policy *policy, const struct snif_target *to, __u64 netns_cookie,
				_Bool again, struct snif_judgement *out) {
	struct group_search search = {.again = again, .key = {.netns_cookie = netns_cookie}};
	const struct snif_settings *found;

	if (!reads_dns || !policy || !to || !out)
		return 0;
	if (out->reason != SNIF_REASON_ADDRESS_NOT_ALLOWED && out->reason != SNIF_REASON_PORT_NOT_ALLOWED)
		return 0;
	search.groups = snif_named_groups(policy->active.slot, to->protocol, to->port);
	found = settings_of(policy->active.slot);
	if (search.groups == 0 || !found)
		return 0;
	search.rules = found->group_rules;
	search.policy = policy->number;
	search.generation = policy->active.generation;
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

	if (!reads_dns || !policy || !to || !out || policy->options.mode == SNIF_AUDIT)
		return 0;
	found = settings_of(policy->active.slot);
	if (!found || found->dns.bind != SNIF_BIND_REQUIRE)
		return 0;
	__builtin_memcpy(key.address, to->address, 16);
	if (!binding_of(policy->number, &key, 0))
		*out = snif_refuse(SNIF_REASON_NAME_NOT_BOUND);
	return 0;
}

/* Whether the name in the workspace is that of a reverse lookup, of an address at which some name was found. */
SNIF_SUBPROGRAM int reverse_is_bound(struct workspace *workspace, const struct policy *policy,
				     const struct snif_tag *tag) {
	struct snif_binding_key key = {};

	if (!reads_dns || !workspace || !policy || !tag ||
	    !snif_reverse_read(&workspace->reverse, workspace->dns.name, workspace->dns.name_length))
		return 0;
	key.name = SNIF_BOUND_ANY;
	key.netns_cookie = tag->netns_cookie;
	__builtin_memcpy(key.address, workspace->reverse.address, 16);
	return binding_of(policy->number, &key, 0) != NULL;
}

/* An allowed server name: whether it was found at the address that it is sent to, where the policy asks that. */
SNIF_SUBPROGRAM int judge_bound(const struct policy *policy, const struct snif_tag *tag,
				struct snif_inspection *inspection, _Bool again, struct snif_judgement *out) {
	const struct snif_settings *found, *keys = instance_keys();
	struct snif_binding_key key = {};

	if (!reads_dns || !policy || !tag || !inspection || !out || !keys)
		return 0;
	found = settings_of(policy->active.slot);
	if (!found)
		return 0;
	key.name = snif_bound_name(snif_name_hash_by(&inspection->hashing, keys->hash_key, inspection->hello.name,
						     inspection->hello.name_length));
	key.netns_cookie = tag->netns_cookie;
	__builtin_memcpy(key.address, tag->to.address, 16);
	inspection->unbound = !binding_of(policy->number, &key, again);
	if (inspection->unbound)
		*out = snif_judge_unbound(&found->dns, out->rule);
	return 0;
}

#endif
