/* SPDX-License-Identifier: BSD-2-Clause */
/* DNS in a capture ──► which client has found which name at which address. */
#ifndef SNIF_LOOKUPS_H
#define SNIF_LOOKUPS_H

#include "compile/tables.h"
#include "inspect/flow.h"

struct lookups;

/* For a policy. NULL: out of memory. */
struct lookups *lookups_new(snif_tables tables);

/* What a message says. */
enum lookup_kind {
	LOOKUP_NONE,	/* nothing, or a question that may be asked */
	LOOKUP_REFUSED, /* a question that may not */
	LOOKUP_ANSWER,	/* an answer to a question, of any name */
};

struct lookup {
	const struct flow_message *message;
	const struct snif_dns *dns;
	struct snif_judgement refusal; /* of a question; its reason NONE: it may be asked */
	bool bound;		       /* of an answer: its addresses count for the name from here on */
};

/*
 * Takes a message as the kernel's side does (bpf/question.bpf.h, answer.bpf.h), in the order of the capture: a question
 * to a DNS server of the policy is judged; an answer counts that such a server gives to a question before it, of the same
 * client and port, for a name that the policy allows. Returns an enum lookup_kind, with `lookup` written where it is not
 * LOOKUP_NONE, valid until the next call; or -ENOMEM.
 */
int lookups_add(struct lookups *lookups, const struct flow_message *message, struct lookup *lookup);

/* What is known of an address, for one client at one moment of the capture. Addresses are v4-mapped. */
struct lookup_place {
	const uint8_t *client, *address;
	struct timespec time;
};

/* Whether the name (normalised) was found there; NULL: any name. */
bool lookups_found(const struct lookups *lookups, const struct lookup_place *place, const uint8_t *name,
		   uint16_t length);

/* Whether a name was found there that a rule of one of these groups (snif_named_groups()) is about, and which rule. */
bool lookups_found_group(const struct lookups *lookups, const struct lookup_place *place, uint64_t groups,
			 uint32_t *rule);

void lookups_free(struct lookups *lookups); /* NULL is allowed */

#endif
