/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The model of a policy as a person wrote it, with every `to` resolved to prefixes: what policy.c makes of YAML and
 * compile/ turns into the kernel's tables.
 */
#ifndef SNIF_POLICY_H
#define SNIF_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "abi.h"
#include "base/arena.h"
#include "policy/diagnostic.h"

#define POLICY_FILE_MAX (64U << 20) /* bytes */

/* An address prefix in v4-mapped form: 10.0.0.0/8 is ::ffff:10.0.0.0/104. Host bits are zero. */
struct prefix {
	uint8_t address[16];
	uint8_t length;
};

struct prefix_list {
	struct prefix *items;
	size_t count;
};

struct port_range {
	uint16_t first, last; /* both included, host order */
};

/* Sorted, disjoint ranges. */
struct port_list {
	struct port_range *items;
	size_t count;
};

/* Where a host rule holds: an address list with ports. Zone 0 is tls.to with tls.ports. */
struct zone {
	size_t list; /* index into policy.lists */
	struct port_list ports;
	bool postgres;	/* PostgreSQL's question may come before TLS */
	bool inspected; /* connections go through as far as their ClientHello: a host is allowed here, or mode audit */
};

enum host_form {
	HOST_EXACT, /* example.com */
	HOST_BELOW, /* *.example.com */
	HOST_BOTH,  /* .example.com */
	HOST_ANY,   /* any: every name that no other rule is about; its own is "" */
	HOST_FORMS,
};

struct host_rule {
	char *name; /* lower-case A-labels, without `*.` or `.` before and without a dot behind */
	enum host_form form;
	bool allow;
	uint16_t zone; /* index into policy.zones; 0 for a deny rule, which holds everywhere */
	uint32_t rule; /* index into policy.rules */
};

enum { PROTO_TCP = 1, PROTO_UDP = 2 };

/* What `direct` rules by name allow to the addresses that a name is found at: rules with the same share a group. */
struct named_ports {
	uint8_t protocols; /* PROTO_TCP | PROTO_UDP */
	struct port_list ports;
};

/* A name that may be looked up, beside those of host rules. */
struct lookup_rule {
	char *name; /* as that of a host rule */
	enum host_form form;
	bool search;   /* a domain that resolvers append to names; its form is HOST_BELOW */
	uint8_t group; /* index into policy.groups; 0: it may be looked up, and that is all */
	uint32_t rule; /* index into policy.rules; 0 for a search domain */
};

struct address_rule {
	bool allow;
	bool dns;		/* of dns.servers */
	uint8_t protocols;	/* PROTO_TCP | PROTO_UDP */
	size_t list;		/* index into policy.lists */
	struct port_list ports; /* the full range 0-65535 when the rule names none */
	uint32_t rule;		/* index into policy.rules */
};

/* Where a rule was written and how: what events and check show. */
struct rule {
	const char *file;      /* points into the policy; not owned by the rule */
	unsigned line, column; /* line 0: nowhere, it is a default */
	bool expected;	       /* a deny rule that says so: its refusals are no news */
	char *text;	       /* the rule in one line, like `*.example.com` or `10.0.0.0/8 tcp 22,5432` */
};

struct policy {
	char *file;
	char *name;   /* the file's name without folders and without .yaml or .yml */
	char **files; /* of sets and names that were read besides; what they point to is in `texts` */
	size_t file_count;
	enum snif_mode mode;
	bool ech_deny, inbound_deny;
	struct snif_hello_rules hello;
	struct prefix_list *lists; /* each `to`, resolved; equal ones are one */
	size_t list_count;
	struct zone *zones; /* at least one, at most SNIF_ZONES */
	size_t zone_count;
	struct host_rule *hosts;
	size_t host_count;
	struct address_rule *direct; /* direct.allow, direct.deny, and dns.servers (udp and tcp 53) */
	size_t direct_count;
	struct snif_dns_rules dns;
	bool system_servers; /* dns.servers are those of RESOLV_CONF as it was then */
	struct lookup_rule *lookups;
	size_t lookup_count;
	struct named_ports *groups; /* group 0 is never used; at most SNIF_GROUPS */
	size_t group_count;
	struct rule *rules; /* rule 0 is never used: it means "no rule" */
	size_t rule_count;
	struct arena texts; /* what hosts and rules point to */
};

/*
 * Reads and checks the policy in the file that policy_find() finds for `name` (standard input for `-`), with the sets it
 * names (relative to the policy's folder). Every error of the file goes to `diagnostics` with line and column. Returns
 * the policy, to be freed with policy_free(), or NULL when there was any error or the file cannot be read.
 */
struct policy *policy_load(const char *name, struct diagnostics *diagnostics);

/* The same, with hosts that are allowed besides, as POLICY_ALLOWED in the places of rules. Without a name (NULL) these
 * are all that it allows. */
struct policy *policy_load_with(const char *name, const char *const allowed[], size_t count,
				struct diagnostics *diagnostics);
#define POLICY_ALLOWED "--allow"

/* The same for `length` bytes of YAML in memory; `file` is used for messages and to find sets. */
struct policy *policy_parse(const char *file, const char *text, size_t length, struct diagnostics *diagnostics);

void policy_free(struct policy *policy);

/* What stands before the name of a host rule: `*.` or `.` or nothing, or `any` where there is no name. */
const char *host_form_text(enum host_form form);

/* Whether the policy has rules for lookups: what goes to its DNS servers is read then. */
bool policy_reads_dns(const struct policy *policy);

bool port_list_has(const struct port_list *ports, uint16_t port);

/* Writes ports as ranges like 22,5432,8000-8999, as few as possible; `-` when there are none. */
void port_list_write(const struct port_list *ports, FILE *out);

#endif
