/* SPDX-License-Identifier: BSD-2-Clause */
/* SHA-256 ──► the digests that OpenSSL makes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "base/sha256.h"

enum { MOST = 300 };

static uint8_t bytes[MOST];

static void expect_same(const uint8_t digest[SHA256_BYTES], size_t length) {
	unsigned char wanted[EVP_MAX_MD_SIZE];

	assert_int_equal(EVP_Digest(bytes, length, wanted, NULL, EVP_sha256(), NULL), 1);
	assert_memory_equal(digest, wanted, SHA256_BYTES);
}

/* FIPS 180-4's own example. */
static void test_known(void **state) {
	uint8_t digest[SHA256_BYTES];
	char hex[SHA256_HEX];

	(void)state;
	sha256("abc", 3, digest);
	sha256_hex(digest, hex);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

/* Of every length, over several blocks, in one piece and in two, cut anywhere. */
static void test_lengths(void **state) {
	uint8_t digest[SHA256_BYTES];
	struct sha256 hash;

	(void)state;
	for (size_t i = 0; i < MOST; i++)
		bytes[i] = (uint8_t)(i * 151 + 7);
	for (size_t length = 0; length <= MOST; length++) {
		sha256(bytes, length, digest);
		expect_same(digest, length);
		for (size_t cut = 0; cut <= length; cut += 13) {
			sha256_begin(&hash);
			sha256_add(&hash, bytes, cut);
			sha256_add(&hash, bytes + cut, length - cut);
			sha256_end(&hash, digest);
			expect_same(digest, length);
		}
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_known), cmocka_unit_test(test_lengths)};

	return cmocka_run_group_tests_name("sha256", tests, NULL, NULL);
}
