/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What no filter on egress can cost less than: a program that does nothing, and one that looks up its socket's storage.
 */
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64);
} storage SEC(".maps");

SEC("cgroup_skb/egress")
int floor_return(struct __sk_buff *skb) {
	(void)skb;
	return 1;
}

/* The socket's first packet makes the storage; all others find it, for which the flag makes no difference. */
SEC("cgroup_skb/egress")
int floor_storage(struct __sk_buff *skb) {
	struct bpf_sock *socket = skb->sk;

	if (socket)
		bpf_sk_storage_get(&storage, socket, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	return 1;
}

char LICENSE[] SEC("license") = "GPL";
