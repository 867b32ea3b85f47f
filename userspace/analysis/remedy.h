/* SPDX-License-Identifier: BSD-2-Clause */
/* A refusal ──► what to write into the policy to allow it, or why there is no such thing. */
#ifndef SNIF_REMEDY_H
#define SNIF_REMEDY_H

#include <stdio.h>

#include "policy/policy.h"
#include "reason.h"

struct refusal {
	enum snif_reason reason;
	const char *name;    /* the server name, or the one to be looked up; "" where there is none */
	uint8_t address[16]; /* v4-mapped; all zero: not known */
	uint16_t port;
	uint8_t protocol; /* IPPROTO_* */
	uint32_t rule;	  /* that decided; 0: none */
	bool let_through; /* by audit mode: what came of it has been seen, too */
};

enum { REMEDY_TEXT = 384 };

/* Of a name whose lookup was refused nobody knows what was to follow. */
#define REMEDY_LOOKUP "for TLS; else direct.allow: {host: NAME, ports: [N]}; for lookups alone: dns.allow"

struct remedy {
	const char *section; /* whose list gets the rule, like `tls.allow`; NULL: no rule is to be recommended */
	/* the rule as an item of a list in YAML; without `section` what there is to say instead */
	char text[REMEDY_TEXT];
	const char *note; /* on the rule, as a comment; NULL: none. Static text */
};

/* Finds it. `policy` is the one that refused. Returns 0 or -ENOMEM. */
int remedy_find(const struct policy *policy, const struct refusal *refusal, struct remedy *remedy);

/* Why no rule is to be recommended for a name that may not be looked up; NULL: it may be that of a host. Static text. */
const char *remedy_needless(const char *name);

/* Prints the rules of those that have one as a part of a policy, each once, with `indent` before every line. */
void remedies_print(const struct remedy *remedies, size_t count, const char *indent, FILE *out);

#endif
