/* SPDX-License-Identifier: GPL-2.0-only */
/* The tag that a socket carries: made at connect, or on egress for a socket that no connect hook saw. */
#ifndef SNIF_TAG_BPF_H
#define SNIF_TAG_BPF_H

#include "tables.bpf.h"

#define IPPROTO_MPTCP_SOCKET 262 /* IPPROTO_MPTCP: a protocol for socket(), not one of IP */

static __always_inline void process_read(struct snif_process *process) {
	process->pid = bpf_get_current_pid_tgid() >> 32;
	process->uid = (__u32)bpf_get_current_uid_gid();
	process->cgroup_id = bpf_get_current_cgroup_id();
	bpf_get_current_comm(process->name, sizeof(process->name));
}

/* Replaces the socket's tag by an empty one: a socket that connects again starts anew. NULL: no memory. */
static __always_inline struct snif_tag *tag_renew(struct bpf_sock *sk) {
	bpf_sk_storage_delete(&tags, sk);
	return bpf_sk_storage_get(&tags, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
}

/* Writes a judgement of the policy in force into the tag. */
static __always_inline void tag_judge(struct snif_tag *tag, const struct policy *policy,
				      struct snif_judgement judgement) {
	tag->judged_under = policy->active;
	tag->verdict = judgement.verdict;
	tag->reason = judgement.reason;
	tag->rule = judgement.rule;
	tag->settled = judgement.verdict == SNIF_ALLOW && tag->to.protocol == IPPROTO_TCP && !tag->inspected;
}

#endif
