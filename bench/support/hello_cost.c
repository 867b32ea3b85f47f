/* SPDX-License-Identifier: BSD-2-Clause */
/* ClientHellos, each on a new connection ──► what the filter took for their packets. */
#include "hello_cost.h"

#include <stdlib.h>

#include "bench.h"
#include "replay.h"

enum { MOST_CONNECTIONS = 1000, MOST_SEGMENTS = 32, DRAIN_EVERY = 500 };
enum { RECORD_HEADER = 5 };

const struct bytes *hello_of(size_t size, unsigned records, const char *name) {
	static struct bytes message, stream;
	struct hello hello = {.name = name, .size = size};

	if (records > 1)
		hello.size -= (records - 1) * RECORD_HEADER;
	message.length = stream.length = 0;
	hello_message(&message, &hello);
	hello_records(&stream, message.data, message.length,
		      records > 1 ? (message.length + records - 1) / records : 0);
	if (stream.length != size)
		bench_fail("a hello of %zu bytes came out with %zu", size, stream.length);
	return &stream;
}

void hello_settle(const struct pair *pair) {
	const struct bytes *hello = hello_of(517, 0, HELLO_ALLOWED);

	pair_send(pair, hello->data, hello->length);
	pair_drain(pair);
	pair_send(pair, HELLO_SETTLES, sizeof(HELLO_SETTLES)); /* with its NUL: one byte of data */
	pair_drain(pair);
}

/* The ends of its segments in the stream. Returns how many there are. */
static unsigned cut(const struct hello_shape *shape, size_t ends[MOST_SEGMENTS]) {
	unsigned count = 0;

	while (count < shape->bytes) {
		ends[count] = count + 1;
		count++;
	}
	if (shape->halves)
		ends[count++] = shape->size / 2;
	ends[count++] = shape->size;
	return count;
}

/* What the program took for one segment. -1: something else was sent in between, a retransmission. */
static double segment_ns(int program, const struct pair *pair, const uint8_t *bytes, size_t length) {
	struct cost before = cost_of(program), after;

	pair_send(pair, bytes, length);
	after = cost_of(program);
	return after.runs - before.runs == 1 ? (double)(after.ns - before.ns) : -1;
}

struct one {
	double completing, all; /* -1: not to be used */
};

static struct one measure_one(int program, const struct pair *pair, const struct bytes *stream, const size_t *ends,
			      unsigned segments) {
	struct one one = {0};
	size_t at = 0;

	for (unsigned i = 0; i < segments; at = ends[i++]) {
		if (i > 0)
			pair_drain(pair);
		one.completing = segment_ns(program, pair, stream->data + at, ends[i] - at);
		if (one.completing < 0)
			return (struct one){-1, -1};
		one.all += one.completing;
	}
	return one;
}

void hello_cost_cold(const struct confinement *confinement, const struct cell *cell, const struct hello_shape *shape,
		     unsigned count) {
	static double completing[MOST_CONNECTIONS], all[MOST_CONNECTIONS];
	const struct bytes *stream = hello_of(shape->size, shape->records, shape->name);
	int program = cell_program(cell, BPF_CGROUP_INET_EGRESS);
	size_t ends[MOST_SEGMENTS];
	unsigned segments = cut(shape, ends), used = 0;

	for (unsigned i = 0; i < count && used < MOST_CONNECTIONS; i++) {
		struct pair pair = pair_open(cell, false, PAIR_TLS);
		struct one one = measure_one(program, &pair, stream, ends, segments);

		if (one.completing >= 0) {
			completing[used] = one.completing;
			all[used++] = one.all;
		}
		pair_close(&pair);
		if (i % DRAIN_EVERY == 0)
			confine_drain(confinement);
	}
	if (used < count / 2)
		bench_fail("of %u connections only %u sent one packet for each segment", count, used);
	bench_sample("completing", "ns", bench_median(completing, used), NULL);
	if (segments > 1)
		bench_sample("all", "ns", bench_median(all, used), "completing");
	confine_drain(confinement);
}

void hello_cost_warm(const struct confinement *confinement, const struct cell *cell, const struct hello_shape *shape,
		     bool allowed) {
	const struct bytes *stream = hello_of(shape->size, shape->records, shape->name);
	int program = cell_program(cell, BPF_CGROUP_INET_EGRESS);
	size_t ends[MOST_SEGMENTS], at = 0;
	unsigned segments = cut(shape, ends);
	struct pair pair = pair_open(cell, false, PAIR_TLS);

	for (unsigned i = 0; i + 1 < segments; at = ends[i++]) {
		pair_send(&pair, stream->data + at, ends[i] - at);
		pair_drain(&pair);
	}
	replay_completing(confinement, program, pair.client, stream->data + at, shape->size - at, allowed);
	pair_close(&pair);
}
