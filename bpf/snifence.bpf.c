/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel side's table of contents: one line for each place where a connection can be stopped. Files in the order
 * in which a connection meets them: maps, tables, packet, event, tag; message, question, ingress, stream, answer and
 * binding, as names are looked up before; connect, option, flow, budget, verdict, egress; and beside them device.
 */
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* from <sys/socket.h>, which is not for BPF */
#define AF_INET 2
#define AF_INET6 10
#define SOCK_STREAM 1
#define SOCK_DGRAM 2

#include "connect.bpf.h"
#include "device.bpf.h"
#include "egress.bpf.h"
#include "ingress.bpf.h"
#include "option.bpf.h"

SEC("cgroup/sock_create")
int snif_socket(struct bpf_sock *ctx) {
	return decide_socket(ctx);
}

SEC("cgroup/setsockopt")
int snif_setsockopt(struct bpf_sockopt *ctx) {
	return decide_option(ctx);
}

SEC("cgroup/connect4")
int snif_connect4(struct bpf_sock_addr *ctx) {
	return decide_ipv4(ctx, SNIF_HOOK_CONNECT);
}

SEC("cgroup/connect6")
int snif_connect6(struct bpf_sock_addr *ctx) {
	return decide_ipv6(ctx, SNIF_HOOK_CONNECT);
}

SEC("cgroup/sendmsg4")
int snif_sendmsg4(struct bpf_sock_addr *ctx) {
	return decide_ipv4(ctx, SNIF_HOOK_SENDMSG);
}

SEC("cgroup/sendmsg6")
int snif_sendmsg6(struct bpf_sock_addr *ctx) {
	return decide_ipv6(ctx, SNIF_HOOK_SENDMSG);
}

SEC("sockops")
int snif_accepted(struct bpf_sock_ops *ctx) {
	if (ctx->op == BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB)
		tag_accepted(ctx);
	return 1;
}

SEC("cgroup_skb/egress")
int snif_egress(struct __sk_buff *skb) {
	return decide_packet(skb);
}

SEC("cgroup_skb/ingress")
int snif_ingress(struct __sk_buff *skb) {
	return see_answer(skb);
}

SEC("cgroup/dev")
int snif_device(struct bpf_cgroup_dev_ctx *ctx) {
	return decide_device(ctx);
}

char LICENSE[] SEC("license") = "GPL";
