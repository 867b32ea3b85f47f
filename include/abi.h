/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What kernel and userspace both know: keys and values of the maps, the socket's tag, the event.
 *
 * Addresses are 16 bytes in network order; an IPv4 address is in its v4-mapped form (::ffff:a.b.c.d), so that one
 * trie, one key and one rule serve both families. Ports are in host order unless a name says otherwise.
 */
#ifndef SNIF_ABI_H
#define SNIF_ABI_H

#include "dns.h"
#include "tls_record.h"
#include "hooks.h"
#include "name_table.h"
#include "portable.h"
#include "reason.h"

#define SNIF_SLOTS 256	  /* compiled policies that can be in the kernel at once; slot 0 is never used */
#define SNIF_POLICIES 256 /* policies that attachments can name; policy 0 means none */
#define SNIF_ZONES 256	  /* different (addresses, ports) pairs that the host rules of one policy can name */
#define SNIF_COMM_LENGTH 16

enum snif_mode { SNIF_ENFORCE, SNIF_AUDIT };
enum snif_verdict { SNIF_UNDECIDED, SNIF_ALLOW, SNIF_DENY };

/*
 * A destination is found in two steps. `addresses` is a trie from prefix to class: addresses under the same rules
 * share a class. `ports` is a trie from (class, protocol, port prefix) to what the rules say there: a port range is a
 * few prefixes, so that both steps are longest-prefix look-ups and neither depends on the number of rules.
 */
struct snif_address_key {
	__u32 prefix_length; /* bits of `address` that count: 0 to 128 */
	__u8 address[16];
};

struct snif_port_key {
	__u32 prefix_length; /* 40 + bits of the port that count: 40 to 56 */
	__u8 class_be[4];    /* never 0: class 0 is "no rule" */
	__u8 protocol;	     /* IPPROTO_TCP or IPPROTO_UDP */
	__u8 port_be[2];
	__u8 unused;
};

enum snif_dest_kind {
	SNIF_DEST_NONE,	   /* no rule: refused */
	SNIF_DEST_ALLOW,   /* a direct rule allows, without inspection */
	SNIF_DEST_DENY,	   /* a direct rule denies */
	SNIF_DEST_INSPECT, /* TLS is let through to here once its server name is allowed */
	SNIF_DEST_DNS,	   /* a server of `dns.servers`, where questions are read: the rule allows it */
};

struct snif_dest {
	__u64 zones[SNIF_ZONES / 64]; /* INSPECT: bit z is set when zone z covers this address and port */
	__u32 rule;		      /* ALLOW, DENY: the direct rule */
	__u16 kind;		      /* enum snif_dest_kind */
	__u16 postgres;		      /* INSPECT: a zone there begins with PostgreSQL's question, see tls_record.h */
};

/* What one name says of itself (`exact`) and of the names below it (`below`). Deny beats allow when compiled. */
struct snif_name_rule {
	__u32 rule;
	__u16 zone;   /* ALLOW: the destinations for which this rule holds; of lookups, see below */
	__u8 verdict; /* enum snif_verdict; SNIF_UNDECIDED: there is no such rule */
	__u8 search; /* of lookups: a domain that resolvers append. The rule is of what stands before its `zone` bytes */
};

/* The rules of one table of names: those of ClientHellos, and those of lookups, under other hashes. */
enum snif_name_use { SNIF_NAMES_TLS, SNIF_NAMES_LOOKUP, SNIF_NAME_USES };
#define SNIF_LOOKUP_SALT 0x6c6f6f6b75707321ULL

/* In place of zones, lookups have groups: (protocol, ports) pairs of `direct` rules by name; 0: none. */
#define SNIF_GROUPS 64
#define SNIF_NAMED_CLASS 0xffffffffU /* in `ports`: where `direct` rules by name lead, with groups for zones */

struct snif_name_rules {
	struct snif_name_rule exact, below;
};

#define SNIF_SUFFIXES 8 /* a power of two */

