/* SPDX-License-Identifier: GPL-2.0-only */
/* Segments from a DNS server, as they arrive ──► whole answers. */
#ifndef SNIF_STREAM_BPF_H
#define SNIF_STREAM_BPF_H

#include "answer.bpf.h"

/* Bytes of an answer over TCP, its length before it included. A longer one binds nothing. */
#define STREAM_MESSAGE SNIF_DNS_MESSAGE
#define STREAM_PIECES 4096 /* of answers in one packet, which has room for no more */
/* Of reading the answers in one packet, behind which the connection is lost; to bind an address takes as long as some. */
#define STREAM_STEPS (16 * SNIF_DNS_STEPS)
#define STEPS_OF_ADDRESS 64

/* What has come of an answer. It is read from the connection's first byte on, so that nobody can shift its frame. */
struct stream {
	__u32 claimed;
	__u32 next; /* sequence number of the byte that is to come */
	__u32 have;
	__u32 steps;			/* that the answers of a packet took */
	__u8 lost;			/* where its frames are: nothing is bound any more */
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
	struct workspace *workspace = workspace_claim();
	struct stream *stream = walk->stream;
	struct stream_copy copy = {.from = stream};

	if (!workspace)
		return;
	copy.to = &workspace->dns;
	workspace->dns.length = stream->have - 2;
	bpf_loop((workspace->dns.length + COPY_BYTES - 1) / COPY_BYTES, stream_copy_step, &copy, 0);
	answer_take(walk->skb, workspace, walk->tag, walk->packet);
	stream->steps += workspace->dns.steps + workspace->dns.found * STEPS_OF_ADDRESS;
	workspace_release(workspace);
}

/* The next piece: of a message's length, or of the message. */
static long stream_step(__u32 index, void *context) {
	struct stream_walk *walk = context;
	struct stream *stream = walk->stream;
	__u64 have = stream->have, piece; /* in 64 bits, of which Linux 6.1 knows the bounds */
	__u32 whole = have < 2 ? 2 : 2 + snif_be16(stream->bytes), left = walk->packet->end - walk->at;

	(void)index;
	if (left == 0 || stream->steps > STREAM_STEPS)
		return SNIF_STOP;
	piece = snif_min(whole - have, left);
	if (whole <= STREAM_MESSAGE &&
	    bpf_skb_load_bytes(walk->skb, walk->at, stream->bytes + (have & (STREAM_MESSAGE - 1)),
			       ((piece - 1) & (STREAM_MESSAGE - 1)) + 1))
		return SNIF_STOP;
	walk->at += piece;
	stream->have = have + piece;
	whole = 2 + snif_be16(stream->bytes);
	if (stream->have < 2 || stream->have < whole)
		return SNIF_NEXT;
	if (whole <= STREAM_MESSAGE)
		stream_answer(walk);
	stream->have = 0;
	return SNIF_NEXT;
}

/* Whether the program has got something that was not read, as nothing is while the policy is detached. */
static __always_inline _Bool stream_is_behind(struct __sk_buff *skb, const struct stream *stream) {
	struct bpf_sock *socket = skb->sk;
	const struct bpf_tcp_sock *tcp = socket ? bpf_tcp_sock(socket) : NULL;

	return tcp && (__s32)(tcp->rcv_nxt - stream->next) > 0;
}

/* Returns whether the program may have it: what is ahead of its turn comes again, as nobody acknowledges it. */
static __always_inline _Bool stream_read(struct __sk_buff *skb, struct stream *stream, const struct snif_tag *tag,
					 const struct snif_packet *packet) {
	struct stream_walk walk = {.skb = skb, .stream = stream, .tag = tag, .packet = packet};
	__s32 ahead = (__s32)(packet->sequence - stream->next);

	if (packet->end == packet->payload || (packet->flags & SNIF_TCP_SYN) || stream->lost)
		return 1;
	if (ahead > 0) {
		stream->lost = stream_is_behind(skb, stream);
		return stream->lost;
	}
	if (packet->end - packet->payload <= (__u32)-ahead)
		return 1;
	walk.at = packet->payload - ahead;
	stream->next += packet->end - walk.at;
	stream->steps = 0;
	bpf_loop(STREAM_PIECES, stream_step, &walk, 0);
	if (walk.at != packet->end)
		stream->lost = 1;
	return 1;
}

static __always_inline _Bool see_segment(struct __sk_buff *skb, const struct snif_tag *tag,
					 const struct snif_packet *packet) {
	struct bpf_sock *socket = skb->sk;
	_Bool passes = 1, syn = socket && socket->state == BPF_TCP_SYN_SENT && (packet->flags & SNIF_TCP_SYN);
	struct stream *stream =
		socket ? bpf_sk_storage_get(&streams, socket, NULL, syn ? BPF_SK_STORAGE_GET_F_CREATE : 0) : NULL;

	if (!stream)
		return 1;
	/* segments of one connection are read one after the other */
	if (__sync_val_compare_and_swap(&stream->claimed, 0, 1) != 0)
		return 0;
	if (syn) {
		stream->next = packet->sequence + 1;
		stream->have = 0;
		stream->lost = packet->end != packet->payload;
	} else {
		passes = stream_read(skb, stream, tag, packet);
	}
	__sync_lock_test_and_set(&stream->claimed, 0);
	return passes;
}

#endif
