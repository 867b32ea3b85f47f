/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uthash (HASH_ADD_KEYPTR and so on), keyed: what stands in a log is chosen by those whom it is about, and could be
 * chosen to have one hash, which makes a table slow. A structure that did not fit into memory has `lost` set, and is
 * not in the table.
 */
#ifndef SNIF_HASH_H
#define SNIF_HASH_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Draws the key, once for the process. To be called before a table is used; false when the kernel gives no random
 * bytes.
 */
bool hash_start(void);

/* SipHash of the bytes. */
unsigned hash_bytes(const void *bytes, size_t length);

#define HASH_FUNCTION(key, length, hash) hash = hash_bytes(key, length)
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(item) (item)->lost = true
#include <uthash.h>
/*
 * Shorter chains than its default of ten, as a step along one is mostly a miss of the cache: a report is a fifth
 * faster.
 */
#undef HASH_BKT_CAPACITY_THRESH
#define HASH_BKT_CAPACITY_THRESH 6U

#endif
