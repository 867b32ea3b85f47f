/* SPDX-License-Identifier: BSD-2-Clause */
/* Segments ──► streams ──► hellos ──► findings. */
#include "flows.h"

#include <stdlib.h>
#include <string.h>

#include "../support/hello_reader.h"
#include "finding.h"

enum { BUCKETS = 4096, WINDOW = 1 << 17 /* bytes of a stream that are looked at, at most */ };

struct key {
	uint8_t from[16], to[16];
	uint16_t from_port, to_port;
};

struct segment {
	struct segment *next;
	uint32_t begin, length; /* in the stream */
	uint8_t bytes[];
};

struct flow {
	struct flow *next;
	struct key key;
	bool visit;	/* opened from outside */
	bool closed;	/* a SYN begins another stream, whatever its number */
	uint32_t first; /* sequence number of the stream's first byte */
	bool over;	/* nothing more to look at: settled, or told */
	uint8_t *stream;
	uint32_t length, room, read; /* in order; allocated; given to the reader */
	struct segment *behind;	     /* a gap */
	struct hello_reader *reader;
};

static struct flow *buckets[BUCKETS];
static uint64_t hellos;

static struct key key_of(const struct wire *wire, bool reverse) {
	struct key key = {.from_port = reverse ? wire->destination_port : wire->source_port,
			  .to_port = reverse ? wire->source_port : wire->destination_port};

	memcpy(key.from, reverse ? wire->destination : wire->source, 16);
	memcpy(key.to, reverse ? wire->source : wire->destination, 16);
	return key;
}

static struct flow **bucket_of(const struct key *key) {
	const uint8_t *bytes = (const uint8_t *)key;
	uint32_t hash = 2166136261U;

	for (size_t i = 0; i < sizeof(*key); i++)
		hash = (hash ^ bytes[i]) * 16777619U;
	return &buckets[(hash ^ hash >> 16) % BUCKETS];
}

static struct flow *find(const struct key *key, bool make) {
	struct flow **bucket = bucket_of(key), *flow;

	for (flow = *bucket; flow; flow = flow->next)
		if (memcmp(&flow->key, key, sizeof(*key)) == 0)
			return flow;
	if (!make)
		return NULL;
	flow = calloc(1, sizeof(*flow));
	if (!flow)
		abort();
	flow->key = *key;
	flow->next = *bucket;
	*bucket = flow;
	return flow;
}

static void forget_stream(struct flow *flow) {
	for (struct segment *next; flow->behind; flow->behind = next) {
		next = flow->behind->next;
		free(flow->behind);
	}
	free(flow->stream);
	free(flow->reader);
	flow->stream = NULL;
	flow->reader = NULL;
	flow->length = flow->room = flow->read = 0;
}

static void tell(struct flow *flow, enum finding finding, const struct wire *wire) {
	finding_tell(finding, wire);
	flow->over = true;
	forget_stream(flow);
}

static void append(struct flow *flow, const uint8_t *bytes, uint32_t length) {
	while (flow->length + length > flow->room) {
		flow->room = flow->room ? flow->room * 2 : 4096;
		flow->stream = realloc(flow->stream, flow->room);
		if (!flow->stream)
			abort();
	}
	memcpy(flow->stream + flow->length, bytes, length);
	flow->length += length;
}

/* Puts a piece into the stream. False: it contradicts what was there. */
static bool put(struct flow *flow, uint32_t begin, const uint8_t *bytes, uint32_t length) {
	uint32_t known = begin < flow->length ? flow->length - begin : 0;
	struct segment *segment;

	if (known > length)
		known = length;
	if (known && memcmp(flow->stream + begin, bytes, known) != 0)
		return false;
	if (begin <= flow->length) {
		append(flow, bytes + known, length - known);
		return true;
	}
	segment = malloc(sizeof(*segment) + length);
	if (!segment)
		abort();
	*segment = (struct segment){.next = flow->behind, .begin = begin, .length = length};
	memcpy(segment->bytes, bytes, length);
	flow->behind = segment;
	return true;
}

/* Puts what waited behind a gap that is filled. False: as put(). */
static bool put_waiting(struct flow *flow) {
	struct segment **at = &flow->behind, *segment;
	bool fits = true;

	while (fits && (segment = *at)) {
		if (segment->begin > flow->length) {
			at = &segment->next;
			continue;
		}
		*at = segment->next;
		fits = put(flow, segment->begin, segment->bytes, segment->length);
		free(segment);
		at = &flow->behind;
	}
	return fits;
}

