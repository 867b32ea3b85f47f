/* SPDX-License-Identifier: BSD-2-Clause */
/* A DNS server of the test's own, which answers as the test wants it, over UDP and TCP. */
#ifndef SNIF_NAME_SERVER_H
#define SNIF_NAME_SERVER_H

#include <stdbool.h>

#include "dns_maker.h"

struct name_query {
	char name[256]; /* as asked, in lower case */
	uint16_t type;
	bool tcp;
	const struct bytes *message;
};

/* Writes the answer; one that is left empty is not sent. Runs in a process of its own. */
typedef void (*name_answer)(const struct name_query *query, struct bytes *answer);

/* What the servers of a test were asked. */
struct name_log {
	unsigned count;
	char names[256][256]; /* the first ones */
};

/* Starts a server on port 53 of an address of this namespace. It runs until name_servers_end(). */
void name_server(const char *address, name_answer answer);
/* The same where all answers over TCP are sent in pieces of so many bytes. */
void name_server_in_pieces(const char *address, name_answer answer, unsigned piece);
/* The same where the first piece of each answer gets lost, and comes behind the others. */
void name_server_that_loses(const char *address, name_answer answer, unsigned piece);
/* The same of an IPv6 address, where the connection's SYN-ACK comes once more behind its first answer. */
void name_server_that_repeats(const char *address, name_answer answer);
/* The same where answers over TCP wait until there are so many, and are sent at once. */
void name_server_that_gathers(const char *address, name_answer answer, unsigned count);
/* Of all servers since the test began. */
const struct name_log *name_servers_asked(void);
void name_servers_end(void);

#endif
