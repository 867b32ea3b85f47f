/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The bytes of a ClientHello message ──► its server name. A resumable parser: its whole state is struct snif_hello, so
 * that a message cut at any places is read as in one piece. It knows the message alone (RFC 8446, section 4.1.2) and what
 * is in it: server_name (RFC 6066, section 3), encrypted_client_hello (RFC 9849). What brings the message is a layer
 * below: TLS records (tls_record.h), or nothing.
 *
 * It works field by field and skips what it does not need: a step passes over bytes, collects those of one field and
 * acts on it, as far as what is at hand reaches. Bytes are read by the window, of which a hello needs few: reading each
 * field from the packet would cost more than the rest.
 */
#ifndef SNIF_CLIENT_HELLO_H
#define SNIF_CLIENT_HELLO_H

#include "name.h"
#include "portable.h"
#include "reason.h"

#define SNIF_HELLO_LONGEST 16384  /* bytes of a ClientHello, its message header included, unless the policy says else */
#define SNIF_HELLO_MOST 65536	  /* what a policy may say at most */
#define SNIF_HELLO_EXTENSIONS 128 /* extensions of types from 64 on; all types below 64 can be there besides */
/*
 * Steps for one piece, each of a round at least: over one for each byte of the longest hello, of which the smallest
 * records take two for six.
 */
#define SNIF_HELLO_STEPS (1 << 17)
#define SNIF_WINDOW 512		/* bytes read from the source at once; a power of two */
#define SNIF_PLAIN_EXTENSIONS 8 /* passed over in one step, behind its rounds */

/* What a policy lets pass of ClientHellos. All zero: none at all. */
struct snif_hello_rules {
	__u32 longest;	    /* bytes of the message, its header included */
	__u32 stream;	    /* bytes of its records: those, and what headers full records need */
	__u8 split_records; /* it may be cut over records that are not full */
	__u8 trailing_dot;  /* its name may end with a dot */
	__u8 postgres;	    /* of the connection: PostgreSQL's question may come before it, see tls_record.h */
	__u8 unused;
};

enum snif_hello_status {
	SNIF_HELLO_MORE,    /* well-formed so far, not complete */
	SNIF_HELLO_READ,    /* a ClientHello is complete: judge its name, then go on behind it */
	SNIF_HELLO_REFUSED, /* see reason; the parser is not to be fed again */
	SNIF_HELLO_OVER,    /* behind a ClientHello: no further one can come in clear */
};

/* The field that comes next. */
enum snif_hello_field {
	SNIF_FIELD_MESSAGE, /* type and length */
	SNIF_FIELD_VERSION,
	SNIF_FIELD_SESSION_ID, /* its length; likewise those below */
	SNIF_FIELD_CIPHERS,
	SNIF_FIELD_COMPRESSION,
	SNIF_FIELD_EXTENSIONS,
	SNIF_FIELD_EXTENSION, /* type and length */
	SNIF_FIELD_SNI_LIST,
	SNIF_FIELD_SNI_ENTRY, /* type and length */
	SNIF_FIELD_SNI_NAME,
	SNIF_FIELD_VERSIONS,
	SNIF_FIELD_VERSION_ITEMS,
	SNIF_FIELD_PROTOCOLS,
	SNIF_FIELD_PROTOCOL_ITEM, /* its length */
	SNIF_FIELD_LIST,
	SNIF_FIELD_END,
};

