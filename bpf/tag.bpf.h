/* SPDX-License-Identifier: GPL-2.0-only */
/* The tag that a socket carries: of TCP made at connect(), of UDP at socket(), or later where no hook has seen that. */
#ifndef SNIF_TAG_BPF_H
#define SNIF_TAG_BPF_H

#include "tables.bpf.h"

static __always_inline void process_read(struct snif_process *process) {
	process->pid = bpf_get_current_pid_tgid() >> 32;
	process->uid = (__u32)bpf_get_current_uid_gid();
	process->cgroup_id = bpf_get_current_cgroup_id();
	bpf_get_current_comm(process->name, sizeof(process->name));
}

/* Address and port; the protocol is the socket's. */
static __always_inline _Bool same_place(const struct snif_target *a, const struct snif_target *b) {
	__u32 first[4], second[4];

	__builtin_memcpy(first, a->address, 16);
	__builtin_memcpy(second, b->address, 16);
	return !((first[0] ^ second[0]) | (first[1] ^ second[1]) | (first[2] ^ second[2]) | (first[3] ^ second[3])) &&
	       a->port == b->port;
}

/* NULL also for a socket that carries no storage, a request or time-wait socket: skb->sk can be given as it is. */
static __always_inline struct snif_tag *tag_of(struct bpf_sock *sk) {
	return bpf_sk_storage_get(&tags, sk, NULL, 0);
}

static __always_inline struct snif_inspection *inspection_of(struct bpf_sock *sk) {
	return bpf_sk_storage_get(&inspections, sk, NULL, 0);
}

/* Two threads can make it at once: then one of them finds what the other has made. NULL: no memory. */
static __always_inline struct snif_tag *tag_make(struct bpf_sock *sk) {
	struct snif_tag *tag = bpf_sk_storage_get(&tags, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);

	return tag ? tag : tag_of(sk);
}

/* Replaces the socket's tag by an empty one: a socket that connects again starts anew. NULL: no memory. */
static __always_inline struct snif_tag *tag_renew(struct bpf_sock *sk) {
	if (bpf_sk_storage_delete(&tags, sk) == 0)
		bpf_sk_storage_delete(&inspections, sk);
	return tag_make(sk);
}

/* For a socket whose destination wants a server name; the caller fills `dest`. NULL: no memory. */
static __always_inline struct snif_inspection *inspection_begin(struct bpf_sock *sk) {
	return bpf_sk_storage_get(&inspections, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
}

/* The ClientHellos are over: keeps in the tag what a reload wants to judge again, if it fits, and frees the rest. */
static __always_inline void inspection_end(struct bpf_sock *sk, struct snif_tag *tag, const struct snif_hello *hello) {
	if (hello->name_length > SNIF_TAG_NAME)
		return;
	tag->ech = hello->ech;
	tag->version = hello->version;
	tag->name_length = hello->name_length;
	__builtin_memcpy(tag->name, hello->name, SNIF_TAG_NAME);
	bpf_sk_storage_delete(&inspections, sk);
}

/* The inspection of a socket, made again from what its tag has kept when it has ended. NULL: no memory. */
static __always_inline struct snif_inspection *inspection_again(struct bpf_sock *sk, const struct snif_tag *tag) {
	struct snif_inspection *inspection;

	if (tag->name_length == 0)
		return inspection_of(sk);
	inspection = inspection_begin(sk);
	if (!inspection)
		return NULL;
	inspection->hello.status = SNIF_HELLO_OVER;
	inspection->hello.hellos = 1;
	inspection->hello.ech = tag->ech;
	inspection->hello.version = tag->version;
	inspection->hello.name_length = tag->name_length;
	__builtin_memcpy(inspection->hello.name, tag->name, SNIF_TAG_NAME);
	return inspection;
}

/*
 * The policy in force for a socket with that tag (NULL: none): the one that the tag was judged under, if it still is.
 * Whatever ends that (a reload, a detach) gives the policy another generation, so the cgroup need not be asked.
 */
static __always_inline struct policy policy_for(const struct snif_tag *tag) {
	struct policy policy;

	if (!tag)
		return policy_now();
	policy = policy_of(tag->judged_under.policy);
	return policy.present && same_policy(&tag->judged_under, &policy.active) ? policy : policy_now();
}

/* Writes a judgement of the policy in force into the tag. */
static __always_inline void tag_judge(struct snif_tag *tag, const struct policy *policy,
				      const struct snif_judgement *judgement) {
	tag->judged_under = policy->active;
	tag->verdict = judgement->verdict;
	tag->reason = judgement->reason;
	tag->rule = judgement->rule;
	if (judgement->reason == SNIF_REASON_DNS_ALLOWED)
		tag->dns = 1;
	tag->settled =
		judgement->verdict == SNIF_ALLOW && tag->to.protocol == IPPROTO_TCP && !tag->inspected && !tag->dns;
}

#endif
