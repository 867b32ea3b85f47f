/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stream, in pieces ──► include/tls_record.h, driven as the kernel's side drives it ──► what was read. For unit tests
 * and fuzzers: two readings of one stream can be compared as a whole.
 */
#ifndef SNIF_HELLO_READER_H
#define SNIF_HELLO_READER_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tls_record.h"

#define READING_HELLOS 4 /* so many are kept; all are counted */

struct hello_found {
	char name[SNIF_NAME_MAX + 1];
	uint16_t version;
	uint8_t ech;
};

/* Made of what a stream means, and nothing of how it was cut. */
struct hello_reading {
	struct hello_found found[READING_HELLOS];
	unsigned count;
	enum snif_hello_status status; /* MORE, REFUSED or OVER */
	enum snif_reason reason;
};

/* All zero is the beginning of a stream, read by a policy's default rules unless hello.rules says others. */
struct hello_reader {
	struct snif_hello hello;
	_Bool bare; /* the stream is of messages, without records: include/client_hello.h alone */
	struct hello_reading reading;
};

static inline void hello_reader_found(struct hello_reader *reader) {
	struct hello_reading *reading = &reader->reading;
	struct hello_found *found;

	if (reading->count < READING_HELLOS) {
		found = &reading->found[reading->count];
		memcpy(found->name, reader->hello.name, reader->hello.name_length);
		found->version = reader->hello.version;
		found->ech = reader->hello.ech;
	}
	reading->count++;
}

/*
 * Feeds the next piece of the stream. Every ClientHello is taken as allowed; behind a refusal and OVER nothing is read.
 */
static inline void hello_reader_feed(struct hello_reader *reader, const uint8_t *data, size_t length) {
	struct hello_reading *reading = &reader->reading;
	__u32 offset = 0;

	if (reader->hello.rules.longest == 0)
		reader->hello.rules = snif_hello_rules_of(SNIF_HELLO_LONGEST);
	while (reading->status == SNIF_HELLO_MORE) {
		if (reader->bare)
			snif_hello_feed(&reader->hello, data, offset, (__u32)length);
		else
			snif_tls_feed(&reader->hello, data, offset, (__u32)length);
		offset = reader->hello.offset;
		if (reader->hello.status != SNIF_HELLO_READ) {
			reading->status = reader->hello.status;
			reading->reason = reader->hello.reason;
			return;
		}
		hello_reader_found(reader);
		if (reader->bare)
			snif_hello_continue(&reader->hello);
		else
			snif_tls_continue(&reader->hello);
	}
}

#endif
