/* SPDX-License-Identifier: BSD-2-Clause */
/* DNS in a capture ──► which client has found which name at which address. */
#ifndef SNIF_LOOKUPS_H
#define SNIF_LOOKUPS_H

#include "compile/tables.h"
#include "inspect/flow.h"

struct lookups;

/* For a policy. NULL: out of memory. */
struct lookups *lookups_new(snif_tables tables);

struct lookup_answer {
	const struct flow_datagram *datagram;
	const struct snif_dns *dns;
	bool bound; /* its addresses count for the name from here on */
};

/*
 * Takes a datagram as the kernel's side does (bpf/question.bpf.h, answer.bpf.h), in the order of the capture: an answer
 * counts that a DNS server of the policy gives to a question before it, of the same client and port, for a name that the
 * policy allows. Returns 1: it is such an answer, of any name, and `answer` is written, valid until the next call; 0: it
 * is anything else; or -ENOMEM.
 */
int lookups_add(struct lookups *lookups, const struct flow_datagram *datagram, struct lookup_answer *answer);

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
