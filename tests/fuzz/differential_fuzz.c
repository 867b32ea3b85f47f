/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes ──► include/tls_record.h, and those bytes that it lets out ──► the servers of OpenSSL and GnuTLS, which
 * must see the names that it read and no other.
 *
 * The filter gets one byte in a packet, so that as many as can be are out before a refusal; every name is allowed.
 */
#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "../evasion/judges.h"
#include "../support/hello_reader.h"
#include "hello_mutator.h"

#define INPUT_MAX (1 << 15)

SSL_CTX *lab_tls_context(void);

/* libFuzzer takes these for coverage too: an input is worth keeping when a server gets further than before. */
__attribute__((section("__libfuzzer_extra_counters"))) static uint8_t reached[JUDGES][JUDGE_HELLOS][READING_HELLOS][4];

static void check(bool good) {
	if (!good)
		abort();
}

static void use_identity(SSL_CTX *context, EVP_PKEY *key) {
	X509 *certificate = X509_new();

	check(key && certificate);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 24 * 3600);
	X509_set_pubkey(certificate, key);
	check(X509_sign(certificate, key, EVP_sha256()) > 0);
	check(SSL_CTX_use_certificate(context, certificate) == 1 && SSL_CTX_use_PrivateKey(context, key) == 1);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

/* What the judge of OpenSSL starts from: one group only, so that most hellos are asked for a second time. */
SSL_CTX *lab_tls_context(void) {
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	check(context != NULL);
	use_identity(context, EVP_EC_gen("P-256"));
	use_identity(context, EVP_RSA_gen(2048));
	check(SSL_CTX_set1_groups_list(context, "P-256") == 1);
	check(SSL_CTX_set_cipher_list(context, "ALL:@SECLEVEL=0") == 1);
	return context;
}

/* Returns how many bytes leave before the filter refuses. */
static size_t filter(const uint8_t *data, size_t size, struct hello_reader *reader) {
	size_t out;

	for (out = 0; out < size && reader->reading.status != SNIF_HELLO_OVER; out++) {
		hello_reader_feed(reader, data + out, 1);
		if (reader->reading.status == SNIF_HELLO_REFUSED)
			return out;
	}
	return size;
}

/*
 * What a server saw must have been read, in that order. Not the other way around: GnuTLS does not tell of a first hello
 * to which it answers with a HelloRetryRequest, and a server may refuse what the filter lets through.
 */
static void compare(const struct hello_reading *reading, const struct judged *judged, const char *server) {
	size_t seen = 0;

	for (size_t i = 0; seen < judged->hellos && i < reading->count && i < READING_HELLOS; i++)
		seen += strcmp(reading->found[i].name, judged->names[seen]) == 0;
	if (seen == judged->hellos)
		return;
	fprintf(stderr, "%s saw %zu hellos, the filter read %u:\n", server, judged->hellos, reading->count);
	for (size_t i = 0; i < READING_HELLOS && i < JUDGE_HELLOS; i++)
		fprintf(stderr, "  \"%s\"  \"%s\"\n", judged->names[i], reading->found[i].name);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct hello_reader reader = {.hello.rules = snif_hello_rules_of(SNIF_HELLO_MOST)};
	struct judged judged;
	size_t out;

	if (size > INPUT_MAX)
		return 0;
	/* what no policy lets pass by default is judged alike all the same */
	reader.hello.rules.split_records = reader.hello.rules.trailing_dot = 1;
	out = filter(data, size, &reader);
	for (size_t i = 0; out > 0 && i < JUDGES; i++) {
		judges[i].judge(data, out, &judged);
		reached[i][judged.hellos % JUDGE_HELLOS][reader.reading.count % READING_HELLOS][reader.reading.status] =
			1;
		compare(&reader.reading, &judged, judges[i].name);
	}
	return 0;
}
