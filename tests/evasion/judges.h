/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Real servers as judges: what OpenSSL and GnuTLS make of the bytes that came through the filter. The invariant: where
 * the filter let a flow through for name N, every server that takes the hello sees N, and no server sees a name that
 * was not let through.
 */
#ifndef SNIF_EVASION_JUDGES_H
#define SNIF_EVASION_JUDGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JUDGE_HELLOS = 4 };

/* What one server saw. */
struct judged {
	size_t hellos;		       /* ClientHellos whose extensions it has read; the last ones share an entry */
	char names[JUDGE_HELLOS][256]; /* the server name of each, in lower case, without one trailing dot; "": none */
};

/* Feeds `length` bytes to a server over memory. Nothing is sent anywhere. */
void judge_openssl(const uint8_t *bytes, size_t length, struct judged *judged);
void judge_gnutls(const uint8_t *bytes, size_t length, struct judged *judged);

struct judge {
	const char *name;
	void (*judge)(const uint8_t *bytes, size_t length, struct judged *judged);
};

enum { JUDGES = 2 };
extern const struct judge judges[JUDGES];

#endif
