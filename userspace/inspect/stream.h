/* SPDX-License-Identifier: BSD-2-Clause */
/* One direction of a TCP connection: segments as they come ──► the bytes that the receiving program reads. */
#ifndef SNIF_STREAM_H
#define SNIF_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STREAM_HELD_MAX (256 * 1024) /* bytes of one stream that wait for others before them */

struct stream_segment {
	uint32_t sequence; /* of the first byte */
	uint32_t length;
	const uint8_t *bytes;
	bool has_urgent;
	uint16_t urgent; /* the urgent pointer */
};

struct stream_piece; /* bytes that wait */

/* Zeroed but for `next`, which is where the stream begins. Ends with stream_clear(). */
struct stream {
	uint32_t next; /* of the first byte that was not read yet */
	uint32_t urgent;
	bool urgent_ahead; /* the byte at `urgent` is not part of the stream */
	struct stream_piece *pieces;
	size_t held; /* memory that they take */
};

/* Takes bytes of the stream. `segments`: how many segments begin in them. */
typedef void (*stream_reader)(void *context, const uint8_t *bytes, uint32_t length, uint32_t segments);

/*
 * Takes a segment and hands on what can be read by then, in order. Which bytes count when segments overlap, and that
 * the urgent byte is left out, is as in Linux's receiver (net/ipv4/tcp_input.c) with a program that reads at once:
 * what was read stays; a segment that continues the stream goes before those that waited; of those that wait, one that
 * is covered by a later one is replaced by it, and otherwise the one that begins first counts, together with what was
 * joined to its end. (Where more than two that wait contradict each other, Linux can decide otherwise, by the shape of
 * a tree.) Returns 0, -ENOMEM, or -ENOBUFS when more than STREAM_HELD_MAX would wait; then the segment is lost.
 */
int stream_add(struct stream *stream, const struct stream_segment *segment, stream_reader reader, void *context);

/* Forgets what waits. */
void stream_clear(struct stream *stream);

#endif
