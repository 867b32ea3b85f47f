/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The extensions of a ClientHello ──► its server name, the version it offers, whether it is encrypted: what each field
 * of them says (RFC 8446, section 4.2; server_name: RFC 6066, section 3; encrypted_client_hello: RFC 9849), and which
 * field comes behind it.
 */
#ifndef SNIF_HELLO_EXTENSION_H
#define SNIF_HELLO_EXTENSION_H

#include "hello_state.h"

#define SNIF_PLAIN_EXTENSIONS 8 /* passed over in one step, behind its rounds */

enum {
	SNIF_EXTENSION_SERVER_NAME = 0,
	SNIF_EXTENSION_PROTOCOLS = 16,
	SNIF_EXTENSION_EARLY_DATA = 42,
	SNIF_EXTENSION_SUPPORTED_VERSIONS = 43,
	SNIF_EXTENSION_ECH = 0xfe0d,
	SNIF_EXTENSION_ESNI = 0xffce,
};

struct snif_seen_search {
	const struct snif_hello *hello;
	__u32 type;
	_Bool found;
};

static inline long snif_seen_step(__u32 index, void *context) {
	struct snif_seen_search *search = context;

	if (index >= search->hello->seen_count)
		return SNIF_STOP;
	search->found = search->hello->seen[index % SNIF_HELLO_EXTENSIONS] == search->type;
	return search->found ? SNIF_STOP : SNIF_NEXT;
}

/* A bit for a type. So mixed, GREASE's types (RFC 8701) and those that browsers send have bits of their own. */
static __always_inline __u64 snif_extension_bit(__u32 type) {
	return 1ULL << ((type * 0x113) >> 8 & 63);
}

/* Whether the extension, of a type from 64 on, was there. */
static __always_inline _Bool snif_hello_saw(const struct snif_hello *h, __u32 type) {
	struct snif_seen_search search = {.hello = h, .type = type};

	if (h->seen_mixed & snif_extension_bit(type))
		snif_loop(SNIF_HELLO_EXTENSIONS, snif_seen_step, &search);
	return search.found;
}

/* Remembers an extension's type. Returns SNIF_REASON_NONE when it is a new one, may be there, and there was room. */
static __always_inline enum snif_reason snif_hello_see(struct snif_hello *h, __u32 type) {
	if (type < 64) {
		if (h->seen_low >> type & 1)
			return SNIF_REASON_EXTENSION_TWICE;
		h->seen_low |= 1ULL << type;
		return SNIF_REASON_NONE;
	}
	if (type == SNIF_EXTENSION_ESNI)
		return SNIF_REASON_ESNI;
	if (snif_hello_saw(h, type))
		return SNIF_REASON_EXTENSION_TWICE;
	if (h->seen_count >= SNIF_HELLO_EXTENSIONS)
		return SNIF_REASON_TOO_MANY_EXTENSIONS;
	h->seen_mixed |= snif_extension_bit(type);
	h->seen[h->seen_count++ % SNIF_HELLO_EXTENSIONS] = type;
	return SNIF_REASON_NONE;
}

/* Whether the type is one that takes more than to be remembered and its list's length to be checked. */
static __always_inline _Bool snif_extension_matters(__u32 type) {
	return type == SNIF_EXTENSION_SERVER_NAME || type == SNIF_EXTENSION_SUPPORTED_VERSIONS ||
	       type == SNIF_EXTENSION_PROTOCOLS || type == SNIF_EXTENSION_ECH;
}

/*
 * How many bytes the length takes of the list that is all of such an extension; 0: no such list. Servers that do not
 * use an extension do not look into it, routers that do see no name in a hello where it contradicts itself (Go's).
 */
static __always_inline __u32 snif_extension_list(__u32 type) {
	const __u64 wide = 1ULL << 10 | 1ULL << 13 | 1ULL << 50 | 1ULL << 51; /* groups, signatures (two), key shares */
	const __u64 narrow = 1ULL << 11 | 1ULL << 27 | 1ULL << 45; /* point formats, compressions, PSK modes */

	if (type >= 64)
		return 0;
	return (wide >> type & 1) << 1 | (narrow >> type & 1);
}

