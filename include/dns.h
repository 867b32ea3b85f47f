/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A DNS message (RFC 1035, section 4) ──► its question, and the addresses that its answers give for that name. Read by
 * the kernel's side as questions leave and answers arrive, and by a fuzz target.
 *
 * Of an answer only what belongs to the name asked for counts: records whose owner is that name, or the name that the
 * answer's own aliases (CNAME) lead to from it, each alias before what it leads to, as servers write them. Names are
 * compared by a keyed sum, as an answer has many and is judged between two packets.
 */
#ifndef SNIF_DNS_H
#define SNIF_DNS_H

#include "address.h"
#include "name.h"

#define SNIF_DNS_PORT 53
#define SNIF_DNS_MESSAGE 4096 /* bytes of a message that are read: servers send no more over UDP (RFC 6891) */
#define SNIF_DNS_QUESTION 512 /* of a question: the longest name and what options come with one */
#define SNIF_DNS_HEADER 12
#define SNIF_DNS_OF_SEGMENT 64 /* questions in a segment, fewer than so many: one of 1,460 bytes has room for no more */
#define SNIF_DNS_ADDRESSES 32  /* of an answer, the first that are taken */
#define SNIF_DNS_RECORDS 64    /* of an answer, the first that are read */
#define SNIF_DNS_STEPS 8192    /* a name that is written with pointers takes a step for each byte that it stands for */

enum {
	SNIF_DNS_A = 1,
	SNIF_DNS_CNAME = 5,
	SNIF_DNS_PTR = 12,
	SNIF_DNS_AAAA = 28,
	SNIF_DNS_OPT = 41,
	SNIF_DNS_SVCB = 64,
	SNIF_DNS_HTTPS = 65,
};

/*
 * Options that a question may have (RFC 6891 and 5001, 7873, 7828, 7830). Resolvers keep them to themselves, but one that
 * only passes questions on, as dnsmasq, passes these on to its own resolver: so of their bytes none is free but a cookie's.
 */
enum { SNIF_EDNS_NSID = 3, SNIF_EDNS_COOKIE = 10, SNIF_EDNS_KEEPALIVE = 11, SNIF_EDNS_PADDING = 12 };

/* Keys of a service's parameters (RFC 9460, section 14.3.2). */
enum { SNIF_SVCB_IPV4HINT = 4, SNIF_SVCB_IPV6HINT = 6 };

/* What is read next. */
enum snif_dns_part {
	SNIF_DNS_AT_NAME,     /* a byte of a name */
	SNIF_DNS_AT_QUESTION, /* type and class of the question */
	SNIF_DNS_AT_OPTION,
	SNIF_DNS_AT_RECORD,  /* what comes behind a record's owner */
	SNIF_DNS_AT_ALIAS,   /* behind the name that an alias leads to */
	SNIF_DNS_AT_SERVICE, /* behind the name of a service's host */
	SNIF_DNS_AT_PARAMETER,
	SNIF_DNS_AT_END,
	SNIF_DNS_AT_ERROR,
};

struct snif_dns_address {
	__u8 address[16]; /* v4-mapped */
	__u32 ttl;	  /* seconds: the least one on the way to it */
};

/* A message and how far it is read. In a map, as struct snif_name_scan. */
struct snif_dns {
	__u64 key; /* of the sums; odd */
	/* the question */
	__u64 asked; /* the sum of its name */
	__u16 id, type;
	__u16 name_length;
	__u8 unclear; /* its name holds a dot inside a label: no text can say it */
	/* where the reader stands */
	__u32 length, at;
	__u32 part, after; /* enum snif_dns_part; `after`: behind the name at hand */
	__u32 label, bytes_of_name;
	__u32 name_begins, pointed_from,
		resume; /* resume: where the record goes on behind a name with pointers; 0: none */
	__u64 sum;
	/* the record */
	__u32 records, record_ends, ttl;
	/* the name whose records count, where it stands, and the least time to live on the way to it */
	__u64 wanted;
	__u32 wanted_at, wanted_ttl;
	__u32 found;
	__u32 steps; /* that the reading took */
	struct snif_dns_address addresses[SNIF_DNS_ADDRESSES];
	__u8 name[SNIF_NAME_BUFFER];
	__u8 message[SNIF_DNS_MESSAGE];
};

