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

#include "hello_extension.h"

/*
 * Steps for one piece, each of a round at least: over one for each byte of the longest hello, of which the smallest
 * records take two for six.
 */
#define SNIF_HELLO_STEPS (1 << 17)

/* The parser at work on a piece. */
struct snif_reader {
	struct snif_hello *hello;
	snif_source source;
};

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
