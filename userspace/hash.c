/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes ──► a hash that nobody can foretell. */
#include "hash.h"

#include <sys/random.h>

#include "name.h"

static __u64 key[2];
static bool drawn;

bool hash_start(void) {
	if (!drawn)
		drawn = getrandom(key, sizeof(key), 0) == sizeof(key);
	return drawn;
}

unsigned hash_bytes(const void *bytes, size_t length) {
	return (unsigned)snif_name_hash(key, bytes, length);
}
