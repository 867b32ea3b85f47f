/* SPDX-License-Identifier: BSD-2-Clause */
/* A stream ──► what include/tls_record.h reads in it, the same wherever the stream is cut; for the tests of the parser. */
#ifndef SNIF_HELLO_EXPECT_H
#define SNIF_HELLO_EXPECT_H

#include "../support/hello_maker.h"
#include "../support/hello_reader.h"

#define LITERAL(text) (text), sizeof(text) - 1

static struct bytes stream;	      /* large, so not on the stack */
static struct snif_hello_rules rules; /* all zero: the default ones; a test that sets others sets these again */
static _Bool bare;		      /* there are no records; a test that sets this takes it back */

static void default_rules(void) {
	rules = (struct snif_hello_rules){0};
}

static void lax_rules(uint32_t longest) {
	rules = snif_hello_rules_of(longest);
	rules.split_records = rules.trailing_dot = 1;
}

static struct hello_reading read_pieces(const struct bytes *in, size_t first, size_t size) {
	struct hello_reader reader = {.hello.rules = rules, .bare = bare};
	size_t at = first;

	hello_reader_feed(&reader, in->data, first);
	for (; at < in->length; at += size) {
		if (size > in->length - at)
			size = in->length - at;
		hello_reader_feed(&reader, in->data + at, size);
	}
	return reader.reading;
}

/* Reads the stream in one piece, byte by byte, and cut at every offset: all must agree. */
static struct hello_reading read_stream(const struct bytes *in) {
	struct hello_reading whole = read_pieces(in, in->length, 1), cut;

	for (size_t at = 0; at < in->length; at++) {
		cut = read_pieces(in, at, at == 0 ? 1 : in->length);
		if (memcmp(&whole, &cut, sizeof(cut)) != 0)
			fail_msg("cut at %zu of %zu: reason %u instead of %u, %u hellos instead of %u", at, in->length,
				 cut.reason, whole.reason, cut.count, whole.count);
	}
	return whole;
}

static void expect_refusal(const char *what, enum snif_reason reason, unsigned count) {
	struct hello_reading reading = read_stream(&stream);

	if (reading.status != SNIF_HELLO_REFUSED || reading.reason != reason || reading.count != count)
		fail_msg("%s: status %u reason %u after %u hellos, instead of reason %u after %u", what, reading.status,
			 reading.reason, reading.count, reason, count);
}

static struct hello_reading expect_read(enum snif_hello_status status, unsigned count) {
	struct hello_reading reading = read_stream(&stream);

	assert_int_equal(reading.reason, SNIF_REASON_NONE);
	assert_int_equal(reading.status, status);
	assert_int_equal(reading.count, count);
	return reading;
}

#endif
