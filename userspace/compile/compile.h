/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy as the kernel's tables, in memory: what filter/filter.c copies into maps and check/ asks. */
#ifndef SNIF_COMPILE_H
#define SNIF_COMPILE_H

#include "base/sha256.h"
#include "policy/policy.h"

struct address_entry {
	struct snif_address_key key;
	__u32 class; /* 0: no rule (cuts a hole into a wider prefix) */
};

struct port_entry {
	struct snif_port_key key;
	struct snif_dest dest;
};

struct compiled {
	struct snif_settings settings;
	struct address_entry *addresses; /* sorted by address, then by length; no two alike */
	size_t address_count;
	struct port_entry *ports; /* sorted by class, protocol, port, length; no two alike */
	size_t port_count;
	struct snif_bucket *buckets; /* settings.buckets of them, by snif_name_hash() under settings.hash_key */
	size_t name_count;
	char sha256[SHA256_HEX]; /* of the policy's canonical form, which does not depend on the hash key */
};

/*
 * Compiles a policy. `hash_key` is the SipHash key for its names: random bytes for the kernel, anything for check.
 * Returns 0, or a negative errno (-ENOMEM; -EIO when the library cannot hash; -EEXIST when two names have one hash: try
 * another key). The result is freed with compiled_free() and does not point into the policy.
 */
int compile_policy(const struct policy *policy, const __u64 hash_key[2], struct compiled *out);
/* The same with a key of its own choice, for tables that are only asked. Returns 0 or a negative errno. */
int compile_to_ask(const struct policy *policy, struct compiled *out);
/* The same for the kernel, with a random key. Returns 0 or a negative errno, after saying why. */
int compile_for_kernel(const struct policy *policy, struct compiled *out);
/* Frees the tables. The settings and the SHA-256 stay. */
void compiled_free(struct compiled *compiled);

#endif