static __always_inline __u32 snif_dns_byte(const struct snif_dns *dns, __u32 at) {
	return dns->message[at & (SNIF_DNS_MESSAGE - 1)];
}

static __always_inline __u32 snif_dns_be16(const struct snif_dns *dns, __u32 at) {
	return snif_dns_byte(dns, at) << 8 | snif_dns_byte(dns, at + 1);
}

static __always_inline __u32 snif_dns_be32(const struct snif_dns *dns, __u32 at) {
	return snif_dns_be16(dns, at) << 16 | snif_dns_be16(dns, at + 2);
}

static __always_inline long snif_dns_stop(struct snif_dns *dns, enum snif_dns_part part) {
	dns->part = part;
	return SNIF_STOP;
}

static __always_inline long snif_dns_name(struct snif_dns *dns, __u32 at, enum snif_dns_part after) {
	dns->at = dns->name_begins = dns->pointed_from = at;
	dns->part = SNIF_DNS_AT_NAME;
	dns->after = after;
	dns->label = dns->bytes_of_name = dns->resume = 0;
	dns->sum = dns->key;
	return SNIF_NEXT;
}

static __always_inline long snif_dns_next_record(struct snif_dns *dns, __u32 at) {
	if (dns->records == 0)
		return snif_dns_stop(dns, SNIF_DNS_AT_END);
	dns->records--;
	return snif_dns_name(dns, at, SNIF_DNS_AT_RECORD);
}

static __always_inline void snif_dns_mix(struct snif_dns *dns, __u32 byte) {
	dns->sum = (dns->sum ^ byte) * dns->key;
	dns->sum ^= dns->sum >> 32;
}

/* Resolvers take no others in host names, nor a message in which there are some. */
static __always_inline _Bool snif_dns_is_host_byte(__u32 byte) {
	return (byte | 0x20) - 'a' < 26U || byte - '0' < 10U || byte == '-' || byte == '_';
}

static __always_inline long snif_dns_label_byte(struct snif_dns *dns, __u32 byte) {
	if (dns->after == SNIF_DNS_AT_QUESTION) {
		dns->name[dns->name_length++ & 0xff] = byte;
		dns->unclear |= byte == '.';
	} else if (!snif_dns_is_host_byte(byte)) {
		return snif_dns_stop(dns, SNIF_DNS_AT_ERROR);
	}
	if (byte - 'A' < 26U)
		byte |= 0x20;
	snif_dns_mix(dns, byte);
	dns->label--;
	dns->at++;
	return SNIF_NEXT;
}

/*
 * A pointer leads back, to before where the name began or the last pointer led: so names end. One to the name that is
 * wanted is that name.
 */
static __always_inline long snif_dns_pointer(struct snif_dns *dns, __u32 byte) {
	__u32 to = (byte & 0x3f) << 8 | snif_dns_byte(dns, dns->at + 1);

	if (dns->after == SNIF_DNS_AT_QUESTION || to < SNIF_DNS_HEADER || to >= dns->pointed_from ||
	    dns->at + 2 > dns->length)
		return snif_dns_stop(dns, SNIF_DNS_AT_ERROR);
	if (dns->resume == 0)
		dns->resume = dns->at + 2;
	if (dns->at == dns->name_begins && to == dns->wanted_at) {
		dns->sum = dns->wanted;
		dns->at = dns->resume;
		dns->part = dns->after;
		return SNIF_NEXT;
	}
	dns->pointed_from = dns->at = to;
	return SNIF_NEXT;
}