/* How far a name is compared with the rules. In a map, as struct snif_name_scan. */
struct snif_name_progress {
	__u32 length, words; /* bytes; words begun, from the right */
	__u64 word, dots;    /* the one at hand; those of its dots that are still to be looked at */
	struct snif_hash hash;
	/* of the shortest suffixes that there may be rules for, the hashes: they are asked last, if at all */
	__u64 suffixes[SNIF_SUFFIXES];
	__u32 suffix_count;
	struct snif_name_rule best;   /* the longest match so far; at the end, of all */
	struct snif_name_rules found; /* by the last look-up */
};

struct snif_options {
	__u8 mode; /* enum snif_mode */
	__u8 ech_deny;
	__u8 inbound_deny;
	__u8 skip_allowed; /* what is allowed is counted, but no event */
	struct snif_hello_rules hello;
};

enum snif_dns_bind { SNIF_BIND_OFF, SNIF_BIND_OBSERVE, SNIF_BIND_REQUIRE };

/* What the policy says of lookups. */
struct snif_dns_rules {
	__u8 bind; /* enum snif_dns_bind: whether a server name counts only at an address that it was found at */
	__u8 names_policy;  /* only names that the policy allows may be asked for */
	__u8 https_deny;    /* no question for HTTPS and SVCB records, with which names can be encrypted */
	__u8 lookups;	    /* there are rules of lookups */
	__u8 log_answers;   /* what servers answer is told */
	__u8 resolve_exact; /* of what is attached: userspace looks the exact names up */
	__u8 unused[2];
	__u32 least, most, grace; /* seconds that an address counts: of its time to live, and beyond that */
};

/* For how many seconds an address counts that was given for so many. */
static __always_inline __u64 snif_dns_counts_for(const struct snif_dns_rules *rules, __u32 ttl) {
	return (__u64)(ttl < rules->least ? rules->least : snif_min(ttl, rules->most)) + rules->grace;
}

#define SNIF_BOUND_ANY 0 /* as a name: any that the policy allows */
#define SNIF_BOUND_GROUP (1ULL << 63)

/* As a name: any of a group. `rules` is snif_settings.group_rules: under other rules it is another group. */
static __always_inline __u64 snif_bound_group(__u64 rules, __u32 group) {
	return SNIF_BOUND_GROUP | rules << 6 | group % SNIF_GROUPS;
}

/* As a name: that of this hash under the instance's key. */
static __always_inline __u64 snif_bound_name(__u64 hash) {
	return hash & ~SNIF_BOUND_GROUP;
}

/* A name that was found at an address, in a network namespace. */
struct snif_binding_key {
	__u64 name; /* SNIF_BOUND_ANY, or as above */
	__u64 netns_cookie;
	__u8 address[16];
};

struct snif_binding {
	__u64 expires; /* CLOCK_BOOTTIME, nanoseconds */
	__u32 rule;    /* the name's, when it was looked up, under this generation */
	__u32 generation;
};

#define SNIF_BINDINGS 8192 /* of one policy; what is not used longest makes room */

/* A question that waits for its answer: who has asked whom, and for what. */
struct snif_question {
	__u64 socket; /* its cookie */
	__u64 sum;    /* of the name, by which the answer is known to be of it */
	__u8 server[16];
	__u16 port, id, type, unused;
};

/* What its answer is for. */
struct snif_asked {
	__u64 name;  /* as that of a binding's key; SNIF_BOUND_ANY: the answer is told, and binds nothing */
	__u64 group; /* likewise, that of `direct` rules by name; 0: none */
	__u32 rule, generation;
};

#define SNIF_WORKSPACES_OF_CPU 4 /* messages of DNS that can be read at once */

#define SNIF_QUESTIONS 4096 /* of one policy that wait at once; the oldest makes room */

/* Bit n: there is a rule for a name of n bytes, or for what is below one: no other need be looked for. */
struct snif_name_lengths {
	__u64 exact[4], below[4];
};

