/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A stream of TLS records (RFC 8446, section 5.1) ──► the bytes of its ClientHellos ──► client_hello.h. Resumable as
 * that is, with its state in struct snif_hello too: a stream cut into segments and records at any places is read as in
 * one piece.
 *
 * A client can send a second ClientHello in clear, after a HelloRetryRequest, and servers take the name of that one.
 * So the parser goes on behind the first (snif_tls_continue) until a record shows that no ClientHello can follow.
 */
#ifndef SNIF_TLS_RECORD_H
#define SNIF_TLS_RECORD_H

#include "client_hello.h"

#define SNIF_RECORD_MAX 16384

/*
 * What a client of PostgreSQL asks before TLS begins (SSLRequest): its length and a code, to which the server says yes.
 * Where the policy says so (`starts: postgres`) it may come once, before everything else.
 */
#define SNIF_POSTGRES_QUESTION 0x0000000804d2162fULL
#define SNIF_POSTGRES_LENGTH 8

enum { SNIF_RECORD_CHANGE_CIPHER_SPEC = 20, SNIF_RECORD_ALERT, SNIF_RECORD_HANDSHAKE, SNIF_RECORD_APPLICATION_DATA };

/* The rules for messages of up to `longest` bytes, in records that are full but for the last. */
static inline struct snif_hello_rules snif_hello_rules_of(__u32 longest) {
	return (struct snif_hello_rules){
		.longest = longest,
		.stream = longest + (longest + SNIF_RECORD_MAX - 1) / SNIF_RECORD_MAX * 5,
	};
}

/* Whether the parser stands between two messages, behind a ClientHello. */
static __always_inline _Bool snif_record_is_between(const struct snif_hello *h) {
	return h->hellos > 0 && h->field == SNIF_FIELD_MESSAGE && h->have == 0;
}

/* A byte of the record's header, of those that are collected. */
static __always_inline __u8 snif_record_byte(const struct snif_hello *h, __u32 index) {
	return h->record >> (h->record_have - 1 - index) * 8;
}

/*
 * The first bytes of a record that is not of handshake tell so at once: one byte, or three where they may begin an
 * SSLv2 hello (a length with the high bit set, then message type 1). The stream decides, not how it was cut.
 */
static __always_inline enum snif_reason snif_record_refusal(const struct snif_hello *h) {
	__u8 first = snif_record_byte(h, 0);

	if (first == SNIF_RECORD_HANDSHAKE)
		return h->record_have >= 2 && snif_record_byte(h, 1) != 3 ? SNIF_REASON_NOT_TLS : SNIF_REASON_NONE;
	if (h->hellos > 0 || h->records > 0 || (first >= SNIF_RECORD_CHANGE_CIPHER_SPEC && first <= 24))
		return SNIF_REASON_NOT_HANDSHAKE;
	if (!(first & 0x80))
		return SNIF_REASON_NOT_TLS;
	if (h->record_have < 3)
		return SNIF_REASON_NONE;
	return snif_record_byte(h, 2) == 1 ? SNIF_REASON_SSLV2_HELLO : SNIF_REASON_NOT_TLS;
}

/*
 * A record that begins between messages, behind a ClientHello. Returns SNIF_STOP when that decides something. No client
 * sends records of other types here; what servers make of them differs (GnuTLS reads SSLv2 hellos there).
 */
static __always_inline long snif_record_between(struct snif_hello *h) {
	h->size = 0;
	switch (snif_record_byte(h, 0)) {
	case SNIF_RECORD_HANDSHAKE:
		return h->doubt ? snif_hello_refuse(h, h->doubt) : SNIF_NEXT;
	case SNIF_RECORD_APPLICATION_DATA:
		if (h->early_data)
			break;
		h->status = SNIF_HELLO_OVER;
		return SNIF_STOP;
	case SNIF_RECORD_CHANGE_CIPHER_SPEC:
		h->changed = 1;
		break;
	case SNIF_RECORD_ALERT:
		break;
	default:
		return snif_hello_refuse(h, SNIF_REASON_NOT_HANDSHAKE);
	}
	h->record_pass = 1;
	return SNIF_NEXT;
}

