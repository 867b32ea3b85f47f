/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What no filter can cost less than, on egress and in connect(): a program that does nothing, and one that looks up its
 * socket's storage.
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

SEC("cgroup/connect4")
int floor_return_connect4(struct bpf_sock_addr *ctx) {
	(void)ctx;
	return 1;
}

SEC("cgroup/connect6")
int floor_return_connect6(struct bpf_sock_addr *ctx) {
	(void)ctx;
	return 1;
}

/* A new socket has none: one look-up makes the storage, the other finds it. */
static __always_inline int make_storage(struct bpf_sock *socket) {
	if (socket) {
		bpf_sk_storage_get(&storage, socket, NULL, BPF_SK_STORAGE_GET_F_CREATE);
		bpf_sk_storage_get(&storage, socket, NULL, 0);
	}
	return 1;
}

SEC("cgroup/connect4")
int floor_storage_connect4(struct bpf_sock_addr *ctx) {
	return make_storage(ctx->sk);
}

SEC("cgroup/connect6")
int floor_storage_connect6(struct bpf_sock_addr *ctx) {
	return make_storage(ctx->sk);
}

char LICENSE[] SEC("license") = "GPL";
