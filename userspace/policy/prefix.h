/* SPDX-License-Identifier: BSD-2-Clause */
/* Address prefixes as people write them (RFC 4632, RFC 4291 section 2.3) and as policy.h keeps them. */
#ifndef SNIF_PREFIX_H
#define SNIF_PREFIX_H

#include "policy/policy.h"

#define PREFIX_MESSAGE 320 /* room for a message about a prefix */
#define PREFIX_TEXT 64	   /* room for a prefix as text */

enum prefix_result {
	PREFIX_OK,
	PREFIX_HOST_BITS, /* a prefix, but bits behind its length are set: `out` has them cleared */
	PREFIX_WRONG,	  /* no prefix, or one that must not be used: `out` is not set */
};

/*
 * Reads `text`: an IPv4 or IPv6 address, alone or with `/length`. A prefix of v4-mapped addresses (RFC 4291, section
 * 2.5.5.2) is the IPv4 prefix that it maps. Refused: one that is wider than those and still holds them, zone ids (RFC
 * 4007), and prefixes of 64:ff9b::/96 (NAT64, RFC 6052), because what is sent there is judged as IPv4. Unless the
 * result is PREFIX_OK, `message` says in one line what is wrong and what to write.
 *
 * An IPv6 prefix that is shorter than 96 bits, like ::/0, means IPv6 addresses only, although the IPv4 addresses in
 * v4-mapped form lie inside it: who compiles prefixes cuts them out.
 */
enum prefix_result prefix_parse(const char *text, struct prefix *out, char message[PREFIX_MESSAGE]);

/* Writes a prefix as a person would: 10.0.0.0/8, 2001:db8::/32, without the length when it is a single address. */
void prefix_format(const struct prefix *prefix, char text[PREFIX_TEXT]);

/* Adds a copy of `prefix`. Returns 0 or -ENOMEM. */
int prefix_list_add(struct prefix_list *list, const struct prefix *prefix);

/* Sorts by address, then by length, and drops what is there twice. Overlapping prefixes stay: among rules, the most
 * specific one decides. */
void prefix_list_sort(struct prefix_list *list);

#endif
