/* SPDX-License-Identifier: BSD-2-Clause */
/* Host rules as people write them: example.com, *.example.com, .example.com. */
#ifndef SNIF_HOSTNAME_H
#define SNIF_HOSTNAME_H

#include "name.h"
#include "policy/policy.h"

#define HOSTNAME_MESSAGE 512 /* room for a message about a host */

struct hostname {
	enum host_form form;
	char name[SNIF_NAME_BUFFER]; /* lower-case A-labels, without `*.` or `.` before and without a dot behind */
};

/*
 * The first `bytes` bytes of a name (at most 8; zeros behind its end) as a number: names are in the order of their
 * numbers, as far as these differ. To sort by it first spares most looks at the names, which in a large policy are
 * spread over more memory than a cache holds.
 */
uint64_t hostname_key(const char *name, unsigned bytes);

/* The host in a URL, or in a host with a port or a path behind it. Points into `text`, `length` bytes. */
const char *hostname_part(const char *text, size_t *length);

/* Whether the first `length` bytes of the text are an address, or a prefix of addresses. */
bool hostname_is_address(const char *text, size_t length);

bool hostname_is_ascii(const char *text);

/*
 * Reads the host of a rule from UTF-8 text. Unicode becomes A-labels (IDNA2008 with the mapping of UTS 46,
 * non-transitional); upper case becomes lower case; one dot behind is dropped. The name is then held to the same rules
 * as a server name on the wire (snif_name_normalise). `any_suffix` says that the form may cover a whole public suffix
 * (publicsuffix.org), below which anyone can have a name. Returns 0, or -EINVAL with one line in `message` that says
 * what is wrong and what to write.
 */
int hostname_parse(const char *text, bool any_suffix, struct hostname *out, char message[HOSTNAME_MESSAGE]);

#endif