static __always_inline long snif_dns_name_byte(struct snif_dns *dns) {
	__u32 byte = snif_dns_byte(dns, dns->at);

	if (dns->label > 0)
		return snif_dns_label_byte(dns, byte);
	if (byte >= 0xc0)
		return snif_dns_pointer(dns, byte);
	dns->bytes_of_name += byte + 1;
	if (byte > SNIF_LABEL_MAX || dns->bytes_of_name > SNIF_NAME_MAX + 2)
		return snif_dns_stop(dns, SNIF_DNS_AT_ERROR);
	if (byte == 0) {
		dns->at = dns->resume ? dns->resume : dns->at + 1;
		dns->part = dns->after;
		return SNIF_NEXT;
	}
	if (dns->after == SNIF_DNS_AT_QUESTION && dns->name_length > 0)
		dns->name[dns->name_length++ & 0xff] = '.';
	snif_dns_mix(dns, byte);
	dns->label = byte;
	dns->at++;
	return SNIF_NEXT;
}

/* The options of a question have no room for more than resolvers keep to themselves. */
static __always_inline long snif_dns_edns(struct snif_dns *dns) {
	__u32 at = dns->at;

	if (at == dns->length)
		return snif_dns_stop(dns, dns->records == 0 ? SNIF_DNS_AT_END : SNIF_DNS_AT_ERROR);
	/* the root's name, the type, the sender's size, extended code, version and flags, the length of the options */
	if (dns->records != 1 || at + 11 > dns->length || snif_dns_byte(dns, at) != 0 ||
	    snif_dns_be16(dns, at + 1) != SNIF_DNS_OPT || snif_dns_be16(dns, at + 5) != 0 ||
	    (snif_dns_be16(dns, at + 7) & 0x7fff) != 0 || at + 11 + snif_dns_be16(dns, at + 9) != dns->length)
		return snif_dns_stop(dns, SNIF_DNS_AT_ERROR);
	dns->at = at + 11;
	dns->part = SNIF_DNS_AT_OPTION;
	return SNIF_NEXT;
}

static __always_inline long snif_dns_option(struct snif_dns *dns) {
	__u32 at = dns->at, option = snif_dns_be16(dns, at), length = snif_dns_be16(dns, at + 2);
	_Bool known = (option == SNIF_EDNS_NSID && length == 0) ||
		      (option == SNIF_EDNS_COOKIE && length >= 8 && length <= 40) ||
		      (option == SNIF_EDNS_KEEPALIVE && length == 0) || option == SNIF_EDNS_PADDING;

	if (dns->label > 0) { /* padding, which is zeros */
		if (at >= dns->length || snif_dns_byte(dns, at) != 0)
			return snif_dns_stop(dns, SNIF_DNS_AT_ERROR);
		dns->label--;
		dns->at++;
		return SNIF_NEXT;
	}
	if (at == dns->length)
		return snif_dns_stop(dns, SNIF_DNS_AT_END);
	if (at + 4 + length > dns->length || !known)
		return snif_dns_stop(dns, SNIF_DNS_AT_ERROR);
	dns->label = option == SNIF_EDNS_PADDING ? length : 0;
	dns->at = at + 4 + length - dns->label;
	return SNIF_NEXT;
}

static __always_inline long snif_dns_question_end(struct snif_dns *dns, _Bool response) {
	__u32 at = dns->at;

	if (at + 4 > dns->length || snif_dns_be16(dns, at + 2) != 1)
		return snif_dns_stop(dns, SNIF_DNS_AT_ERROR);
	dns->type = snif_dns_be16(dns, at);
	dns->asked = dns->wanted = dns->sum;
	dns->wanted_at = SNIF_DNS_HEADER;
	dns->at = at + 4;
	return response ? snif_dns_stop(dns, SNIF_DNS_AT_END) : snif_dns_edns(dns);
}

