/* SPDX-License-Identifier: BSD-2-Clause */
/* Datagrams for cases: where they go, and whether they went. */
#ifndef EVASION_DATAGRAM_H
#define EVASION_DATAGRAM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "../support/lab.h"

struct place {
	struct sockaddr_storage address;
	socklen_t length;
};

struct place place(const char *address, uint16_t port);

/* A socket for datagrams to there, to be closed by the caller; counts as one connection. */
int datagram_socket(const struct place *place);

/* Connects, which succeeds whatever the policy says. */
void connect_to(int fd, const struct place *place);

/* sendto() of one byte. */
ssize_t send_to(int fd, const struct place *place);

/* Checks that a call has failed with EPERM: `result` is what it returned. */
void refused(ssize_t result);

/* Checks that the server of UDP has received no more bytes than `before`. */
void nothing_arrived(struct lab_server *server, size_t before);

/* Takes all events that there are. */
void drain(void);

/* Without events of what is allowed: the lab keeps all that come, and of races these are many. `false` ends it. */
void only_refusals(bool only);

#endif
