/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes ──► the same answer of include/tls_record.h, however they are cut into segments; and for the handshake
 * message in them the same answer, however it is cut into records, and of include/client_hello.h without any.
 */
#include <stdlib.h>

#include "../support/hello_reader.h"
#include "hello_mutator.h"

static struct snif_hello_rules rules; /* at hand */
static bool bare;		      /* there are no records */

#define INPUT_MAX (1 << 15)
#define STREAM_MAX (6 * INPUT_MAX) /* the input in records of one byte */

static void check(bool good) {
	if (!good)
		abort();
}

/* A name that was read is one as name.h promises. */
static void check_names(const struct hello_reading *reading) {
	static const char good[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";

	for (unsigned i = 0; i < reading->count && i < READING_HELLOS; i++) {
		const char *name = reading->found[i].name;
		size_t length = strlen(name);

		check(length > 0 && length <= SNIF_NAME_MAX && strspn(name, good) == length);
		check(name[0] != '.' && name[length - 1] != '.' && !strstr(name, ".."));
	}
	check((reading->status == SNIF_HELLO_REFUSED) == (reading->reason != SNIF_REASON_NONE));
	check(reading->status != SNIF_HELLO_OVER || reading->count > 0);
}

/* Each piece ends where its memory ends, so that the sanitizer sees a byte read beyond it. */
static void feed_piece(struct hello_reader *reader, const uint8_t *data, size_t length) {
	static uint8_t *memory;

	if (!memory)
		memory = malloc(STREAM_MAX);
	check(memory != NULL);
	memcpy(memory + STREAM_MAX - length, data, length);
	hello_reader_feed(reader, memory + STREAM_MAX - length, length);
}

/* Reads in pieces of random length up to `longest`. */
static struct hello_reading read_pieces(const uint8_t *data, size_t size, uint32_t longest, uint64_t *random) {
	struct hello_reader reader = {.hello.rules = rules, .bare = bare};
	size_t at = 0, length;

	for (; at < size && reader.reading.status == SNIF_HELLO_MORE; at += length) {
		length = 1 + mutator_random(random, longest);
		if (length > size - at)
			length = size - at;
		feed_piece(&reader, data + at, length);
	}
	return reader.reading;
}

static struct hello_reading check_segments(const uint8_t *data, size_t size, uint64_t *random) {
	static const uint32_t longest[] = {1, 2, 5, 60, 1500};
	struct hello_reader whole = {.hello.rules = rules, .bare = bare};
	struct hello_reading cut;

	feed_piece(&whole, data, size);
	check_names(&whole.reading);
	for (unsigned i = 0; i < sizeof(longest) / sizeof(*longest); i++) {
		cut = read_pieces(data, size, longest[i], random);
		check(memcmp(&cut, &whole.reading, sizeof(cut)) == 0);
	}
	return whole.reading;
}

/* Writes `size` bytes as handshake records of up to `longest` bytes. Returns the length of the stream. */
static size_t write_records(uint8_t *out, const uint8_t *data, size_t size, uint32_t longest, uint64_t *random) {
	static struct mutator_part part = {.type = 22};
	size_t written = 0, length;

	part.length = size;
	memcpy(part.data, data, size);
	for (size_t at = 0; at < size; at += length) {
		length = longest == SNIF_RECORD_MAX ? longest : 1 + mutator_random(random, longest);
		if (length > size - at)
			length = size - at;
		written += mutator_write_record(&part, at, length, out + written, SIZE_MAX);
	}
	return written;
}

static void check_records(const uint8_t *data, size_t size, uint64_t *random) {
	static const uint32_t longest[] = {1, 4, 300};
	static uint8_t stream[STREAM_MAX];
	struct hello_reading large, small, alone;
	size_t length = write_records(stream, data, size, SNIF_RECORD_MAX, random);

	large = check_segments(stream, length, random);
	bare = true;
	alone = check_segments(data, size, random);
	bare = false;
	check(memcmp(&large, &alone, sizeof(large)) == 0);
	for (unsigned i = 0; i < sizeof(longest) / sizeof(*longest); i++) {
		length = write_records(stream, data, size, longest[i], random);
		small = check_segments(stream, length, random);
		/* headers of records count for the limit, so a hello can be too long in small ones only */
		if (small.reason != SNIF_REASON_HELLO_TOO_LONG)
			check(memcmp(&large, &small, sizeof(large)) == 0);
	}
}

/* A message, without what stands behind it: a hello must end with its record, so there the cut matters. */
static void check_message(const struct mutator_part *part, uint64_t *random) {
	size_t length = 4 + mutator_be(part->data + 1, 3);

	check_records(part->data, length < part->length ? length : part->length, random);
}

/*
 * Stricter rules refuse more, and read no other name. Behind a change_cipher_spec they may take for a Finished what lax
 * ones take for a hello that never ends, but never what these read to its end.
 */
static void check_strict(const struct hello_reading *strict, const struct hello_reading *lax) {
	check(strict->count <= lax->count);
	check(memcmp(strict->found, lax->found, snif_min(strict->count, READING_HELLOS) * sizeof(strict->found[0])) ==
	      0);
	if (strict->status == SNIF_HELLO_OVER)
		check(strict->count == lax->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	uint64_t random = 0x9e3779b97f4a7c15;
	struct hello_reading strict, lax;
	static struct mutator apart;

	if (size == 0 || size > INPUT_MAX)
		return 0;
	for (size_t i = 0; i < size; i++)
		random = (random ^ data[i]) * 0x100000001b3;
	random |= 1;
	rules = snif_hello_rules_of(SNIF_HELLO_LONGEST);
	strict = check_segments(data, size, &random);
	rules.split_records = rules.trailing_dot = 1;
	lax = check_segments(data, size, &random);
	check_strict(&strict, &lax);
	mutator_read(&apart, data, size);
	if (apart.count > 0 && apart.parts[0].type == 22 && apart.parts[0].length > 4)
		check_message(&apart.parts[0], &random);
	return 0;
}