/* Takes the address of `length` bytes (4 or 16) at a place of the message. */
SNIF_SUBPROGRAM int snif_dns_add(struct snif_dns *dns, __u32 at, __u32 length) {
	struct snif_dns_address *address;

	if (!dns || dns->found >= SNIF_DNS_ADDRESSES)
		return 0;
	address = &dns->addresses[dns->found & (SNIF_DNS_ADDRESSES - 1)];
	for (__u32 i = 0; i < 16; i++)
		address->address[i] = length == 16 ? snif_dns_byte(dns, at + i)
				      : i >= 12	   ? snif_dns_byte(dns, at + i - 12)
				      : i >= 10	   ? 0xff
						   : 0;
	/* an AAAA record with a v4-mapped address is none of IPv6, and was no A record */
	if (length == 16 && snif_is_ipv4(address->address))
		return 0;
	address->ttl = snif_min(dns->ttl, dns->wanted_ttl);
	dns->found++;
	return 0;
}

static __always_inline long snif_dns_record(struct snif_dns *dns) {
	__u32 at = dns->at, type, length;

	if (at + 10 > dns->length)
		return snif_dns_stop(dns, SNIF_DNS_AT_ERROR);
	type = snif_dns_be16(dns, at);
	dns->ttl = snif_dns_be32(dns, at + 4);
	if (dns->ttl >> 31) /* RFC 2181, section 8 */
		dns->ttl = 0;
	length = snif_dns_be16(dns, at + 8);
	dns->record_ends = at + 10 + length;
	if (dns->record_ends > dns->length)
		return snif_dns_stop(dns, SNIF_DNS_AT_ERROR);
	if (snif_dns_be16(dns, at + 2) != 1 || dns->sum != dns->wanted)
		return snif_dns_next_record(dns, dns->record_ends);
	if (type == SNIF_DNS_CNAME)
		return snif_dns_name(dns, at + 10, SNIF_DNS_AT_ALIAS);
	if (type != dns->type)
		return snif_dns_next_record(dns, dns->record_ends);
	if ((type == SNIF_DNS_HTTPS || type == SNIF_DNS_SVCB) && length > 2 && snif_dns_be16(dns, at + 10) != 0)
		return snif_dns_name(dns, at + 12, SNIF_DNS_AT_SERVICE);
	if ((type == SNIF_DNS_A && length == 4) || (type == SNIF_DNS_AAAA && length == 16))
		snif_dns_add(dns, at + 10, length);
	return snif_dns_next_record(dns, dns->record_ends);
}

static __always_inline long snif_dns_alias(struct snif_dns *dns) {
	if (dns->at != dns->record_ends)
		return snif_dns_stop(dns, SNIF_DNS_AT_ERROR);
	dns->wanted = dns->sum;
	dns->wanted_at = dns->name_begins;
	dns->wanted_ttl = snif_min(dns->ttl, dns->wanted_ttl);
	return snif_dns_next_record(dns, dns->record_ends);
}

/* One parameter of a service (RFC 9460, section 2.2), or as many addresses as it holds, one with each step. */
static __always_inline long snif_dns_parameter(struct snif_dns *dns) {
	__u32 at = dns->at, key = snif_dns_be16(dns, at), length = snif_dns_be16(dns, at + 2), size = 0;

	if (at == dns->record_ends)
		return snif_dns_next_record(dns, at);
	if (at + 4 + length > dns->record_ends)
		return snif_dns_stop(dns, SNIF_DNS_AT_ERROR);
	if (key == SNIF_SVCB_IPV4HINT)
		size = 4;
	else if (key == SNIF_SVCB_IPV6HINT)
		size = 16;
	if (size > 0 && length % size == 0)
		for (__u32 i = 0; i < 8 && i * size < length; i++)
			snif_dns_add(dns, at + 4 + i * size, size);
	dns->at = at + 4 + length;
	return SNIF_NEXT;
}

struct snif_dns_reader {
	struct snif_dns *dns;
	_Bool response;
};

static __always_inline long snif_dns_name_step(struct snif_dns *dns) {
	if (dns->at < dns->length)
		return snif_dns_name_byte(dns);
	return snif_dns_stop(dns, SNIF_DNS_AT_ERROR);
}

