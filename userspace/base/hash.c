/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes ──► a hash that nobody can foretell. */
#include "base/hash.h"

#include <string.h>
#include <sys/random.h>

#include "name.h"

static __u64 key[2];
static bool drawn;

bool hash_start(void) {
	if (!drawn)
		drawn = getrandom(key, sizeof(key), 0) == sizeof(key);
	return drawn;
}

/* Of any length, unlike snif_name_hash(). */
unsigned hash_bytes(const void *bytes, size_t length) {
	const char *from = bytes;
	struct snif_hash hash;
	__u64 word;

	snif_hash_start(&hash, key);
	for (size_t left = length; left >= sizeof(word); left -= sizeof(word), from += sizeof(word)) {
		memcpy(&word, from, sizeof(word));
		snif_hash_word(&hash, word);
	}
	word = 0;
	memcpy(&word, from, length % sizeof(word));
	return (unsigned)snif_hash_value(&hash, word, (__u32)length);
}