/* All zero, but for the rules, is the beginning of a stream. */
struct snif_hello {
	struct snif_hello_rules rules; /* set whenever bytes are fed, so that a reload counts at once */
	__u32 skip;		       /* bytes to pass over before the field */
	__u32 left;		       /* bytes of the message behind the field */
	__u16 need, have;	       /* bytes of the field: in all, collected */
	__u16 extension_left;	       /* bytes of the extension behind the field */
	__u16 version;		       /* the highest offered, 0x0304 is TLS 1.3; 0: not read yet */
	__u16 name_length;	       /* of the last ClientHello that had one */
	__u16 seen_count;
	__u8 started; /* need is set */
	__u8 field;   /* enum snif_hello_field */
	__u8 status;  /* enum snif_hello_status */
	__u8 reason;  /* enum snif_reason, when refused */
	__u8 refusal; /* why it will be refused, once its name is read for the log, or with these bytes */
	__u8 hellos;  /* ClientHellos read to their end */
	__u8 named;   /* the server name of this ClientHello is read */
	__u8 ech;     /* encrypted_client_hello is there: the name is the outer one */
	/* the bytes of the field collected so far, as a number. A name goes to `name`: 0; or it is whole in the window, from
	 * byte `value` - 1 on */
	__u32 value;
	/* of the TLS records that bring the message, if any do: tls_record.h's. The parser itself asks for `records` */
	__u32 size;	   /* bytes of the stream that this ClientHello has taken, record headers included */
	__u32 records;	   /* handshake records begun for this ClientHello */
	__u16 record_left; /* bytes of the record to come, behind those at hand */
	__u16 record_size; /* bytes of the record in all */
	__u64 record;	   /* the bytes of the record's header collected so far, as a number */
	__u8 record_have;  /* how many these are */
	__u8 record_pass;  /* the record is passed over whole */
	__u8 early_data;   /* early_data was offered: application data may come before a second ClientHello */
	__u8 changed;	   /* a change_cipher_spec came behind the ClientHello: what follows may be encrypted */
	__u8 doubt;	   /* a handshake record was passed over for that: why a further one is refused */
	__u8 asked;	   /* PostgreSQL's question came first */
	/* what is at hand: here and not on the stack, of which the verifier would follow each value apart */
	__u32 offset, end;		   /* of the message's bytes in the source that are still to be read */
	__u32 source_end;		   /* of all bytes that can be read there */
	__u32 window_at, window_end;	   /* of those in the window */
	__u64 seen_low;			   /* extension types below 64 */
	__u64 seen_mixed;		   /* a bit for each of the others, which some share */
	__u16 seen[SNIF_HELLO_EXTENSIONS]; /* the others */
	struct snif_name_scan scan;	   /* of the name */
	__u8 window[SNIF_WINDOW + 8];	   /* with room for a number that begins at its end */
	__u8 name[SNIF_NAME_BUFFER];
};

enum {
	SNIF_EXTENSION_SERVER_NAME = 0,
	SNIF_EXTENSION_PROTOCOLS = 16,
	SNIF_EXTENSION_EARLY_DATA = 42,
	SNIF_EXTENSION_SUPPORTED_VERSIONS = 43,
	SNIF_EXTENSION_ECH = 0xfe0d,
	SNIF_EXTENSION_ESNI = 0xffce,
};

/* The parser at work on a piece. */
struct snif_reader {
	struct snif_hello *hello;
	snif_source source;
};

/* One store, as it is in many places, each of which the verifier goes through: snif_hello_taken() does the rest. */
static __always_inline long snif_hello_refuse(struct snif_hello *h, enum snif_reason reason) {
	h->reason = reason;
	return SNIF_STOP;
}

/* After a subprogram, of whose result the verifier knows nothing: whether the parser goes on. */
static __always_inline long snif_hello_next(const struct snif_hello *h) {
	return h->status == SNIF_HELLO_MORE && h->reason == SNIF_REASON_NONE ? SNIF_NEXT : SNIF_STOP;
}

/* Asks for the next field: `need` bytes of the message, after `skip` that are passed over. */
static __always_inline long snif_hello_want(struct snif_hello *h, enum snif_hello_field field, __u32 skip, __u32 need) {
	if (skip + need > h->left)
		return snif_hello_refuse(h, SNIF_REASON_HELLO_LENGTH);
	h->left -= skip + need;
	h->skip = skip;
	h->need = need;
	h->have = 0;
	h->value = 0;
	h->field = field;
	return SNIF_NEXT;
}

/* Asks for the next extension, or for the end of the message, after `skip` bytes. */
static __always_inline long snif_hello_want_extension(struct snif_hello *h, __u32 skip) {
	_Bool last = skip == h->left;

	return snif_hello_want(h, last ? SNIF_FIELD_END : SNIF_FIELD_EXTENSION, skip, last ? 0 : 4);
}

/* Whether the message is a ClientHello. Nothing else can come first; behind one, it ends what can be in clear. */
static __always_inline long snif_hello_type(struct snif_hello *h) {
	if (h->value >> 24 == 1)
		return SNIF_NEXT;
	if (h->hellos == 0)
		return snif_hello_refuse(h, SNIF_REASON_NOT_CLIENT_HELLO);
	h->status = SNIF_HELLO_OVER;
	return SNIF_STOP;
}

static __always_inline __u32 snif_hello_length(const struct snif_hello *h) {
	return h->value & 0xffffff;
}

/* Why a ClientHello of that length is refused. */
static __always_inline enum snif_reason snif_hello_length_refusal(const struct snif_hello *h) {
	return snif_hello_length(h) + 4 > h->rules.longest ? SNIF_REASON_HELLO_TOO_LONG : SNIF_REASON_NONE;
}

