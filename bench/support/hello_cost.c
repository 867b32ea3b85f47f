/* SPDX-License-Identifier: BSD-2-Clause */
/* ClientHellos, each on a new connection ──► what the filter took for their packets. */
#include "hello_cost.h"

#include <stdlib.h>

#include "bench.h"
#include "replay.h"

enum { CONNECTIONS = 400, MOST_SEGMENTS = 32 };
enum { RECORD_HEADER = 5 };

const struct bytes *hello_of(size_t size, unsigned records, const char *name) {
	static struct bytes message, stream;
	struct hello hello = {.name = name, .size = size, .browser = size >= 500, .post_quantum = size >= 1700};

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

/* What the programs took for one segment. -1: something else was sent in between, a retransmission. */
static double segment_ns(const struct place *place, const struct pair *pair, const uint8_t *bytes, size_t length) {
	struct cost before = place_cost(place), after;

	pair_send(pair, bytes, length);
	after = place_cost(place);
	return after.runs - before.runs == 1 ? (double)(after.ns - before.ns) : -1;
}

struct one {
	double completing, all; /* -1: not to be used */
};

static struct one measure_one(const struct place *place, const struct pair *pair, const struct bytes *stream) {
	size_t ends[MOST_SEGMENTS], at = 0;
	unsigned segments = cut(place->argument, ends);
	struct one one = {0};

	for (unsigned i = 0; i < segments; at = ends[i++]) {
		if (i > 0)
			pair_drain(pair);
		one.completing = segment_ns(place, pair, stream->data + at, ends[i] - at);
		if (one.completing < 0)
			return (struct one){-1, -1};
		one.all += one.completing;
	}
	return one;
}

static const char *name_for(const struct hello_shape *shape, unsigned connection) {
	return shape->draw ? shape->draw(shape->count, connection) : shape->name;
}

/* Of all packets of a hello, in the first place. */
static struct {
	double ns[PLACE_SLICES];
	unsigned count;
} all;

static void measure(struct place *place, const void *first) {
	const struct hello_shape *shape = place->argument;
	const struct bytes *stream = hello_of(shape->size, shape->records, name_for(shape, place->count));
	struct pair pair = pair_open(&place->cell, false, PAIR_TLS);
	struct one one = measure_one(place, &pair, stream);

	if (one.completing >= 0)
		place_add(place, one.completing);
	if (one.completing >= 0 && place == first)
		all.ns[all.count++] = one.all;
	pair_close(&pair);
}

void hello_cost_cold(struct place *places, size_t count) {
	unsigned connections = bench_count(CONNECTIONS, 20);
	size_t ends[MOST_SEGMENTS];

	places_take_turns(places, count, connections, measure, places);
	for (size_t i = 0; i < count; i++)
		if (places[i].count < connections / 2)
			bench_fail("of %u connections in %s only %u sent one packet for each segment", connections,
				   places[i].metric, places[i].count);
	places_print(places, count);
	if (cut(places->argument, ends) > 1)
		bench_sample("all", "ns", bench_median(all.ns, all.count), places->metric);
}

void hello_cost_warm(const struct confinement *confinement, const struct cell *cell, const struct hello_shape *shape,
		     bool allowed, const char *suffix) {
	const struct bytes *stream = hello_of(shape->size, shape->records, shape->name);
	int program = cell_program(cell, BPF_CGROUP_INET_EGRESS);
	size_t ends[MOST_SEGMENTS], at = 0;
	unsigned segments = cut(shape, ends);
	struct pair pair = pair_open(cell, false, PAIR_TLS);

	for (unsigned i = 0; i + 1 < segments; at = ends[i++]) {
		pair_send(&pair, stream->data + at, ends[i] - at);
		pair_drain(&pair);
	}
	replay_completing(confinement, program, pair.client, stream->data + at, shape->size - at, allowed, suffix);
	pair_close(&pair);
}