/* The record's header is complete: act on it. */
static __always_inline long snif_record_begin(struct snif_hello *h) {
	__u32 length = h->record & 0xffff;
	long next = SNIF_NEXT;

	h->record_left = length;
	h->record_pass = 0;
	if (snif_record_is_between(h))
		next = snif_record_between(h);
	h->record_have = 0;
	if (next == SNIF_STOP)
		return SNIF_STOP;
	if (h->record_pass)
		return SNIF_NEXT;
	if (length == 0)
		return snif_hello_refuse(h, SNIF_REASON_RECORD_EMPTY);
	if (length > SNIF_RECORD_MAX)
		return snif_hello_refuse(h, SNIF_REASON_RECORD_TOO_LONG);
	if (h->records > 0 && h->record_size < SNIF_RECORD_MAX && !h->rules.split_records)
		return snif_hello_refuse(h, SNIF_REASON_SPLIT_RECORDS);
	h->record_size = length;
	h->records++;
	return SNIF_NEXT;
}

/* Whether what is collected can be PostgreSQL's question: no record begins with its first byte. */
static __always_inline _Bool snif_record_asks(const struct snif_hello *h) {
	return h->rules.postgres && !h->asked && h->hellos == 0 && h->records == 0 && h->record_have > 0 &&
	       snif_record_byte(h, 0) == 0;
}

/* There is more of the question. What differs from it is no TLS, at the first byte that does. */
static __always_inline long snif_record_question(struct snif_hello *h) {
	__u32 missing = SNIF_POSTGRES_LENGTH - h->record_have;

	if (h->record != SNIF_POSTGRES_QUESTION >> (missing & 7) * 8)
		return snif_hello_refuse(h, SNIF_REASON_NOT_TLS);
	if (missing == 0) {
		h->asked = 1;
		h->record = 0;
		h->record_have = 0;
		h->size = 0;
	}
	return SNIF_NEXT;
}

/* There is more of the record's header: acts on it. It counts whole against the limit, however it was cut. */
static __always_inline long snif_record_header(struct snif_hello *h) {
	enum snif_reason reason = SNIF_REASON_NONE;

	if (snif_record_asks(h))
		return snif_record_question(h);
	if (!snif_record_is_between(h)) {
		if (h->size - h->record_have + 5 > h->rules.stream)
			return snif_hello_refuse(h, SNIF_REASON_HELLO_TOO_LONG);
		reason = snif_record_refusal(h);
	}
	if (reason != SNIF_REASON_NONE)
		return snif_hello_refuse(h, reason);
	return h->record_have == 5 ? snif_record_begin(h) : SNIF_NEXT;
}

/*
 * Takes what is there of the record. All is counted against the limit, but for records between messages, which are
 * passed over.
 */
static __always_inline long snif_record_take(struct snif_hello *h) {
	__u32 count = snif_min(h->record_left, h->source_end - h->offset);

	if (count == 0)
		return SNIF_NEXT;
	if (h->record_pass) {
		h->offset += count;
	} else {
		if (h->size >= h->rules.stream)
			return snif_hello_refuse(h, SNIF_REASON_HELLO_TOO_LONG);
		count = snif_min(count, h->rules.stream - h->size);
		h->size += count;
		h->end = h->offset + count;
	}
	h->record_left -= count;
	return SNIF_NEXT;
}

/* There is more of the record, or of its header. */
SNIF_SUBPROGRAM long snif_record_go_on(struct snif_hello *h) {
	if (!h || (h->record_left == 0 && snif_record_header(h) == SNIF_STOP))
		return SNIF_STOP;
	return snif_record_take(h);
}

/* Reads bytes of the record's header. Not 0: they cannot be read. */
static __always_inline long snif_record_read(struct snif_reader *r) {
	struct snif_hello *h = r->hello;
	__u32 whole = snif_record_asks(h) ? SNIF_POSTGRES_LENGTH : 5;
	__u32 count = snif_min(whole - h->record_have, h->source_end - h->offset);
	const __u8 *bytes = snif_window(r, h->offset, count);

	if (!bytes)
		return -1;
	h->record = h->record << count * 8 | snif_load_be64(bytes) >> (64 - count * 8);
	h->record_have += count;
	h->size += count;
	h->offset += count;
	return 0;
}

/* What was at hand is read: takes more of the record, or of the next one's header. */
static __always_inline long snif_record_next(struct snif_reader *r) {
	struct snif_hello *h = r->hello;

	if (h->offset >= h->source_end)
		return SNIF_STOP;
	if (h->record_left == 0 && snif_record_read(r))
		return snif_hello_refuse(h, SNIF_REASON_STATE_LOST);
	snif_record_go_on(h);
	return snif_hello_next(h);
}

