/* SPDX-License-Identifier: GPL-2.0-only */
/* The look-ups that judge.h asks for, in the maps of one slot; and which slot that is. */
#ifndef SNIF_TABLES_BPF_H
#define SNIF_TABLES_BPF_H

#include "maps.bpf.h"

typedef __u32 snif_tables; /* a slot */

static __always_inline const __u32 *snif_find_class(snif_tables slot, const struct snif_address_key *key) {
	void *inner = bpf_map_lookup_elem(&addresses, &slot);

	return inner ? bpf_map_lookup_elem(inner, key) : NULL;
}

static __always_inline const struct snif_dest *snif_find_dest(snif_tables slot, const struct snif_port_key *key) {
	void *inner = bpf_map_lookup_elem(&ports, &slot);

	return inner ? bpf_map_lookup_elem(inner, key) : NULL;
}

static __always_inline const struct snif_bucket *snif_find_bucket(snif_tables slot, __u32 number) {
	void *inner = bpf_map_lookup_elem(&names, &slot);

	return inner ? bpf_map_lookup_elem(inner, &number) : NULL;
}

#include "judge.h"

/* The policy in force for the cgroup at hand: a copy without pointers, so that subprograms can take it. */
struct policy {
	struct snif_active active;
	struct snif_options options;
	__u16 number; /* also where there is none in force */
	__u8 present; /* 0: there is none, everything is refused */
	__u8 unused;
};

/* What is in force for a policy, read by one load, as a reload is one store. Slot 0: nothing is. */
static __always_inline struct snif_active active_of(__u32 number) {
	struct snif_active active = {};
	const volatile __u64 *found = bpf_map_lookup_elem(&policies, &number);
	__u64 word;

	if (found) {
		word = *found;
		__builtin_memcpy(&active, &word, sizeof(word));
	}
	return active;
}

/* What a slot holds beside its tables. */
static __always_inline const struct snif_settings *settings_of(__u32 slot) {
	return bpf_map_lookup_elem(&settings, &slot);
}

static __always_inline struct policy policy_of(__u16 number) {
	struct policy policy = {.number = number, .active = active_of(number)};
	__u32 slot = policy.active.slot;
	const struct snif_settings *found;

	if (slot == 0)
		return policy;
	found = bpf_map_lookup_elem(&settings, &slot);
	if (!found)
		return policy;
	policy.options = found->options;
	policy.present = 1;
	return policy;
}

static __always_inline struct policy policy_now(void) {
	const struct snif_attachment *attachment = bpf_get_local_storage(&attachments, 0);

	return policy_of(attachment->policy);
}

/* What the policy's address rules say of a destination; `dest` may be NULL. */
SNIF_SUBPROGRAM int judge_address(const struct policy *policy, const struct snif_target *to, struct snif_dest *dest,
				  struct snif_judgement *out) {
	struct snif_dest unwanted;
	struct snif_target copy; /* made in words: of the address alone, the compiler would read each byte */

	if (!policy || !to || !out)
		return 0;
	copy = *to;
	*out = snif_judge_address(policy->active.slot, copy.address, copy.protocol, copy.port, dest ? dest : &unwanted);
	return 0;
}

static __always_inline _Bool same_policy(const struct snif_active *a, const struct snif_active *b) {
	return a->generation == b->generation && a->policy == b->policy;
}

#endif
