/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What lets one header compile as BPF, as userspace code and under a fuzzer: fixed-width types, byte reads in
 * network order, and a bounded loop that is bpf_loop() in the kernel and a for statement elsewhere.
 */
#ifndef SNIF_PORTABLE_H
#define SNIF_PORTABLE_H

#include <linux/types.h>

#ifdef __bpf__
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#define snif_memcpy __builtin_memcpy
#define snif_be16_to_cpu bpf_ntohs
#define snif_be32_to_cpu bpf_ntohl
#define snif_cpu_to_be32 bpf_htonl
#else
#include <endian.h>
#include <string.h>
#define snif_memcpy memcpy
#define snif_be16_to_cpu be16toh
#define snif_be32_to_cpu be32toh
#define snif_cpu_to_be32 htobe32
#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#endif

/*
 * A function that the verifier looks at once, by its arguments' types alone, instead of at each call: what keeps
 * loading within its budget. Its pointers may be NULL for all that the verifier knows, so it must check them; and what
 * they point to must hold no pointers.
 */
#ifdef __bpf__
#define SNIF_SUBPROGRAM __attribute__((noinline))
#else
#define SNIF_SUBPROGRAM static inline
#endif

/*
 * Rounds in one step of a loop that is often gone through, at most: with the mitigations against speculation
 * (retpolines, safe returns), the return from a call costs as much as a round.
 */
#define SNIF_UNROLL 4

/* A step of snif_loop(): returns SNIF_NEXT for another step, SNIF_STOP to end the loop. */
enum { SNIF_NEXT = 0, SNIF_STOP = 1 };
typedef long (*snif_step)(__u32 index, void *context);

/*
 * Calls step(0, context), step(1, context), ... until it returns SNIF_STOP or `count` steps are done. Returns how many
 * it took. The verifier looks at the step once, whatever the count (bpf_loop, Linux 5.17), so cost of loading does not
 * grow with it.
 *
 * That of 6.1 takes what it knows of the context in the first step for true in all of them, and removes the branches
 * which this rules out: a counter that starts as a constant stays what it was, as far as a condition is concerned. So
 * nothing that a step decides by may be known to the verifier when the loop begins; what comes from a packet or a map
 * is not.
 */
#ifdef __bpf__
#define snif_loop(count, step, context) bpf_loop((count), (void *)(step), (context), 0)
#else
static inline __u32 snif_loop(__u32 count, snif_step step, void *context) {
	for (__u32 i = 0; i < count; i++)
		if (step(i, context) != SNIF_NEXT)
			return i + 1;
	return count;
}
#endif

/* Where a packet's bytes come from. snif_read() copies `length` bytes (not 0) from `offset`; not 0 when it cannot. */
#ifdef __bpf__
typedef struct __sk_buff *snif_source;
#define snif_read(source, offset, to, length) bpf_skb_load_bytes((source), (offset), (to), (length))
#else
typedef const __u8 *snif_source;
static inline long snif_read(snif_source source, __u32 offset, void *to, __u32 length) {
	memcpy(to, source + offset, length);
	return 0;
}
#endif

static __always_inline __u32 snif_be16(const __u8 *p) {
	return (__u32)p[0] << 8 | p[1];
}

static __always_inline __u32 snif_be24(const __u8 *p) {
	return (__u32)p[0] << 16 | (__u32)p[1] << 8 | p[2];
}

static __always_inline __u32 snif_be32(const __u8 *p) {
	return (__u32)p[0] << 24 | snif_be24(p + 1);
}

/* Eight bytes at any address (in BPF: of a map; the stack wants them aligned). */
static __always_inline __u64 snif_load_be64(const __u8 *p) {
#ifdef __bpf__
	return bpf_be64_to_cpu(*(const __u64 *)p);
#else
	__u64 word;

	memcpy(&word, p, 8);
	return be64toh(word);
#endif
}

static __always_inline void snif_store_be64(__u8 *p, __u64 word) {
#ifdef __bpf__
	*(__u64 *)p = bpf_cpu_to_be64(word);
#else
	word = htobe64(word);
	memcpy(p, &word, 8);
#endif
}

/* `value & mask`, to be seen by verifiers also where a compiler knows that it changes nothing. */
static __always_inline __u32 snif_bound(__u32 value, __u32 mask) {
#ifdef __bpf__
	asm volatile("" : "+r"(value));
#endif
	return value & mask;
}

static __always_inline __u32 snif_min(__u32 a, __u32 b) {
	return a < b ? a : b;
}

#endif
