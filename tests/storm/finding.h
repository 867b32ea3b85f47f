/* SPDX-License-Identifier: BSD-2-Clause */
/* What must not have arrived ──► one line each, a few of each kind. */
#ifndef SNIF_STORM_FINDING_H
#define SNIF_STORM_FINDING_H

#include "wire.h"

/* X(CONSTANT, "word", "what it means") */
/* clang-format off */
#define FINDINGS(X) \
	X(MALFORMED, "malformed", "a packet that does not parse") \
	X(PROTOCOL, "protocol", "a protocol that no rule can allow") \
	X(SOURCE, "source", "a source address that is not one of here") \
	X(MAPPED, "mapped", "a v4-mapped address in an IPv6 header") \
	X(ROUTED, "routed", "a source route or routing header") \
	X(NAT64, "nat64", "a non-global IPv4 address behind the well-known NAT64 prefix") \
	X(FRAGMENT, "fragment", "a fragment whose first one did not arrive before it") \
	X(UDP, "udp", "a datagram to where no rule allows any") \
	X(TCP, "tcp", "a TCP packet to where no rule allows any") \
	X(INBOUND, "inbound", "an answer to a visitor, whom the policy refuses") \
	X(UNTRACKED, "untracked", "data to an inspected place without a SYN before it") \
	X(MULTIPATH, "multipath", "an MPTCP handshake with an inspected place") \
	X(URGENT, "urgent", "urgent data before the name is known") \
	X(CHANGED, "changed", "other bytes in place of those that had arrived before") \
	X(GAP, "gap", "data behind a gap that was never filled, before the name is known") \
	X(STREAM, "stream", "a stream whose ClientHello is refused, with the bytes for which it is") \
	X(NAME, "name", "a ClientHello of a name that is not allowed there") \
	X(ECH, "ech", "Encrypted Client Hello, which the policy refuses") \
	X(GROUP, "group", "a membership report of a group or source that no rule allows") \
	X(ERROR, "error", "an ICMP error that quotes what was not sent to here") \
	X(ICMP, "icmp", "another ICMP message than an error or of neighbours") \
	X(NEIGHBOUR, "neighbour", "a neighbour looked for to whom no rule allows anything") \
	X(LINK, "link", "a frame that is not of IP or ARP")
/* clang-format on */

enum finding {
#define X(constant, word, text) FINDING_##constant,
	FINDINGS(X)
#undef X
		FINDING_COUNT
};

/* Tells a finding: the first few of a kind are printed. `wire` may be NULL. Kinds that STORM_KNOWN names, separated by
 * spaces, are printed but not counted. */
void finding_tell(enum finding finding, const struct wire *wire);

/* How many were told of a kind. */
unsigned finding_count(enum finding finding);
/* How many were told of all kinds that count. */
unsigned finding_sum(void);

/* Prints how many of each kind there were. */
void finding_summary(void);

#endif