static bool name_allowed(const struct compiled *compiled, const struct snif_dest *dest,
			 const struct hello_found *found) {
	__u8 name[SNIF_NAME_BUFFER] = {0};
	size_t length = strlen(found->name);

	memcpy(name, found->name, length);
	return snif_judge_name(compiled, &compiled->settings, name, (__u16)length, dest).verdict == SNIF_ALLOW;
}

/* Reads what has come in order. */
static void read_on(struct flow *flow, const struct compiled *compiled, const struct snif_dest *dest,
		    const struct wire *wire) {
	const struct hello_reading *reading;
	unsigned before;

	if (!flow->reader && !(flow->reader = calloc(1, sizeof(*flow->reader))))
		abort();
	reading = &flow->reader->reading;
	before = reading->count;
	hello_reader_feed(flow->reader, flow->stream + flow->read, flow->length - flow->read);
	flow->read = flow->length;
	hellos += reading->count - before;
	for (unsigned i = before; i < reading->count && i < READING_HELLOS; i++) {
		if (!name_allowed(compiled, dest, &reading->found[i])) {
			tell(flow, FINDING_NAME, wire);
			return;
		}
		if (reading->found[i].ech && compiled->settings.options.ech_deny) {
			tell(flow, FINDING_ECH, wire);
			return;
		}
	}
	if (reading->status == SNIF_HELLO_REFUSED) {
		tell(flow, FINDING_STREAM, wire);
		return;
	}
	if (reading->status == SNIF_HELLO_OVER) {
		flow->over = true;
		forget_stream(flow);
	}
}

static bool named(const struct flow *flow) {
	return flow->reader && flow->reader->reading.count > 0;
}

void flows_packet(const struct compiled *compiled, const struct snif_dest *dest, const struct wire *wire) {
	struct key key = key_of(wire, false);
	bool syn = (wire->flags & WIRE_SYN) && !(wire->flags & WIRE_ACK);
	uint32_t sequence = wire->sequence + (wire->flags & WIRE_SYN ? 1 : 0);
	struct flow *flow = find(&key, syn);

	if (!flow) {
		if (wire->payload_length)
			finding_tell(FINDING_UNTRACKED, wire);
		return;
	}
	if (syn && (sequence != flow->first || flow->closed)) {
		forget_stream(flow);
		flow->first = sequence;
		flow->over = flow->visit = flow->closed = false;
	}
	if (syn && wire->multipath)
		finding_tell(FINDING_MULTIPATH, wire);
	if (flow->over || flow->visit || wire->payload_length == 0 || sequence - flow->first >= WINDOW)
		return;
	if ((wire->flags & WIRE_URG) && !named(flow))
		tell(flow, FINDING_URGENT, wire);
	else if (!put(flow, sequence - flow->first, wire->payload, (uint32_t)wire->payload_length) ||
		 !put_waiting(flow))
		tell(flow, FINDING_CHANGED, wire);
	else
		read_on(flow, compiled, dest, wire);
}

static void close_flow(const struct key *key) {
	struct flow *flow = find(key, false);

	if (flow)
		flow->closed = true;
}

void flows_close(const struct wire *wire) {
	struct key key = key_of(wire, false), other = key_of(wire, true);

	if (wire->flags & (WIRE_FIN | WIRE_RST))
		close_flow(&key);
	if (wire->flags & WIRE_RST)
		close_flow(&other);
}

void flows_visit(const struct wire *wire) {
	struct key key = key_of(wire, true);

	find(&key, true)->visit = true;
}

bool flows_is_answer(const struct wire *wire) {
	struct key key = key_of(wire, false);
	const struct flow *flow = find(&key, false);

	return flow && flow->visit;
}

uint64_t flows_end(bool whole) {
	struct flow *flow;

	for (size_t i = 0; i < BUCKETS; i++)
		while ((flow = buckets[i])) {
			if (whole && flow->behind && !named(flow))
				finding_tell(FINDING_GAP, NULL);
			forget_stream(flow);
			buckets[i] = flow->next;
			free(flow);
		}
	return hellos;
}
