/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes that came through ──► OpenSSL and GnuTLS, over memory ──► the names that they saw. */
#include "judges.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "../support/lab_parts.h"

const struct judge judges[JUDGES] = {{"OpenSSL", judge_openssl}, {"GnuTLS", judge_gnutls}};

static void saw(struct judged *judged, const char *name) {
	size_t length = strlen(name), at = judged->hellos < JUDGE_HELLOS ? judged->hellos : JUDGE_HELLOS - 1;

	if (length > 0 && name[length - 1] == '.')
		length--;
	for (size_t i = 0; i < length && i < sizeof(judged->names[at]) - 1; i++)
		judged->names[at][i] = (char)tolower((unsigned char)name[i]);
	judged->hellos++;
}

static int on_openssl_name(SSL *ssl, int *alert, void *context) {
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	(void)alert;
	(void)context;
	saw(SSL_get_app_data(ssl), name ? name : "");
	return SSL_TLSEXT_ERR_OK;
}

/* The lab's certificate, with whatever a lax server would still take. */
static SSL_CTX *openssl_context(void) {
	static SSL_CTX *context;

	if (context)
		return context;
	context = lab_tls_context();
	SSL_CTX_set_client_hello_cb(context, NULL, NULL);
	SSL_CTX_set_tlsext_servername_callback(context, on_openssl_name);
	SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
	SSL_CTX_set_security_level(context, 0);
	SSL_CTX_set_max_early_data(context, 1 << 14);
	return context;
}

void judge_openssl(const uint8_t *bytes, size_t length, struct judged *judged) {
	SSL *ssl = SSL_new(openssl_context());
	char read[1024];

	memset(judged, 0, sizeof(*judged));
	if (!ssl)
		abort();
	SSL_set_app_data(ssl, judged);
	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_accept_state(ssl);
	BIO_write(SSL_get_rbio(ssl), bytes, (int)length);
	while (SSL_read(ssl, read, sizeof(read)) > 0)
		;
	ERR_clear_error();
	SSL_free(ssl);
}

/* The bytes that are still to be read by GnuTLS. */
struct memory {
	const uint8_t *bytes;
	size_t left;
	gnutls_session_t session;
	struct judged *judged;
};

static ssize_t on_pull(gnutls_transport_ptr_t context, void *to, size_t length) {
	struct memory *memory = context;

	if (memory->left == 0) {
		gnutls_transport_set_errno(memory->session, EAGAIN);
		return -1;
	}
	if (length > memory->left)
		length = memory->left;
	memcpy(to, memory->bytes, length);
	memory->bytes += length;
	memory->left -= length;
	return (ssize_t)length;
}

static int on_pull_timeout(gnutls_transport_ptr_t context, unsigned int ms) {
	const struct memory *memory = context;

	(void)ms;
	return memory->left > 0;
}

static ssize_t on_push(gnutls_transport_ptr_t context, const void *bytes, size_t length) {
	(void)context;
	(void)bytes;
	return (ssize_t)length;
}

static int on_gnutls_hello(gnutls_session_t session, unsigned int message, unsigned int when, unsigned int incoming,
			   const gnutls_datum_t *data) {
	struct memory *memory = gnutls_session_get_ptr(session);
	size_t length = sizeof(memory->judged->names[0]) - 1;
	unsigned int type;
	char name[256] = "";

	(void)message;
	(void)when;
	(void)data;
	if (incoming && gnutls_server_name_get(session, name, &length, &type, 0))
		name[0] = '\0';
	if (incoming)
		saw(memory->judged, name);
	return 0;
}

static gnutls_certificate_credentials_t gnutls_credentials(void) {
	static gnutls_certificate_credentials_t credentials;
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t certificate;

	if (credentials)
		return credentials;
	gnutls_x509_privkey_init(&key);
	gnutls_x509_crt_init(&certificate);
	gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	gnutls_x509_crt_set_version(certificate, 3);
	gnutls_x509_crt_set_serial(certificate, "\1", 1);
	gnutls_x509_crt_set_activation_time(certificate, time(NULL) - 3600);
	gnutls_x509_crt_set_expiration_time(certificate, time(NULL) + 24 * 3600);
	gnutls_x509_crt_set_dn(certificate, "CN=lab.test", NULL);
	gnutls_x509_crt_set_key(certificate, key);
	gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_SHA256, 0);
	gnutls_certificate_allocate_credentials(&credentials);
	if (gnutls_certificate_set_x509_key(credentials, &certificate, 1, key))
		abort();
	gnutls_x509_crt_deinit(certificate);
	gnutls_x509_privkey_deinit(key);
	return credentials;
}

void judge_gnutls(const uint8_t *bytes, size_t length, struct judged *judged) {
	struct memory memory = {.bytes = bytes, .left = length, .judged = judged};
	int error;

	memset(judged, 0, sizeof(*judged));
	if (gnutls_init(&memory.session, GNUTLS_SERVER | GNUTLS_NONBLOCK))
		abort();
	gnutls_priority_set_direct(memory.session, "NORMAL:+VERS-ALL:%COMPAT", NULL);
	gnutls_credentials_set(memory.session, GNUTLS_CRD_CERTIFICATE, gnutls_credentials());
	gnutls_handshake_set_hook_function(memory.session, GNUTLS_HANDSHAKE_CLIENT_HELLO, GNUTLS_HOOK_POST,
					   on_gnutls_hello);
	gnutls_session_set_ptr(memory.session, &memory);
	gnutls_transport_set_ptr(memory.session, &memory);
	gnutls_transport_set_pull_function(memory.session, on_pull);
	gnutls_transport_set_pull_timeout_function(memory.session, on_pull_timeout);
	gnutls_transport_set_push_function(memory.session, on_push);
	do
		error = gnutls_handshake(memory.session);
	while (error < 0 && !gnutls_error_is_fatal(error) && memory.left > 0);
	gnutls_deinit(memory.session);
}