/* Bytes of the record that the message has not taken. */
static __always_inline __u32 snif_record_rest(const struct snif_hello *h) {
	return h->record_left + h->end - h->offset;
}

/*
 * Whether the ClientHello goes on in a further record although this one is not full. No usual client sends that, and
 * receivers that look for the name without taking record headers out (HAProxy's req.ssl_sni) read another one there.
 */
static __always_inline _Bool snif_record_splits(const struct snif_hello *h) {
	return snif_hello_length(h) > snif_record_rest(h) && h->record_size < SNIF_RECORD_MAX &&
	       !h->rules.split_records;
}

/*
 * Up to TLS 1.2, a client that resumes a session sends an encrypted Finished behind change_cipher_spec, in a handshake
 * record; its first byte can be any, also that of a ClientHello. The length then says (but once in 2^24) that there is
 * none, or one that would have to go on in further handshake records; behind a Finished there comes none. One that is
 * too long, but whole in its record, is a hello that a server would take.
 */
static __always_inline long snif_record_message(struct snif_hello *h) {
	enum snif_reason reason;

	if (snif_hello_type(h) == SNIF_STOP)
		return SNIF_STOP;
	reason = snif_hello_length_refusal(h);
	if (reason == SNIF_REASON_NONE && snif_record_splits(h))
		reason = SNIF_REASON_SPLIT_RECORDS;
	if (reason != SNIF_REASON_NONE && h->changed && snif_hello_length(h) > snif_record_rest(h)) {
		h->doubt = reason;
		h->record_pass = 1;
		h->record_left = snif_record_rest(h);
		h->end = h->offset;
		h->have = 0;
		h->value = 0;
		return SNIF_NEXT;
	}
	return snif_hello_begin(h, reason);
}

/* The field is complete: acts on it, where records matter. */
static __always_inline long snif_record_field(struct snif_hello *h) {
	switch (h->field) {
	case SNIF_FIELD_MESSAGE:
		return snif_record_message(h);
	case SNIF_FIELD_END: /* of the record too (section 5.1): it is the server's turn then, or keys change */
		if (snif_record_rest(h) > 0)
			return snif_hello_refuse(h, SNIF_REASON_HELLO_LENGTH);
		return snif_hello_end(h);
	default:
		return snif_hello_field(h);
	}
}

/* A record begins, or bytes are passed over and collected; when the field is complete, acts on it. */
static __always_inline long snif_record_once(struct snif_reader *r) {
	struct snif_hello *h = r->hello;

	if (snif_hello_wants(h)) {
		if (h->offset >= h->end)
			return snif_record_next(r);
		if (snif_hello_advance(r) == SNIF_STOP)
			return SNIF_STOP;
		if (snif_hello_wants(h))
			return SNIF_NEXT;
	}
	return snif_record_field(h);
}

/*
 * Rounds up to an extension, then plain extensions: of these much is on the stack, by which the verifier would go through
 * rounds apart. Linux 6.1 takes only loops whose last instruction jumps back, which clang makes where going on is not
 * expected.
 */
static inline long snif_record_step(__u32 index, void *context) {
	struct snif_hello *h = ((struct snif_reader *)context)->hello;

	(void)index;
	for (int i = 0; i < SNIF_UNROLL; i++) {
		if (__builtin_expect(snif_record_once(context) == SNIF_STOP, 1))
			return SNIF_STOP;
		if (__builtin_expect(h->field == SNIF_FIELD_EXTENSION && h->have == 0, 1))
			return snif_hello_plain_extensions(h);
	}
	return SNIF_NEXT;
}

/*
 * Reads the stream's bytes of `source` from `offset` to `end`, or until the status is no longer SNIF_HELLO_MORE; then
 * hello->offset says how far it came.
 */
static __always_inline void snif_tls_feed(struct snif_hello *h, snif_source source, __u32 offset, __u32 end) {
	struct snif_reader reader = {.hello = h, .source = source};

	snif_hello_take(h, offset, end);
	h->end = offset;
	if (snif_record_take(h) == SNIF_NEXT)
		snif_loop(SNIF_HELLO_STEPS, snif_record_step, &reader);
	snif_hello_taken(h);
}

/* After SNIF_HELLO_READ: makes ready for what follows, which may be a second ClientHello. */
static __always_inline void snif_tls_continue(struct snif_hello *h) {
	h->early_data |= h->seen_low >> SNIF_EXTENSION_EARLY_DATA & 1;
	h->size = 0;
	h->records = 0;
	h->changed = 0;
	snif_hello_continue(h);
}

#endif