/* The rest of a compiled policy, one for each slot. */
struct snif_settings {
	__u8 sha256[32];   /* of the policy's canonical form and its rules in their order; all zero: the slot is free */
	__u32 generation;  /* the last under which it was put in force */
	__u32 buckets;	   /* of the table of its names */
	__u64 hash_key[2]; /* SipHash key of the slot's names, random for each load */
	struct snif_name_lengths lengths[SNIF_NAME_USES];
	struct snif_name_rule any; /* for names that no other rule is about */
	struct snif_options options;
	struct snif_dns_rules dns;
	__u64 group_rules; /* a digest of the `direct` rules by name, which have the groups */
};

/*
 * Which compiled policy is in force for a policy: eight bytes, so that a reload is one store. A tag has a copy, by which
 * it knows whether what it was judged under still is.
 */
struct snif_active {
	__u16 slot;	  /* 0: none, everything is refused */
	__u16 policy;	  /* its own number */
	__u32 generation; /* of all policies: no two stores have the same. Under number 0: the last one that was given */
};

#define SNIF_RINGS 64 /* ring buffers; number 0 is shared by attachments without a reader of their own */

/* In the cgroup's storage: what an attachment enforces. Zero until userspace has written it: refuse. */
struct snif_attachment {
	__u16 policy;
	__u8 ring;
	__u8 state; /* enum snif_attachment_state */
	__u32 unused;
	__u64 budget_full; /* of SNIF_EARLY_BURST: when it will be full again, on the monotonic clock; 0: it is full */
};

/* Where an attachment stands while it is made or undone; what is found so later was left half done. */
enum snif_attachment_state {
	SNIF_ATTACHED,
	SNIF_ATTACHING, /* programs are missing */
	SNIF_KEEPING,	/* the same, and what is open already may stay */
	SNIF_DETACHING,
};

#define SNIF_DEVICES 256 /* character devices, or whole majors, that can be allowed */
#define SNIF_DEVICE_ALL 0xffffffff

/* A character device, by its numbers. */
struct snif_device {
	__u32 major, minor; /* minor: or SNIF_DEVICE_ALL */
};

/*
 * Bytes of ClientHellos that may leave from one attachment before there is a verdict: so many at once, then so many a
 * second. Those of a hello that is allowed in the end are given back. 500 hellos of 1,800 bytes, cut in halves, fit in.
 */
#define SNIF_EARLY_BURST (512 * 1024)
#define SNIF_EARLY_RATE (16 * 1024)

struct snif_process {
	__u64 cgroup_id;
	__u32 pid, uid; /* pid: the thread group's; 0 with an empty name: not known */
	char name[SNIF_COMM_LENGTH];
};

/* Where a connection or a datagram goes. Aligned, so that an address is compared in words and not by the byte. */
struct snif_target {
	__u8 address[16]; /* v4-mapped */
	__u16 port;
	__u8 protocol; /* IPPROTO_TCP or IPPROTO_UDP where it can be allowed */
	__u8 unused;
} __attribute__((aligned(4)));

#define SNIF_TAG_NAME 88

/*
 * What a socket carries: of TCP from connect() on, of UDP from its birth. Its size is that of the kernel's allocation
 * classes: with the kernel's own 72 bytes it takes 256, with one byte more it would take 512, for each open connection.
 */
struct snif_tag {
	/* first what the hot path reads: it shares a cache line with what the kernel finds the tag by */
	struct snif_active judged_under;
	__u8 settled;	/* allowed, and no further ClientHello can follow in clear; of UDP: that it was kept is told */
	__u8 verdict;	/* enum snif_verdict */
	__u8 reason;	/* enum snif_reason, once decided */
	__u8 inbound;	/* accepted, not opened */
	__u8 inspected; /* the destination wants an allowed server name first */
	__u8 has_syn : 1, /* next_sequence is valid */
		dns : 1;  /* some of what it sends goes to a DNS server, and is read */
	/*
	 * settled, and the inspection is gone: what a reload judges again. name_length 0: the inspection still has it
	 */
	__u8 ech;
	__u8 kept;	       /* of UDP: what leaves can only go where calls were allowed to, see note_stray() */
	struct snif_target to; /* as connect() named it */
	__u32 rule;
	union {
		__u32 next_sequence; /* of the first byte that was not parsed yet */
		__u32 connects;	     /* of UDP: how often it was connected */
	};
	union {
		struct {
			__u16 version;
			__u16 name_length;
		};
		__u32 places; /* of UDP: how often a call was allowed another place than the one before */
	};
	__u64 flow; /* the socket's cookie */
	struct snif_process process;
	__u64 netns_cookie; /* 0: not known */
	__u8 name[SNIF_TAG_NAME];
};

