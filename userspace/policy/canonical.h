/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The canonical form of a policy: what it means, in one text, whose SHA-256 names the policy. It does not depend on the
 * file's name, on comments, on the order of rules, or on how sets are called and divided over files.
 *
 *   snifence policy 1
 *   mode enforce | audit
 *   ech outer | deny
 *   inbound allow | deny
 *   max_hello BYTES
 *   unusual [split_records] [trailing_dot]
 *   dns bind … names … https … ttl LEAST MOST grace SECONDS [log answers] [resolve exact]
 *   allow HOST [starts postgres] tcp PORTS to ADDRESSES    a host rule with its zone; HOST as in the policy, `*` for any
 *   deny HOST
 *   direct allow | deny tcp | udp PORTS to ADDRESSES
 *   dns server ADDRESSES
 *   inspect [starts postgres] tcp PORTS to ADDRESSES       a zone, also when no host rule uses it
 *   lookup [search] HOST [PROTOCOLS PORTS]                 a name that may be looked up, with what a direct rule allows
 *
 * The three kinds of `dns` and `lookup` are there only where a policy has rules for lookups. The lines from `allow` on are
 * sorted by their bytes and each is there once; every line ends with a newline. PORTS are ranges like 22,5432,8000-8999, as
 * few as possible; `-` when there are none. PROTOCOLS are the bits PROTO_TCP and PROTO_UDP. ADDRESSES is the SHA-256, in
 * hexadecimal, of a list: its prefixes, sorted, each once, each on a line of its own like 192.0.2.0/24 or 192.0.2.1.
 */
#ifndef SNIF_CANONICAL_H
#define SNIF_CANONICAL_H

#include <stdio.h>

#include "base/sha256.h"
#include "policy/policy.h"

/* Writes the SHA-256 of the policy's canonical form in hexadecimal. Returns 0 or -ENOMEM. */
int canonical_sha256(const struct policy *policy, char sha256[SHA256_HEX]);

/* Writes the canonical form itself. Returns 0, -ENOMEM or -EIO; errors of `out` are the caller's to see. */
int canonical_write(const struct policy *policy, FILE *out);

#endif