static __always_inline long snif_hello_extension(struct snif_hello *h) {
	__u32 type = h->value >> 16, length = h->value & 0xffff, list = snif_extension_list(type);
	enum snif_reason reason = snif_hello_see(h, type);

	if (reason != SNIF_REASON_NONE)
		return snif_hello_refuse(h, reason);
	if (length > h->left || length < list)
		return snif_hello_refuse(h, SNIF_REASON_HELLO_LENGTH);
	if (list > 0) {
		h->extension_left = length - list;
		return snif_hello_want(h, SNIF_FIELD_LIST, 0, list);
	}
	if (!snif_extension_matters(type))
		return snif_hello_want_extension(h, length);
	switch (type) {
	case SNIF_EXTENSION_SERVER_NAME:
		if (length < 2)
			return snif_hello_refuse(h, length == 0 ? SNIF_REASON_SNI_EMPTY : SNIF_REASON_HELLO_LENGTH);
		h->extension_left = length - 2;
		return snif_hello_want(h, SNIF_FIELD_SNI_LIST, 0, 2);
	case SNIF_EXTENSION_PROTOCOLS:
		if (length < 3)
			return snif_hello_refuse(h, SNIF_REASON_HELLO_LENGTH);
		h->extension_left = length - 3;
		return snif_hello_want(h, SNIF_FIELD_PROTOCOLS, 0, 3);
	case SNIF_EXTENSION_SUPPORTED_VERSIONS:
		if (length < 3)
			return snif_hello_refuse(h, SNIF_REASON_HELLO_LENGTH);
		h->extension_left = length - 1;
		return snif_hello_want(h, SNIF_FIELD_VERSIONS, 0, 1);
	default:
		h->ech = 1;
		return snif_hello_want_extension(h, length);
	}
}

/*
 * Passes over extensions that are only to be remembered, as far as their headers lie in the window: most of a browser's,
 * in less time than a round takes for each. It stops before one that matters, and before one that is the last or too
 * long, which are left to the rounds.
 */
static __always_inline long snif_hello_plain_extensions(struct snif_hello *h) {
	__u32 skip = h->skip, left = h->left, offset = h->offset, room = snif_min(h->window_end, h->end), passed = 0;
	__u32 type, length, list;
	enum snif_reason reason;
	__u64 header; /* and what comes behind it */

	if (offset >= room)
		return SNIF_NEXT;
	room -= offset;
	for (int i = 0; i < SNIF_PLAIN_EXTENSIONS && passed + skip + 6 <= room; i++) {
		header = snif_load_be64(h->window + ((offset + passed + skip - h->window_at) & (SNIF_WINDOW - 1)));
		type = header >> 48;
		length = header >> 32 & 0xffff;
		if (snif_extension_matters(type) || length + 4 > left)
			break;
		reason = snif_hello_see(h, type);
		if (reason != SNIF_REASON_NONE)
			return snif_hello_refuse(h, reason);
		list = snif_extension_list(type);
		if (list > 0 && ((header & 0xffffffff) >> (32 - list * 8)) + list != length)
			return snif_hello_refuse(h, SNIF_REASON_HELLO_LENGTH);
		passed += skip + 4;
		left -= length + 4;
		skip = length;
	}
	h->offset += passed;
	h->left = left;
	h->skip = skip;
	return SNIF_NEXT;
}

/* The length of the list that is all of an extension. What is in it is passed over. */
static __always_inline long snif_hello_list(struct snif_hello *h) {
	if (h->value != h->extension_left)
		return snif_hello_refuse(h, SNIF_REASON_HELLO_LENGTH);
	return snif_hello_want_extension(h, h->extension_left);
}

/* Asks for what stands behind an application protocol's name of `length` bytes: the next one's length, or no more. */
static __always_inline long snif_hello_want_protocol(struct snif_hello *h, __u32 length) {
	if (length == 0 || length > h->extension_left)
		return snif_hello_refuse(h, SNIF_REASON_HELLO_LENGTH);
	h->extension_left -= length;
	if (h->extension_left == 0)
		return snif_hello_want_extension(h, length);
	h->extension_left--;
	return snif_hello_want(h, SNIF_FIELD_PROTOCOL_ITEM, length, 1);
}

