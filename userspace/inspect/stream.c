/* SPDX-License-Identifier: BSD-2-Clause */
/* TCP segments, in any order, again and overlapping ──► the stream as the receiver sees it. */
#include "inspect/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct stream_piece {
	struct stream_piece *next;
	uint32_t sequence;
	uint32_t length, capacity;
	uint32_t segments; /* that it was joined from */
	uint8_t bytes[];
};

/* Sequence numbers are compared modulo 2^32 (RFC 9293, section 3.4). */
static bool after(uint32_t a, uint32_t b) {
	return (int32_t)(a - b) > 0;
}

static uint32_t piece_end(const struct stream_piece *piece) {
	return piece->sequence + piece->length;
}

/* Accounts for memory before it is taken. Returns -ENOBUFS when it would be too much. */
static int hold_more(struct stream *stream, size_t size) {
	if (size > STREAM_HELD_MAX || stream->held + size > STREAM_HELD_MAX)
		return -ENOBUFS;
	stream->held += size;
	return 0;
}

/*
 * tcp_check_urg(): the pointer is taken for that of the byte behind the urgent one, as BSD did and against RFC 6093;
 * one that points back, or not beyond the one before, says nothing new.
 */
static void note_urgent(struct stream *stream, const struct stream_segment *segment) {
	uint32_t urgent = segment->sequence + segment->urgent - (segment->urgent > 0 ? 1 : 0);

	if (after(stream->next, urgent) || (stream->urgent_ahead && !after(urgent, stream->urgent)))
		return;
	stream->urgent = urgent;
	stream->urgent_ahead = true;
}

/* Reads what is new of bytes that begin at or before the stream's next one. */
static void read_on(struct stream *stream, const struct stream_piece *piece, const uint8_t *bytes, stream_reader reader,
		    void *context) {
	uint32_t known = stream->next - piece->sequence, length = piece->length - known, before;

	bytes += known;
	before = stream->urgent - stream->next;
	stream->next += length;
	if (!stream->urgent_ahead || before >= length) {
		reader(context, bytes, length, piece->segments);
		return;
	}
	stream->urgent_ahead = false;
	if (before > 0)
		reader(context, bytes, before, piece->segments);
	if (before + 1 < length)
		reader(context, bytes + before + 1, length - before - 1, before == 0 ? piece->segments : 0);
}

static void drop(struct stream *stream, struct stream_piece **at) {
	struct stream_piece *piece = *at;

	*at = piece->next;
	stream->held -= sizeof(*piece) + piece->capacity;
	free(piece);
}

/* Makes room for `length` bytes, for some more than now so that many small segments are not copied each time. */
static int grow(struct stream *stream, struct stream_piece **at, uint32_t length) {
	uint32_t capacity = length > 2 * (*at)->capacity ? length : 2 * (*at)->capacity;
	struct stream_piece *piece;
	int error = hold_more(stream, capacity - (*at)->capacity);

	if (error)
		return error;
	piece = realloc(*at, sizeof(*piece) + capacity);
	if (!piece) {
		stream->held -= capacity - (*at)->capacity;
		return -ENOMEM;
	}
	piece->capacity = capacity;
	*at = piece;
	return 0;
}

/* Adds a segment's bytes to the piece that ends where they begin. */
static int extend(struct stream *stream, struct stream_piece **at, const struct stream_segment *segment) {
	uint32_t length = (*at)->length + segment->length;
	int error = length > (*at)->capacity ? grow(stream, at, length) : 0;

	if (error)
		return error;
	memcpy((*at)->bytes + (*at)->length, segment->bytes, segment->length);
	(*at)->length = length;
	(*at)->segments++;
	return 0;
}

static int insert(struct stream *stream, struct stream_piece **at, const struct stream_segment *segment) {
	struct stream_piece *piece;
	int error = hold_more(stream, sizeof(*piece) + segment->length);

	if (error)
		return error;
	piece = malloc(sizeof(*piece) + segment->length);
	if (!piece) {
		stream->held -= sizeof(*piece) + segment->length;
		return -ENOMEM;
	}
	*piece = (struct stream_piece){*at, segment->sequence, segment->length, segment->length, 1};
	memcpy(piece->bytes, segment->bytes, segment->length);
	*at = piece;
	return 0;
}

/* tcp_data_queue_ofo(): keeps a segment until those before it have come. */
static int hold(struct stream *stream, const struct stream_segment *segment) {
	struct stream_piece **at, **before = NULL;
	uint32_t end = segment->sequence + segment->length;

	for (at = &stream->pieces; *at && !after((*at)->sequence, segment->sequence); at = &(*at)->next) {
		if (!after(end, piece_end(*at)))
			return 0;
		if (piece_end(*at) == segment->sequence)
			before = at;
		if ((*at)->sequence == segment->sequence)
			break;
	}
	if (before)
		return extend(stream, before, segment);
	while (*at && !after(piece_end(*at), end))
		drop(stream, at);
	return insert(stream, at, segment);
}

int stream_add(struct stream *stream, const struct stream_segment *segment, stream_reader reader, void *context) {
	const struct stream_piece now = {.sequence = segment->sequence, .length = segment->length, .segments = 1};

	if (after(stream->next, piece_end(&now))) /* old: not even its urgent pointer counts */
		return 0;
	if (segment->has_urgent)
		note_urgent(stream, segment);
	if (segment->length == 0)
		return 0;
	if (after(segment->sequence, stream->next))
		return hold(stream, segment);
	if (!after(piece_end(&now), stream->next))
		return 0;
	read_on(stream, &now, segment->bytes, reader, context);
	while (stream->pieces && !after(stream->pieces->sequence, stream->next)) {
		if (after(piece_end(stream->pieces), stream->next))
			read_on(stream, stream->pieces, stream->pieces->bytes, reader, context);
		drop(stream, &stream->pieces);
	}
	return 0;
}

void stream_clear(struct stream *stream) {
	while (stream->pieces)
		drop(stream, &stream->pieces);
}