/* The message's header is read: goes on to what is in it. It will be refused for `refusal`. */
static __always_inline long snif_hello_begin(struct snif_hello *h, enum snif_reason refusal) {
	h->refusal = refusal;
	h->left = snif_hello_length(h);
	return snif_hello_want(h, SNIF_FIELD_VERSION, 0, 2);
}

static __always_inline long snif_hello_message(struct snif_hello *h) {
	if (snif_hello_type(h) == SNIF_STOP)
		return SNIF_STOP;
	return snif_hello_begin(h, snif_hello_length_refusal(h));
}

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

static __always_inline long snif_hello_end(struct snif_hello *h) {
	if (!h->named)
		return snif_hello_refuse(h, SNIF_REASON_SNI_MISSING);
	h->status = SNIF_HELLO_READ;
	if (h->hellos < 255)
		h->hellos++;
	return SNIF_STOP;
}

/* The fields between the message's header and the extensions. */
static __always_inline long snif_hello_fixed(struct snif_hello *h) {
	__u32 value = h->value; /* but for the version, a length */

	switch (h->field) {
	case SNIF_FIELD_VERSION:
		if (!h->refusal && (value < 0x0301 || value > 0x0303))
			h->refusal = SNIF_REASON_HELLO_VERSION;
		h->version = value;
		return snif_hello_want(h, SNIF_FIELD_SESSION_ID, 32, 1);
	case SNIF_FIELD_SESSION_ID:
		if (value > 32)
			return snif_hello_refuse(h, SNIF_REASON_HELLO_LENGTH);
		return snif_hello_want(h, SNIF_FIELD_CIPHERS, value, 2);
	case SNIF_FIELD_CIPHERS:
		if (value == 0 || value % 2 != 0)
			return snif_hello_refuse(h, SNIF_REASON_HELLO_LENGTH);
		return snif_hello_want(h, SNIF_FIELD_COMPRESSION, value, 1);
	case SNIF_FIELD_COMPRESSION:
		if (value == 0)
			return snif_hello_refuse(h, SNIF_REASON_HELLO_LENGTH);
		if (value == h->left)
			return snif_hello_want(h, SNIF_FIELD_END, value, 0);
		return snif_hello_want(h, SNIF_FIELD_EXTENSIONS, value, 2);
	default: /* SNIF_FIELD_EXTENSIONS */
		if (value != h->left)
			return snif_hello_refuse(h, SNIF_REASON_HELLO_LENGTH);
		return snif_hello_want_extension(h, 0);
	}
}

/* The field is complete: act on it. */
static __always_inline long snif_hello_field(struct snif_hello *h) {
	switch (h->field) {
	case SNIF_FIELD_MESSAGE:
		return snif_hello_message(h);
	case SNIF_FIELD_EXTENSION:
		return snif_hello_extension(h);
	case SNIF_FIELD_SNI_LIST:
		return snif_hello_sni_list(h);
	case SNIF_FIELD_SNI_ENTRY:
		return snif_hello_sni_entry(h);
	case SNIF_FIELD_SNI_NAME:
		snif_hello_sni_name(h);
		return snif_hello_next(h);
	case SNIF_FIELD_VERSIONS:
		return snif_hello_versions(h);
	case SNIF_FIELD_VERSION_ITEMS:
		return snif_hello_version_items(h);
	case SNIF_FIELD_PROTOCOLS:
		return snif_hello_protocols(h);
	case SNIF_FIELD_PROTOCOL_ITEM:
		return snif_hello_want_protocol(h, h->value);
	case SNIF_FIELD_LIST:
		return snif_hello_list(h);
	case SNIF_FIELD_END:
		return snif_hello_end(h);
	default:
		return snif_hello_fixed(h);
	}
}

/* `count` bytes (at most 8, all in the source) at `offset`, in the window; NULL: they cannot be read. */
static __always_inline const __u8 *snif_window(struct snif_reader *r, __u32 offset, __u32 count) {
	struct snif_hello *h = r->hello;
	__u32 length;

	if (offset + count > h->window_end) {
		length = ((snif_min(h->source_end - offset, SNIF_WINDOW) - 1) & (SNIF_WINDOW - 1)) + 1;
		if (snif_read(r->source, offset, h->window, length))
			return NULL;
		h->window_at = offset;
		h->window_end = offset + length;
	}
	return h->window + ((offset - h->window_at) & (SNIF_WINDOW - 1));
}

