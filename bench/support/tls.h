/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A TLS client and a TLS server (TLS 1.3 by OpenSSL, an ECDSA P-256 certificate, no session reuse), a process each,
 * which do work for the bench. The client does one work at a time, as it is told; so CPU time can be read before and
 * after.
 */
#ifndef SNIF_TLS_H
#define SNIF_TLS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sides.h"

#define BENCH_ALLOWED "allowed.lab.test"
#define BENCH_FORBIDDEN "forbidden.lab.test"

/* The server, in FAR, at both ports; returns once it listens. What filters does so at the first. */
enum { TLS_PORT = 443, TLS_PLAIN_PORT = 8443 };
void tls_server_start(void);

enum tls_task {
	TLS_PROBE,   /* one handshake for `name`: did it succeed? */
	TLS_CONNECT, /* new connections, `parallel` at a time, one after the other for `seconds`: time of each handshake,
		      * from connect() on */
	TLS_OPEN,    /* the connection on which the following work is done */
	TLS_REQUEST, /* requests of 128 bytes, answered by 512, one after the other for `seconds`: time of each */
	TLS_DOWN,    /* `bytes` from the server, in one answer */
	TLS_UP,	     /* `bytes` to the server, in one request */
	TLS_TELL,    /* nothing: p50 and p99 of all work of task `of` so far that said `keep` */
	TLS_TASKS,
};

struct tls_work {
	enum tls_task task;
	uint16_t port;
	char name[64];
	unsigned parallel;
	double seconds;
	uint64_t bytes;
	bool keep;
	enum tls_task of;
};

struct tls_done {
	bool failed;
	char error[128]; /* why */
	uint64_t count;	 /* CONNECT, REQUEST: how many */
	double seconds;	 /* how long it took */
	double p50, p99; /* CONNECT, REQUEST, TELL: microseconds; by the nearest rank, so a time that there was */
};

struct tls_client {
	pid_t pid;
	int fd;
};

/*
 * Starts a client in a side. `wrapper`: the command line before its own (`snifence run POLICY --`), ends with NULL, may
 * be NULL. Returns once it is ready. main() has to hand over to tls_client_main() where argv[1] is TLS_CLIENT.
 */
#define TLS_CLIENT "tls-client"
void tls_client_start(struct tls_client *client, enum side side, const char *const wrapper[]);
int tls_client_main(void);
/* Does one work. What cannot be done ends the round, but for TLS_PROBE. */
struct tls_done tls_client_do(struct tls_client *client, const struct tls_work *work);
/* Tells it to end, and waits until it and its wrapper have. */
void tls_client_end(struct tls_client *client);

/* How the two talk, on top of TLS: a request says how many bytes follow it, and how many are to be answered. */
enum { TLS_REQUEST_SIZE = 128, TLS_ANSWER_SIZE = 512, TLS_CHUNK = 1 << 17 };
struct tls_request {
	uint64_t upload, download;
	uint8_t padding[TLS_REQUEST_SIZE - 16];
};

#define TLS_CERTIFICATE "certificate.pem" /* in SIDES_FOLDER: the server's, self-signed */

#endif
