/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Hashes of names ──► their rules: a table of buckets, each a cache line, that userspace fills and the kernel reads. A
 * look-up in a map of the kernel's takes two reads of memory that no cache has, and five times the room.
 */
#ifndef SNIF_NAME_TABLE_H
#define SNIF_NAME_TABLE_H

#include "portable.h"
#ifndef __bpf__
#include <linux/bpf.h>
#endif

/* Of the map that is one: it can be of any size, and is filled without a system call for each bucket. */
#define SNIF_NAMES_FLAGS (BPF_F_INNER_MAP | BPF_F_MMAPABLE)

#define SNIF_BUCKET_NAMES 5  /* what fits into 64 bytes */
#define SNIF_BUCKETS_TRIED 8 /* where the first one is full; few names are not in that */

enum { SNIF_SAYS_EXACT = 1, SNIF_SAYS_BELOW = 2, SNIF_SAYS_DENY = 4, SNIF_SAYS_SEARCH = 8 };

/*
 * What one rule says of a name itself, of the names below it, or of both. Of the hash 48 bits are compared: the others
 * have led to the bucket, where there are many.
 */
struct snif_bucket_name {
	__u32 hash_high;
	__u16 hash_low;
	__u8 zone; /* as in struct snif_name_rule, where there is more room for it than there are zones */
	__u8 says; /* SNIF_SAYS_*; 0: there is nothing here */
	__u32 rule;
};

struct snif_bucket {
	struct snif_bucket_name names[SNIF_BUCKET_NAMES];
	__u32 full; /* there are more that lead here first, or on their way */
};

_Static_assert(sizeof(struct snif_bucket) == 64, "a bucket is a cache line");

/*
 * Where a hash leads to among so many buckets (not 0), first of all and, when that bucket is full, next: each attempt
 * takes another 32 bits of it. Names that met in one bucket part again, where the bucket behind it would gather those of
 * all its neighbours.
 */
static __always_inline __u32 snif_bucket_of(__u64 hash, __u32 attempt, __u32 count) {
	__u32 turn = attempt * 64 / SNIF_BUCKETS_TRIED & 63;
	__u32 part = (__u32)(hash >> turn | hash << (-turn & 63));

	return (__u32)((__u64)part * count >> 32);
}

static __always_inline _Bool snif_bucket_has(const struct snif_bucket_name *name, __u64 hash) {
	return name->hash_high == (__u32)(hash >> 32) && name->hash_low == (__u16)hash && name->says;
}

#endif
