/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes of a connection ──► OpenSSL, over memory ──► what a real server took them for. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "lab_parts.h"

struct identity {
	EVP_PKEY *key;
	X509 *certificate;
};

static void add_extension(X509 *certificate, int nid, const char *value) {
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(extension);
	X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
}

/* One for the process: making a key takes a while. */
static const struct identity *identity(void) {
	static struct identity made;
	X509_NAME *name;

	if (made.certificate)
		return &made;
	made.key = EVP_EC_gen("P-256");
	made.certificate = X509_new();
	assert_non_null(made.key);
	X509_set_version(made.certificate, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(made.certificate), -3600);
	X509_gmtime_adj(X509_getm_notAfter(made.certificate), 24 * 3600);
	X509_set_pubkey(made.certificate, made.key);
	name = X509_get_subject_name(made.certificate);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"lab.test", -1, -1, 0);
	X509_set_issuer_name(made.certificate, name);
	add_extension(made.certificate, NID_subject_alt_name, "DNS:lab.test,DNS:*.lab.test");
	add_extension(made.certificate, NID_basic_constraints, "critical,CA:TRUE");
	assert_true(X509_sign(made.certificate, made.key, EVP_sha256()) > 0);
	return &made;
}

const char *lab_certificate(void) {
	char *text, *copy;
	BIO *memory = BIO_new(BIO_s_mem());
	long length;

	PEM_write_bio_X509(memory, identity()->certificate);
	length = BIO_get_mem_data(memory, &text);
	copy = strndup(text, (size_t)length);
	BIO_free(memory);
	return lab_write("certificate.pem", lab_keep(copy));
}

static int on_hello(SSL *ssl, int *alert, void *context) {
	struct lab_connection *seen = SSL_get_app_data(ssl);

	(void)alert;
	(void)context;
	seen->hello = true;
	return SSL_CLIENT_HELLO_SUCCESS;
}

static int on_name(SSL *ssl, int *alert, void *context) {
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	struct lab_connection *seen = SSL_get_app_data(ssl);

	(void)alert;
	(void)context;
	snprintf(seen->name, sizeof(seen->name), "%s", name ? name : "");
	return SSL_TLSEXT_ERR_OK;
}

SSL_CTX *lab_tls_context(void) {
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	assert_non_null(context);
	SSL_CTX_use_certificate(context, identity()->certificate);
	SSL_CTX_use_PrivateKey(context, identity()->key);
	SSL_CTX_set_client_hello_cb(context, on_hello, NULL);
	SSL_CTX_set_tlsext_servername_callback(context, on_name);
	return context;
}

SSL *lab_tls_new(SSL_CTX *context, struct lab_connection *seen) {
	SSL *ssl = SSL_new(context);

	if (!ssl)
		abort();
	SSL_set_app_data(ssl, seen);
	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_accept_state(ssl);
	return ssl;
}

/* A page for who asks for one, then the end; an echo for everybody else. False: that was all. */
static bool answer(SSL *ssl, const struct lab_connection *seen, const char *text, int length) {
	char body[512], page[700];

	if (length < 4 || memcmp(text, "GET ", 4)) {
		SSL_write(ssl, text, length);
		return true;
	}
	snprintf(body, sizeof(body), "this is %s\n", seen->name[0] ? seen->name : "(no name)");
	snprintf(page, sizeof(page), "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n%s",
		 strlen(body), body);
	SSL_write(ssl, page, (int)strlen(page));
	SSL_shutdown(ssl);
	return false;
}

static void flush(SSL *ssl, int fd) {
	char bytes[4096];
	int length;

	while ((length = BIO_read(SSL_get_wbio(ssl), bytes, sizeof(bytes))) > 0)
		if (send(fd, bytes, (size_t)length, MSG_NOSIGNAL) < 0)
			return;
}

bool lab_tls_feed(SSL *ssl, struct lab_connection *seen, int fd, const void *bytes, size_t length) {
	char text[4096];
	bool more = true;
	int count;

	BIO_write(SSL_get_rbio(ssl), bytes, (int)length);
	while (more && (count = SSL_read(ssl, text, sizeof(text))) > 0)
		more = answer(ssl, seen, text, count);
	if (more && SSL_get_error(ssl, count) != SSL_ERROR_WANT_READ)
		more = false;
	seen->handshake = SSL_is_init_finished(ssl);
	flush(ssl, fd);
	return more;
}