_Static_assert(sizeof(struct snif_tag) == 184, "a tag fills its allocation class");

/* What an inspected socket carries besides, until its ClientHellos are over. */
struct snif_inspection {
	__u64 early;  /* bytes that have left before there was a verdict */
	__u8 unbound; /* the address was not found for the name */
	struct snif_dest dest;
	struct snif_hello hello;
	struct snif_name_progress match;
	struct snif_name_hashing hashing;
};

/* What a call is about that names no destination. */
union snif_object {
	struct {
		__s32 level, option; /* SNIF_HOOK_SETSOCKOPT */
	};
	struct {
		__u32 major, minor; /* SNIF_HOOK_DEVICE */
	};
	struct {
		__u16 type, id;
	} dns; /* SNIF_EVENT_DNS */
	__u64 bits;
};

#define SNIF_EVENT_ECH 1     /* the hello carries encrypted_client_hello */
#define SNIF_EVENT_HELLO 2   /* a ClientHello was read, at least in part: version is valid when not 0 */
#define SNIF_EVENT_DNS 4     /* the name is that of a question */
#define SNIF_EVENT_UNBOUND 8 /* no lookup has given this address for the server name */
/* With SNIF_EVENT_DNS: what a server has answered; no decision, so without verdict and hook. */
#define SNIF_EVENT_ANSWER 16
#define SNIF_EVENT_BOUND 32 /* its addresses count for the name */

struct snif_event {
	__u64 time; /* CLOCK_MONOTONIC, nanoseconds */
	__u64 flow; /* the socket's cookie; 0: no socket yet */
	__u64 netns_cookie;
	struct snif_process process;
	struct snif_active active;
	union snif_object object;
	__u32 rule;
	__u32 interface;		  /* index of the device that the packet leaves by; 0: no packet */
	__u8 source[16], destination[16]; /* v4-mapped; all zero: not known */
	__u16 source_port, destination_port;
	__u8 protocol; /* IPPROTO_*; of the socket for SNIF_HOOK_SOCKET */
	__u8 hook;     /* enum snif_hook */
	__u8 verdict;  /* SNIF_ALLOW or SNIF_DENY: what the policy says, also in audit mode */
	__u8 reason;   /* enum snif_reason */
	__u8 mode;     /* enum snif_mode */
	__u8 flags;    /* SNIF_EVENT_* */
	__u16 version; /* highest TLS version offered, 0x0304 is TLS 1.3 */
	__u16 name_length;
	__u8 answer_count;
	__u8 unused;
	__u8 name[256]; /* name_length bytes of the server name as sent (lower-cased as far as it is valid) */
	/* SNIF_EVENT_ANSWER */
	struct snif_dns_address answers[SNIF_DNS_ADDRESSES]; /* answer_count of them */
	struct snif_dns_rules dns;			     /* by which they count */
};

/* The ring buffer's records are cut: to one of four sizes, the last the whole, since the kernel wants them constant. */
#define SNIF_EVENT_NAMELESS __builtin_offsetof(struct snif_event, name)
#define SNIF_EVENT_NAMED __builtin_offsetof(struct snif_event, answers)
#define SNIF_EVENT_SHORT_NAME SNIF_TAG_NAME
#define SNIF_EVENT_SHORT (SNIF_EVENT_NAMELESS + SNIF_EVENT_SHORT_NAME)

/* Per-CPU counters of each policy: one for each reason, then the events that the ring buffer could not take. */
#define SNIF_COUNTER_LOST SNIF_REASON_COUNT
#define SNIF_COUNTERS (SNIF_REASON_COUNT + 1)

struct snif_counters {
	__u64 of[64];
};

_Static_assert(SNIF_COUNTERS <= 64, "each reason has a counter");

#endif
