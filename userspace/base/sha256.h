/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes ──► SHA-256 (FIPS 180-4). By itself: a library of cryptography takes longer to load than a command that needs a
 * digest of its policy takes in all.
 */
#ifndef SNIF_SHA256_H
#define SNIF_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_BYTES = 32, SHA256_HEX = 65 };

struct sha256 {
	uint32_t state[8];
	uint64_t length;   /* of all that was added */
	uint8_t block[64]; /* what is not in the state yet */
};

void sha256_begin(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *bytes, size_t length);
void sha256_end(struct sha256 *hash, uint8_t digest[SHA256_BYTES]);

/* The same of bytes that are all there. */
void sha256(const void *bytes, size_t length, uint8_t digest[SHA256_BYTES]);

/* A digest in hexadecimal, with a NUL. */
void sha256_hex(const uint8_t digest[SHA256_BYTES], char hex[SHA256_HEX]);

#endif