/* Collects `count` bytes (not 0) of the name, which are left in the window where all are there. */
static __always_inline long snif_hello_collect_name(struct snif_reader *r, __u32 offset, __u32 count) {
	struct snif_hello *h = r->hello;

	if (count < h->need || offset + count > h->window_end)
		return snif_read(r->source, offset, h->name + (h->have & 0xff), ((count - 1) & 0xff) + 1);
	h->value = offset - h->window_at + 1;
	return 0;
}

/* Collects `count` bytes (not 0) of the field. Not 0: they cannot be read. */
static __always_inline long snif_hello_collect(struct snif_reader *r, __u32 offset, __u32 count) {
	struct snif_hello *h = r->hello;
	const __u8 *bytes;

	if (h->field == SNIF_FIELD_SNI_NAME)
		return snif_hello_collect_name(r, offset, count);
	bytes = snif_window(r, offset, count);
	if (!bytes)
		return -1;
	count = (((count - 1) & 3) + 1) * 8;
	h->value = (__u64)h->value << count | snif_load_be64(bytes) >> (64 - count);
	return 0;
}

/* Whether bytes are to be passed over or collected before the field can be acted on. */
static __always_inline _Bool snif_hello_wants(const struct snif_hello *h) {
	return h->skip > 0 || h->have < h->need;
}

/* Passes over bytes and collects those of the field, as far as what is at hand reaches. */
static __always_inline long snif_hello_advance(struct snif_reader *r) {
	struct snif_hello *h = r->hello;
	__u32 over = snif_min(h->skip, h->end - h->offset), count;

	h->skip -= over;
	h->offset += over;
	count = snif_min(h->need - h->have, h->end - h->offset);
	if (count > 0 && snif_hello_collect(r, h->offset, count))
		return snif_hello_refuse(h, SNIF_REASON_STATE_LOST);
	h->have += count;
	h->offset += count;
	return SNIF_NEXT;
}

/* Bytes of the source, from `offset` to `end`, are at hand. */
static __always_inline void snif_hello_take(struct snif_hello *h, __u32 offset, __u32 end) {
	if (!h->started) {
		h->started = 1;
		h->need = 4;
	}
	h->offset = offset;
	h->source_end = end;
	h->window_end = 0;
}

/* They are read: what has come of it. */
static __always_inline void snif_hello_taken(struct snif_hello *h) {
	if (h->reason == SNIF_REASON_NONE && h->status == SNIF_HELLO_MORE && (h->refusal || h->offset < h->source_end))
		snif_hello_refuse(h, SNIF_REASON_SCAN_LIMIT);
	if (h->reason != SNIF_REASON_NONE) {
		h->status = SNIF_HELLO_REFUSED;
		h->reason = h->refusal ? h->refusal : h->reason;
	}
}

static inline long snif_hello_step(__u32 index, void *context) {
	struct snif_reader *r = context;
	struct snif_hello *h = r->hello;

	(void)index;
	if (snif_hello_wants(h)) {
		if (h->offset >= h->end || snif_hello_advance(r) == SNIF_STOP)
			return SNIF_STOP;
		if (snif_hello_wants(h))
			return SNIF_NEXT;
	}
	if (snif_hello_field(h) == SNIF_STOP)
		return SNIF_STOP;
	return h->field == SNIF_FIELD_EXTENSION ? snif_hello_plain_extensions(h) : SNIF_NEXT;
}

/*
 * Reads the bytes of `source` from `offset` to `end`, all of the message, or until the status is no longer
 * SNIF_HELLO_MORE; then hello->offset says how far it came.
 */
static __always_inline void snif_hello_feed(struct snif_hello *h, snif_source source, __u32 offset, __u32 end) {
	struct snif_reader reader = {.hello = h, .source = source};

	snif_hello_take(h, offset, end);
	h->end = end;
	snif_loop(SNIF_HELLO_STEPS, snif_hello_step, &reader);
	snif_hello_taken(h);
}

/* After SNIF_HELLO_READ: makes ready for what follows, which may be a second ClientHello. */
static __always_inline void snif_hello_continue(struct snif_hello *h) {
	h->status = SNIF_HELLO_MORE;
	h->field = SNIF_FIELD_MESSAGE;
	h->need = 4;
	h->have = 0;
	h->value = 0;
	h->named = 0;
	h->version = 0;
	h->ech = 0;
	h->seen_low = 0;
	h->seen_mixed = 0;
	h->seen_count = 0;
}

#endif
