/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the programs share. A policy is a slot: an entry in each outer map, whose inner maps hold its compiled rules.
 * A reload fills a free slot and then stores one word in `policies`, so that no connection sees half a policy.
 */
#ifndef SNIF_MAPS_BPF_H
#define SNIF_MAPS_BPF_H

#include "abi.h"

/*
 * Whether any policy can have rules for lookups. Where none can, as of a run whose policy has none, the verifier does not
 * look at what is for them, and loading takes less time.
 */
const volatile __u8 reads_dns = 1;

/* One for each socket that a hook has seen: see tag.bpf.h. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct snif_tag);
} tags SEC(".maps");

/* One for each of those whose ClientHello is still awaited or read. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct snif_inspection);
} inspections SEC(".maps");

/* Which policy the cgroup at hand enforces: the key is the cgroup alone, so that all programs see one value. */
struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_STORAGE);
	__type(key, __u64);
	__type(value, struct snif_attachment);
} attachments SEC(".maps");

/* Mapped into userspace: a reload must be one store, which a map update does not promise. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SNIF_POLICIES);
	__type(key, __u32);
	__type(value, struct snif_active);
} policies SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SNIF_SLOTS);
	__type(key, __u32);
	__type(value, struct snif_settings);
} settings SEC(".maps");

/* The character devices that may be opened. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SNIF_DEVICES);
	__type(key, struct snif_device);
	__type(value, __u8);
} devices SEC(".maps");

/* The inner maps' sizes follow the policy; these are only their types. */
struct addresses_inner {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct snif_address_key));
	__uint(value_size, sizeof(__u32));
};

struct ports_inner {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct snif_port_key));
	__uint(value_size, sizeof(struct snif_dest));
};

struct names_inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, SNIF_NAMES_FLAGS);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct snif_bucket));
};

/* Of one that floods it, a policy loses its own: what was not used longest. */
struct bindings_inner {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct snif_binding_key));
	__uint(value_size, sizeof(struct snif_binding));
};

/* Not with each socket: clients ask any number of questions from one, all at once. */
struct questions_inner {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct snif_question));
	__uint(value_size, sizeof(struct snif_asked));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, SNIF_SLOTS);
	__type(key, __u32);
	__array(values, struct addresses_inner);
} addresses SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, SNIF_SLOTS);
	__type(key, __u32);
	__array(values, struct ports_inner);
} ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, SNIF_SLOTS);
	__type(key, __u32);
	__array(values, struct names_inner);
} names SEC(".maps");

/* One for each policy that binds names to addresses, as long as it has its number: a reload forgets nothing. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, SNIF_POLICIES);
	__type(key, __u32);
	__array(values, struct bindings_inner);
} bindings SEC(".maps");

/* Likewise, of one that reads answers. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, SNIF_POLICIES);
	__type(key, __u32);
	__array(values, struct questions_inner);
} questions SEC(".maps");

struct ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
};

/* Each attachment has its events in one of these. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, SNIF_RINGS);
	__type(key, __u32);
	__array(values, struct ring);
} rings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SNIF_POLICIES);
	__type(key, __u32);
	__type(value, struct snif_counters);
} counters SEC(".maps");

#endif
