/* SPDX-License-Identifier: BSD-2-Clause */
/* What tests of DNS do inside: lookups of their own making, and ClientHellos behind them. For lab_inside(). */
#ifndef SNIF_LOOKUP_H
#define SNIF_LOOKUP_H

#include "dns_maker.h"
#include "lab.h"

#define LOOKUP_SERVER "203.0.113.1"
enum { LOOKUP_NUMBER = 0x1234 };

struct lookup {
	struct bytes question; /* without one: of `name` and `type` */
	const char *name;
	uint16_t type;	    /* 0: A */
	const char *server; /* NULL: LOOKUP_SERVER */
	bool tcp;
	unsigned piece; /* over TCP: bytes in a segment; 0: all in one */
};

/* A socket that is connected to the server and waits a second for an answer; or a negative errno. */
int lookup_socket(const struct lookup *lookup);
/* Sends a question (struct lookup *) and waits for the answer. 0: it came; 1: none did; or a negative errno. */
int look_up(void *lookup);
/* Has the A record of a name looked up inside. */
int look_up_name(const char *name);

struct greeting {
	const char *name, *address;
	int ms; /* to wait for an answer; 0: patience */
};

/* Sends a ClientHello (struct greeting *). 0: the server answers; 1: it does not; or a negative errno: no connection. */
int greet(void *greeting);
/* Has it sent inside. */
int greet_at(const char *name, const char *address);
/* The same where it is refused on its way, which the test sees by the event: waits for an answer only a little. */
int greet_in_vain(const char *name, const char *address);

#endif