/* The list's length and that of its first name (RFC 7301, section 3.1): nginx gives up on a list that is off. */
static __always_inline long snif_hello_protocols(struct snif_hello *h) {
	if (h->value >> 8 != h->extension_left + 1U)
		return snif_hello_refuse(h, SNIF_REASON_HELLO_LENGTH);
	return snif_hello_want_protocol(h, h->value & 0xff);
}

static __always_inline long snif_hello_sni_list(struct snif_hello *h) {
	__u32 length = h->value;

	if (length != h->extension_left)
		return snif_hello_refuse(h, SNIF_REASON_HELLO_LENGTH);
	if (length < 3)
		return snif_hello_refuse(h, length == 0 ? SNIF_REASON_SNI_EMPTY : SNIF_REASON_HELLO_LENGTH);
	h->extension_left = length - 3;
	return snif_hello_want(h, SNIF_FIELD_SNI_ENTRY, 0, 3);
}

static __always_inline long snif_hello_sni_entry(struct snif_hello *h) {
	__u32 length = h->value & 0xffff;

	if (h->value >> 16 != 0)
		return snif_hello_refuse(h, SNIF_REASON_SNI_TYPE);
	if (length > h->extension_left)
		return snif_hello_refuse(h, SNIF_REASON_HELLO_LENGTH);
	if (length == 0)
		return snif_hello_refuse(h, SNIF_REASON_SNI_EMPTY);
	if (length < h->extension_left)
		return snif_hello_refuse(h, SNIF_REASON_SNI_MULTIPLE);
	if (length > SNIF_NAME_READ)
		return snif_hello_refuse(h, SNIF_REASON_NAME_TOO_LONG);
	return snif_hello_want(h, SNIF_FIELD_SNI_NAME, 0, length);
}

/* Copies the name from the window, with what follows it up to a multiple of eight bytes. */
static __always_inline void snif_hello_copy_name(struct snif_hello *h) {
	const __u8 *from = h->window + ((h->value - 1) & (SNIF_WINDOW - 1));

	for (__u32 i = 0; i < SNIF_NAME_WORDS && i * 8 < h->name_length; i++)
		snif_store_be64(h->name + i * 8, snif_load_be64(from + i * 8));
}

/* Where a hello is so long that it takes several records, its name is in the first, which all receivers read alike. */
SNIF_SUBPROGRAM long snif_hello_sni_name(struct snif_hello *h) {
	enum snif_reason reason;

	if (!h)
		return SNIF_STOP;
	h->name_length = h->need;
	if (h->value)
		snif_hello_copy_name(h);
	reason = snif_name_sent_by(&h->scan, h->name, &h->name_length, h->rules.trailing_dot);
	if (reason != SNIF_REASON_NONE)
		return snif_hello_refuse(h, reason);
	if (h->refusal || (h->records > 1 && !h->rules.split_records))
		return snif_hello_refuse(h, SNIF_REASON_SPLIT_RECORDS);
	h->named = 1;
	return snif_hello_want_extension(h, 0);
}

/* Asks for the next two versions, or for the last one. */
static __always_inline long snif_hello_want_versions(struct snif_hello *h) {
	__u32 need = h->extension_left < 4 ? 2 : 4;

	h->extension_left -= need;
	return snif_hello_want(h, SNIF_FIELD_VERSION_ITEMS, 0, need);
}

static __always_inline long snif_hello_versions(struct snif_hello *h) {
	__u32 length = h->value;

	if (length != h->extension_left || length < 2 || length % 2 != 0)
		return snif_hello_refuse(h, SNIF_REASON_HELLO_LENGTH);
	h->extension_left = length;
	return snif_hello_want_versions(h);
}

static __always_inline void snif_hello_offer(struct snif_hello *h, __u32 version) {
	/* GREASE values (RFC 8701) are no versions */
	if ((version & 0x0f0f) != 0x0a0a && version > h->version)
		h->version = version;
}

static __always_inline long snif_hello_version_items(struct snif_hello *h) {
	if (h->need == 4)
		snif_hello_offer(h, h->value >> 16);
	snif_hello_offer(h, h->value & 0xffff);
	return h->extension_left ? snif_hello_want_versions(h) : snif_hello_want_extension(h, 0);
}

#endif
