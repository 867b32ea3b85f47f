/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every decision has one reason, set where it is made. This list is the only one: kernel, events, check, tests and
 * fuzzers take their codes and words from it. Codes are part of the events' format: append, never renumber.
 */
#ifndef SNIF_REASON_H
#define SNIF_REASON_H

/* X(CONSTANT, "code in events", "what a person reads") */
/* one line for each reason */
/* clang-format off */
#define SNIF_REASONS(X) \
	X(NONE, "none", "not decided yet") \
	/* allowed */ \
	X(NAME_ALLOWED, "name_allowed", "the server name is on the allowlist") \
	X(ADDRESS_ALLOWED, "address_allowed", "an address rule allows it without inspection") \
	X(INBOUND_ALLOWED, "inbound_allowed", "the connection was accepted, not opened") \
	/* refused for what the policy says of names */ \
	X(NAME_NOT_ALLOWED, "name_not_allowed", "no rule allows this server name") \
	X(NAME_DENIED, "name_denied", "a deny rule covers this server name") \
	X(NAME_ELSEWHERE, "name_elsewhere", "the name's rule does not cover this address and port") \
	X(ECH_DENIED, "ech_denied", "the hello offers Encrypted Client Hello, which the policy refuses") \
	/* refused for what the policy says of addresses, ports and sockets */ \
	X(ADDRESS_NOT_ALLOWED, "address_not_allowed", "no rule covers this address") \
	X(PORT_NOT_ALLOWED, "port_not_allowed", "rules cover this address, but not with this protocol and port") \
	X(ADDRESS_DENIED, "address_denied", "a deny rule covers this address, protocol and port") \
	X(SOCKET_TYPE, "socket_type", "only TCP and UDP sockets are let out: no raw, ping, SCTP, UDP-Lite or DCCP") \
	X(INBOUND_DENIED, "inbound_denied", "the policy refuses accepted connections") \
	X(UNTRACKED, "untracked", "the connection was open before the filter saw it") \
	/* refused for the shape of the packet */ \
	X(MALFORMED_PACKET, "malformed_packet", "the IP or TCP header does not parse") \
	X(FRAGMENT, "fragment", "an IP fragment, sent as such") \
	X(SOURCE_ROUTE, "source_route", "a source route or routing header hides the destination") \
	X(URGENT_DATA, "urgent_data", "urgent data before the server name was judged") \
	X(SEQUENCE_GAP, "sequence_gap", "TCP data out of order before the server name was judged") \
	/* refused for the TLS records and the ClientHello */ \
	X(NOT_TLS, "not_tls", "the stream does not begin with a TLS record") \
	X(SSLV2_HELLO, "sslv2_hello", "an SSLv2 hello") \
	X(NOT_HANDSHAKE, "not_handshake", "a TLS record other than handshake before the ClientHello was complete") \
	X(RECORD_EMPTY, "record_empty", "an empty handshake record") \
	X(RECORD_TOO_LONG, "record_too_long", "a TLS record over 2^14 bytes") \
	X(NOT_CLIENT_HELLO, "not_client_hello", "the first handshake message is not a ClientHello") \
	X(HELLO_LENGTH, "hello_length", "lengths inside the ClientHello contradict each other") \
	X(HELLO_TOO_LONG, "hello_too_long", "the ClientHello is longer than the policy's `tls.max_hello`") \
	X(HELLO_INCOMPLETE, "hello_incomplete", "the connection ended in the middle of its ClientHello") \
	X(EXTENSION_TWICE, "extension_twice", "the same extension appears twice") \
	X(TOO_MANY_EXTENSIONS, "too_many_extensions", "more extensions than the limit") \
	X(ESNI, "esni", "the hello carries legacy encrypted SNI") \
	X(SNI_MISSING, "sni_missing", "the hello has no server_name extension") \
	X(SNI_EMPTY, "sni_empty", "the server_name extension is empty") \
	X(SNI_TYPE, "sni_type", "the server_name entry is not a host_name") \
	X(SNI_MULTIPLE, "sni_multiple", "more than one entry in the server_name extension") \
	X(NAME_INVALID, "name_invalid", "the server name is not a hostname") \
	X(NAME_IS_ADDRESS, "name_is_address", "the server name is an IP address") \
	X(NAME_TOO_LONG, "name_too_long", "the server name, or a label of it, is too long") \
	X(SCAN_LIMIT, "scan_limit", "one packet took more parsing steps than the limit") \
	/* refused because the filter cannot tell */ \
	X(NO_POLICY, "no_policy", "no policy is loaded for this cgroup") \
	X(STATE_LOST, "state_lost", "a look-up that cannot fail did fail, or memory ran out") \
	X(FURTHER_SUBFLOW, "further_subflow", "a further subflow of an MPTCP connection: it could change what the server reads") \
	/* refused for what the kernel would do behind the filter */ \
	X(MPTCP, "mptcp", "MPTCP, which gives the bytes another order than the filter reads them in") \
	X(SOCKET_OPTION, "socket_option", "an option with which the kernel sends what the filter does not judge") \
	X(DEVICE, "device", "a device that could send packets, or is not known to send none") \
	/* refused because the packet is not what was judged */ \
	X(OTHER_DESTINATION, "other_destination", "the packet goes elsewhere than to where the socket was connected") \
	X(V4_MAPPED, "v4_mapped", "an IPv6 packet to a v4-mapped address, which is none of an IPv6 network") \
	X(NAT64_NOT_GLOBAL, "nat64_not_global", "the well-known NAT64 prefix with an IPv4 address that is not global") \
	X(SOURCE_ADDRESS, "source_address", "the source may be another machine's, to which answers would go") \
	/* refused for what has left already */ \
	X(HELLO_BUDGET, "hello_budget", "too many bytes of ClientHellos that are not complete have left") \
	/* refused for a ClientHello that receivers read in different ways */ \
	X(SPLIT_RECORDS, "split_records", "the ClientHello is cut over several TLS records, which some receivers misread") \
	X(TRAILING_DOT, "trailing_dot", "the server name ends with a dot, which TLS does not allow (RFC 6066)") \
	X(HELLO_VERSION, "hello_version", "the ClientHello is of no version that TLS 1.0 to 1.3 name there") \
	/* let through */ \
	X(CONNECTION_KEPT, "connection_kept", "it was open when the policy was attached, and was to be kept") \
	/* refused after it was let through */ \
	X(REVOKED, "revoked", "it was allowed, and the policy that is in force now does not allow it") \
	/* of lookups, and what was found by them */ \
	X(DNS_ALLOWED, "dns_allowed", "a DNS server of the policy") \
	X(ADDRESS_BOUND, "address_bound", "a rule allows the name that was found at this address") \
	X(NAME_NOT_BOUND, "name_not_bound", "no lookup has given this address for the server name") \
	X(DNS_NAME, "dns_name", "no rule allows to look this name up") \
	X(DNS_TYPE, "dns_type", "a lookup of another type than connections need") \
	X(DNS_QUESTION, "dns_question", "what goes to a DNS server is not one plain question") \
	X(DNS_FORGED, "dns_forged", "an answer in a DNS server's place")
/* clang-format on */

enum snif_reason {
#define X(constant, code, text) SNIF_REASON_##constant,
	SNIF_REASONS(X)
#undef X
		SNIF_REASON_COUNT
};

#endif