static inline long snif_dns_question_step(__u32 index, void *context) {
	const struct snif_dns_reader *reader = context;

	(void)index;
	switch (reader->dns->part) {
	case SNIF_DNS_AT_NAME:
		return snif_dns_name_step(reader->dns);
	case SNIF_DNS_AT_QUESTION:
		return snif_dns_question_end(reader->dns, reader->response);
	case SNIF_DNS_AT_OPTION:
		return snif_dns_option(reader->dns);
	default:
		return SNIF_STOP;
	}
}

static inline long snif_dns_answer_step(__u32 index, void *context) {
	struct snif_dns *dns = ((const struct snif_dns_reader *)context)->dns;

	(void)index;
	switch (dns->part) {
	case SNIF_DNS_AT_NAME:
		return snif_dns_name_step(dns);
	case SNIF_DNS_AT_RECORD:
		return snif_dns_record(dns);
	case SNIF_DNS_AT_ALIAS:
		return snif_dns_alias(dns);
	case SNIF_DNS_AT_SERVICE:
		dns->part = SNIF_DNS_AT_PARAMETER;
		return SNIF_NEXT;
	case SNIF_DNS_AT_PARAMETER:
		return snif_dns_parameter(dns);
	default:
		return SNIF_STOP;
	}
}

/*
 * Reads the question of dns->message, of dns->length bytes, with dns->key set. Returns whether there is one: one standard
 * query of class IN for one name, written without pointers. Without `response` it is all that there is, to the last byte,
 * but for EDNS options that go no further than the resolver; with it, it is that of a response without an error code.
 */
static __always_inline _Bool snif_dns_read_question(struct snif_dns *dns, const _Bool response) {
	struct snif_dns_reader reader = {.dns = dns, .response = response};
	__u32 high = snif_dns_byte(dns, 2), low = snif_dns_byte(dns, 3);

	dns->id = snif_dns_be16(dns, 0);
	dns->name_length = dns->unclear = dns->found = 0;
	dns->wanted_at = dns->records = dns->steps = 0;
	dns->wanted_ttl = ~0U;
	if (dns->length < SNIF_DNS_HEADER || snif_dns_be16(dns, 4) != 1)
		return 0;
	if (response) {
		/* a response, of a standard query, without an error; its other bits are the server's */
		if ((high & 0xf8) != 0x80 || (low & 0x0f) != 0)
			return 0;
		dns->records = snif_min(snif_dns_be16(dns, 6), SNIF_DNS_RECORDS);
	} else {
		/* only "recursion desired", "authentic data" and "checking disabled" may be set */
		if ((high & ~1U) != 0 || (low & ~0x30U) != 0 || snif_dns_be16(dns, 6) != 0 ||
		    snif_dns_be16(dns, 8) != 0)
			return 0;
		dns->records = snif_dns_be16(dns, 10);
	}
	snif_dns_name(dns, SNIF_DNS_HEADER, SNIF_DNS_AT_QUESTION);
	dns->steps = snif_loop(SNIF_DNS_QUESTION, snif_dns_question_step, &reader);
	return dns->part == SNIF_DNS_AT_END;
}

/*
 * Reads on behind the question of a response. Returns whether it parses; then it gives `found` addresses, and otherwise
 * those before that place. Apart from the question, as an answer that nobody waits for is not worth the time.
 */
static __always_inline _Bool snif_dns_read_records(struct snif_dns *dns) {
	struct snif_dns_reader reader = {.dns = dns};

	snif_dns_next_record(dns, dns->at);
	dns->steps += snif_loop(SNIF_DNS_STEPS, snif_dns_answer_step, &reader);
	return dns->part == SNIF_DNS_AT_END;
}

/* Whether a question of this type asks for what connections need, and carries nothing else. */
static __always_inline _Bool snif_dns_is_lookup(__u16 type) {
	return type == SNIF_DNS_A || type == SNIF_DNS_AAAA || type == SNIF_DNS_CNAME || type == SNIF_DNS_HTTPS ||
	       type == SNIF_DNS_SVCB;
}

#endif
