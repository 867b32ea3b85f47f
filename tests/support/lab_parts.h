/* SPDX-License-Identifier: BSD-2-Clause */
/* What the lab's own files know of each other. Tests need lab.h only. */
#ifndef SNIF_LAB_PARTS_H
#define SNIF_LAB_PARTS_H

#include "lab.h"

typedef struct ssl_ctx_st SSL_CTX;
typedef struct ssl_st SSL;

/* The parts of lab_leave(). */
void lab_logs_end(void);
void lab_programs_end(void);
void lab_filter_end(void);
void lab_servers_end(void);
void lab_folder_end(void);

/* A bound socket, listening where it is of TCP; in the namespace of `namespace_fd` unless that is negative. */
int lab_listener(int namespace_fd, int type, const char *address, uint16_t port);

/* Keeps memory until the test ends. */
void *lab_keep(void *memory);

/* lab_tls.c: what a LAB_TLS server does with bytes. */
SSL_CTX *lab_tls_context(void);
SSL *lab_tls_new(SSL_CTX *context, struct lab_connection *seen);
/* Takes bytes from the network and sends what there is to say to `fd`. False: the connection is to be closed. */
bool lab_tls_feed(SSL *ssl, struct lab_connection *seen, int fd, const void *bytes, size_t length);

#endif
