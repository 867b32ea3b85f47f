/* SPDX-License-Identifier: BSD-2-Clause */
/* A reason ──► what it says about its cause, what usually is one, and what to do. */
#include "analysis/reason_about.h"

#include <stddef.h>

#define ABOUT(constant, class, causes, advice)                                                                         \
	case SNIF_REASON_##constant:                                                                                   \
		return (struct reason_about){REASON_##class, causes, advice};

static const char crafted[] = "No usual program sends that: look at the one that did.";

/*
 * The only list of causes and advice: explain, notices, summary and docs/reasons.md take from it. Without a default, so
 * that the compiler asks for a reason that is new.
 */
struct reason_about reason_about(enum snif_reason reason) {
	/* clang-format off */
	switch (reason) {
	ABOUT(NAME_ALLOWED, ALLOWED, "A rule under `tls.allow` covers the name, at this address and port.", "Nothing.")
	ABOUT(ADDRESS_ALLOWED, ALLOWED, "A rule under `direct.allow` or `dns.servers` covers the address.",
	      "Nothing; what it lets through is not inspected.")
	ABOUT(INBOUND_ALLOWED, ALLOWED, "A server of the command has answered a client.",
	      "Nothing; `inbound: deny` refuses these.")
	ABOUT(CONNECTION_KEPT, ALLOWED, "It was open when `snifence attach --existing keep` was called.",
	      "Nothing; `--existing cut` refuses these.")
	ABOUT(NAME_NOT_ALLOWED, NO_RULE, "A host that the policy does not list yet; telemetry; a redirect; a download from "
	      "another host than the site's.", "Where it is wanted, add the name under `tls.allow`.")
	ABOUT(ADDRESS_NOT_ALLOWED, NO_RULE, "A service that is reached by its address: a database, ssh, a server on this "
	      "machine; a `tls.to` that is too narrow.",
	      "Where it is wanted, add the address and port under `direct.allow`; it is then not inspected.")
	ABOUT(PORT_NOT_ALLOWED, NO_RULE, "Another port than 443, plain HTTP on port 80, QUIC (UDP 443), or a DNS server that "
	      "the policy does not name.",
	      "For TLS on another port, `ports` of the host's rule; for DNS, `dns.servers`; else `direct.allow`. Clients "
	      "fall back from QUIC to TCP by themselves.")
	ABOUT(NAME_DENIED, DENY_RULE, "A rule under `tls.deny`.",
	      "Nothing where it is expected: `{host: …, expected: true}` keeps it out of notices and summaries.")
	ABOUT(ADDRESS_DENIED, DENY_RULE, "A rule under `direct.deny`.", "Nothing, or change the rule.")
	ABOUT(ECH_DENIED, DENY_RULE, "A browser with Encrypted Client Hello, and `tls.ech: deny`.",
	      "Turn ECH off in the client, or write `tls.ech: outer`.")
	ABOUT(INBOUND_DENIED, DENY_RULE, "A server of the command, and `inbound: deny`.",
	      "Write `inbound: allow` where it may answer.")
	ABOUT(NAME_ELSEWHERE, ELSEWHERE, "An address list that is old, as providers move; or an allowed name sent to somebody "
	      "else's server.", "Bring the list up to date, or leave `to` out of the rule; if neither, it was an attempt.")
	ABOUT(NOT_TLS, UNUSUAL, "Plain HTTP, ssh or a database on a port where names are checked; STARTTLS; a proxy's CONNECT.",
	      "Use TLS from the first byte, or allow the address under `direct`.")
	ABOUT(SNI_MISSING, UNUSUAL, "A client that connects to an address, or one that is very old.",
	      "Have it use the name; or allow the address under `direct`.")
	ABOUT(NAME_IS_ADDRESS, UNUSUAL, "A client that was given an address, and sends it as a name.",
	      "Have it use the name; or allow the address under `direct`.")
	ABOUT(HELLO_INCOMPLETE, UNUSUAL, "A connection that was given up in the middle: a timeout, a scan.",
	      "Nothing, if it is seldom.")
	ABOUT(HELLO_BUDGET, UNUSUAL, "Hundreds of connections that each send half a hello and wait.",
	      "Nothing, if it is seldom; the budget fills up with time.")
	ABOUT(SEQUENCE_GAP, UNUSUAL, "Packets out of order, by something that rewrites them on this machine.",
	      "Nothing, if it is seldom: the client tries again.")
	ABOUT(ESNI, UNUSUAL, "A browser of 2020 or older, with encrypted SNI.", "Turn it off there.")
	ABOUT(TRAILING_DOT, UNUSUAL, "A URL with a dot behind the host, and a client that does not take it off.",
	      "Take the dot off; or `tls.unusual: [trailing_dot]` lets it pass.")
	ABOUT(HELLO_VERSION, UNUSUAL, "A client for SSLv3, or a scanner.", "Use one that knows TLS 1.2.")
	ABOUT(HELLO_TOO_LONG, LONG_HELLO, "A session ticket that holds a large client certificate (Java).",
	      "`tls.max_hello` can be up to 64 KiB.")
	ABOUT(SPLIT_RECORDS, ATTACK, "A tool that cuts ClientHellos to get around filters.",
	      "No usual client does that; `tls.unusual: [split_records]` lets it pass.")
	ABOUT(SOCKET_TYPE, ATTACK, "ping, traceroute, a scanner, or SCTP.",
	      "There is no rule that allows these: use TCP or UDP.")
	ABOUT(UNTRACKED, FILTER, "A connection from before the policy was attached, or a socket that came from outside.",
	      "Have the program connect again.")
	ABOUT(MALFORMED_PACKET, ATTACK, "A packet made by hand.", crafted)
	ABOUT(FRAGMENT, FILTER, "A datagram larger than a packet, or one made by hand.",
	      "Have the program send smaller ones: what comes in fragments cannot be judged.")
	ABOUT(SOURCE_ROUTE, ATTACK, "A packet with a source route, which nobody uses any more.", crafted)
	ABOUT(URGENT_DATA, ATTACK, "MSG_OOB in front of a ClientHello, which servers skip and filters may read.", crafted)
	ABOUT(SSLV2_HELLO, ATTACK, "A client of the nineties, or a scanner.", crafted)
	ABOUT(NOT_HANDSHAKE, ATTACK, "A TLS record that comes before the ClientHello.", crafted)
	ABOUT(RECORD_EMPTY, ATTACK, "A stream made by hand.", crafted)
	ABOUT(RECORD_TOO_LONG, ATTACK, "A stream made by hand, or one that is not TLS.", crafted)
	ABOUT(NOT_CLIENT_HELLO, ATTACK, "A stream made by hand.", crafted)
	ABOUT(HELLO_LENGTH, ATTACK, "A stream made by hand.", crafted)
	ABOUT(EXTENSION_TWICE, ATTACK, "A ClientHello with two names in it, of which each reader takes another.", crafted)
	ABOUT(TOO_MANY_EXTENSIONS, ATTACK, "A stream made by hand.", crafted)
	ABOUT(SNI_EMPTY, ATTACK, "A stream made by hand.", crafted)
	ABOUT(SNI_TYPE, ATTACK, "A stream made by hand.", crafted)
	ABOUT(SNI_MULTIPLE, ATTACK, "A ClientHello with two names in it, of which each reader takes another.", crafted)
	ABOUT(NAME_INVALID, ATTACK, "A name with bytes that no hostname has.", crafted)
	ABOUT(NAME_TOO_LONG, ATTACK, "A name that no DNS could hold.", crafted)
	ABOUT(SCAN_LIMIT, ATTACK, "A stream made by hand, of very many very small parts.", crafted)
	ABOUT(DEVICE, ATTACK, "A VPN or a virtual machine, which send packets by a device.",
	      "Run it outside; it has no rule.")
	ABOUT(OTHER_DESTINATION, FILTER, "A load balancer in the kernel (Cilium), or another program that rewrites connect().",
	      "Where another program rewrites connect(), a `direct` rule for the real address lets it pass.")
	ABOUT(V4_MAPPED, ATTACK, "A packet made by hand.", crafted)
	ABOUT(NAT64_NOT_GLOBAL, ATTACK, "A private address behind the NAT64 prefix.", crafted)
	ABOUT(SOURCE_ADDRESS, ATTACK, "A socket that was bound to an address which is not this machine's.", crafted)
	ABOUT(NO_POLICY, FILTER, "An attachment that is not whole.", "`snifence status` and `snifence verify` say what it lacks.")
	ABOUT(STATE_LOST, FILTER, "The kernel was out of memory.", "Look at the limits of the cgroup and the machine.")
	ABOUT(MPTCP, FILTER, "A program that tries MPTCP first (Go), and then takes TCP.", "Nothing.")
	ABOUT(SOCKET_OPTION, FILTER, "A socket that joins a multicast group, or asks for what only raw tools need.",
	      "Most need none of these; a multicast group can be joined where a `direct` rule allows it by UDP.")
	ABOUT(FURTHER_SUBFLOW, FILTER, "An MPTCP connection from before the policy was attached.",
	      "Nothing: it goes on by its first subflow.")
	ABOUT(REVOKED, DENY_RULE, "A connection that was open when a new policy came into force, which has no rule for it.",
	      "Nothing where that is meant; the refusal of the next connection says which rule it lacks.")
	ABOUT(DNS_ALLOWED, ALLOWED, "A lookup through a server of `dns.servers`.", "Nothing.")
	ABOUT(ADDRESS_BOUND, ALLOWED, "A rule under `direct.allow` has a `host`, and a lookup gave this address for it.",
	      "Nothing; what it lets through is not inspected.")
	ABOUT(NAME_NOT_BOUND, ELSEWHERE, "A name that no rule allows, where any may be looked up; an address from another "
	      "resolver, from a cache that is older than the run, or from /etc/hosts; or an allowed name sent to somebody else's "
	      "server.",
	      "`dns.names: policy` refuses the lookup of a name that no rule allows, and tells the name. Else have the program "
	      "look the name up through `dns.servers`, or for what is attached `snifence monitor` "
	      "(`dns.resolve: exact`); `dns.bind: observe` lets it pass, and marks it.")
	ABOUT(DNS_NAME, NO_RULE, "A host that the policy does not list yet; telemetry; a reverse lookup (PTR) of an "
	      "address that no name was found at; data that is to leave in names.",
	      "Where it is wanted, add the name under `tls.allow`; where it is not for TLS, with its ports under `direct.allow`; "
	      "or under `dns.allow` to have it looked up and no more.")
	ABOUT(DNS_TYPE, UNUSUAL, "A mail program (MX), a tool that asks for TXT, or for SRV.",
	      "`dns.names: any` lets every question pass.")
	ABOUT(DNS_QUESTION, UNUSUAL, "Something else than DNS on port 53, a client with options that resolvers send on; over "
	      "TCP a question in pieces, or more than 63 at once.", "`dns.names: any` lets every question pass.")
	ABOUT(DNS_FORGED, ATTACK, "A resolver inside, at an address of `dns.servers`.",
	      "Run it outside: who is inside cannot be the server that names are bound by.")
	case SNIF_REASON_NONE:
	case SNIF_REASON_COUNT:
		break;
	}
	/* clang-format on */
	return (struct reason_about){0};
}

const struct reason_about system_call_about = {
	REASON_FILTER,
	"A container engine, a sandbox or a tool for the network; a server with sendfile (nginx).",
	"The notice says what the call could do, and for some programs what they can do instead; `--no-seccomp` gives up "
	"these refusals, and what they are for.",
};

enum reason_class reason_class(enum snif_reason reason) {
	return reason_about(reason).class;
}
