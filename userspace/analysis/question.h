/* SPDX-License-Identifier: BSD-2-Clause */
/* What a policy says of one connection. */
#ifndef SNIF_QUESTION_H
#define SNIF_QUESTION_H

#include <stdio.h>

#include "compile/tables.h"

struct question {
	const char *host; /* NULL: no server name is sent */
	bool has_address;
	bool port_given;     /* port or protocol were asked for */
	uint8_t address[16]; /* v4-mapped, as given */
	uint16_t port;
	uint8_t protocol; /* IPPROTO_TCP or IPPROTO_UDP */
};

struct answer {
	struct snif_judgement judgement;
	bool needs_lookup;   /* allowed at an address that a lookup has given for the name, and nowhere else */
	bool inspected;	     /* without an address: names are checked on this port, somewhere */
	uint32_t exception;  /* without an address: a direct rule that says the opposite for some of them; 0: none */
	uint8_t address[16]; /* that was judged: behind NAT64 the IPv4 one; loopback for 0.0.0.0 and :: */
	char name[SNIF_NAME_BUFFER]; /* that was judged: normalised when it is a good name, else as given, cut to fit */
};

/*
 * Decides in the kernel's order: the address, then, where that wants a server name, the name. A question without an
 * address is about any one that the zones which include the port cover, where the name is allowed there: it is denied
 * when direct rules deny all of those that its rule covers. Else it is about any that a lookup may find (loopback aside):
 * a `direct` rule by name allows it, unless others are about all addresses, and these allow or deny it then. A host with non-ASCII bytes is taken for a Unicode name. Returns 0; -EINVAL after
 * saying why when the host cannot be turned into a server name at all; -ENOMEM.
 */
int question_answer(const struct policy *policy, const struct compiled *compiled, const struct question *question,
		    struct answer *answer);

/*
 * Which rule decides about a server name, wherever it is sent to: the verdict is that at a destination which every rule
 * covers. It is ALLOW also where all places that the rule covers are denied by others.
 */
struct snif_judgement question_name(const struct compiled *compiled, const char *host);

/* The `direct` rule by name that a host (normalised) comes under; 0: none. */
uint32_t question_named(const struct compiled *compiled, const char *host);

/* Whether a rule lets a host (normalised) be looked up where `dns.names` is `policy`, and which one; or which denies it,
 * 0: none does. */
struct snif_judgement question_lookup(const struct compiled *compiled, const char *host);

/* Prints the answer in one line. */
void answer_print(const struct policy *policy, const struct question *question, const struct answer *answer, FILE *out);
/* Prints it as a JSON object in one line. Returns 0 or -ENOMEM. */
int answer_print_json(const struct policy *policy, const char *sha256, const struct question *question,
		      const struct answer *answer, FILE *out);

#endif
