/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Streams in files ──► these and mutated ones, as far as the filter lets them out, for receivers to be asked.
 *
 * hellos SEED COUNT FILE…: prints lines of the names that include/tls_record.h reads (with commas; ? before that of a hello
 * which is not complete), a tab, and the bytes in hexadecimal. The filter gets one byte in a packet, so that as many as
 * can be are out before a refusal, and a policy's default rules; every name is allowed. The same seed gives the same
 * lines.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../fuzz/hello_mutator.h"
#include "../support/hello_reader.h"

#define STREAM_MAX (1 << 15)
#define TRIES 50 /* for one stream of which anything is let out */

struct stream {
	size_t length;
	uint8_t data[STREAM_MAX];
};

static uint64_t state;

/* What the mutator asks for: a byte changed, doubled or taken away. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size) {
	size_t at = size > 0 ? mutator_random(&state, (uint32_t)size) : 0;

	if (size == 0)
		return 0;
	switch (mutator_random(&state, 4)) {
	case 0:
		if (size == max_size)
			return size;
		memmove(data + at + 1, data + at, size - at);
		return size + 1;
	case 1:
		memmove(data + at, data + at + 1, size - at - 1);
		return size - 1;
	default:
		data[at] = (uint8_t)mutator_random(&state, 256);
		return size;
	}
}

/* Reads as the filter does. Returns how many bytes leave. */
static size_t filter(const struct stream *stream, struct hello_reader *reader) {
	size_t out;

	memset(reader, 0, sizeof(*reader));
	for (out = 0; out < stream->length && reader->reading.status != SNIF_HELLO_OVER; out++) {
		hello_reader_feed(reader, stream->data + out, 1);
		if (reader->reading.status == SNIF_HELLO_REFUSED)
			return out;
	}
	return stream->length;
}

/* Prints what leaves of the stream. False: nothing does, or, of most, no whole hello: receivers would wait for it. */
static bool print(const struct stream *stream) {
	static struct hello_reader reader;
	size_t out = filter(stream, &reader);
	unsigned count = reader.reading.count;

	if (out == 0 || (count == 0 && mutator_random(&state, 16) > 0))
		return false;
	for (unsigned i = 0; i < count && i < READING_HELLOS; i++)
		printf("%s%s", i > 0 ? "," : "", reader.reading.found[i].name);
	if (count == 0 && reader.hello.named) /* undecided; a receiver may look at what there is so far */
		printf("?%.*s", reader.hello.name_length, (const char *)reader.hello.name);
	putchar('\t');
	for (size_t i = 0; i < out; i++)
		printf("%02x", stream->data[i]);
	putchar('\n');
	return true;
}

static struct stream *read_files(char **files, size_t count) {
	struct stream *streams = calloc(count, sizeof(*streams));

	for (size_t i = 0; streams && i < count; i++) {
		FILE *in = fopen(files[i], "r");

		if (!in) {
			perror(files[i]);
			exit(1);
		}
		streams[i].length = fread(streams[i].data, 1, STREAM_MAX, in);
		fclose(in);
	}
	return streams;
}

/* One to four changes of a stream; again, until something of it is let out. */
static void print_mutated(const struct stream *streams, size_t count) {
	static struct stream mutated;

	for (unsigned tries = 0; tries < TRIES; tries++) {
		mutated = streams[mutator_random(&state, (uint32_t)count)];
		for (uint32_t changes = 1 + mutator_random(&state, 4); changes > 0 && mutated.length > 0; changes--)
			mutated.length = LLVMFuzzerCustomMutator(mutated.data, mutated.length, STREAM_MAX,
								 mutator_random(&state, UINT32_MAX));
		if (print(&mutated))
			return;
	}
}

int main(int argc, char **argv) {
	struct stream *streams;
	size_t count;

	if (argc < 4) {
		fputs("usage: hellos SEED COUNT FILE...\n", stderr);
		return 2;
	}
	state = strtoull(argv[1], NULL, 10) * 0x9e3779b97f4a7c15 + 1;
	count = (size_t)argc - 3;
	streams = read_files(argv + 3, count);
	if (!streams)
		return 1;
	for (size_t i = 0; i < count; i++)
		print(&streams[i]);
	for (unsigned long left = strtoul(argv[2], NULL, 10); left > 0; left--)
		print_mutated(streams, count);
	free(streams);
	return 0;
}
