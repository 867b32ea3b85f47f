/* SPDX-License-Identifier: BSD-2-Clause */
/* A pcapng file (draft-ietf-opsawg-pcapng) ──► frames, each with the link type of its own interface. */
#include "inspect/pcapng.h"

#include <byteswap.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

enum {
	BLOCK_MOST = 16 << 20, /* bytes */
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_OLD_PACKET = 2,
	BLOCK_SIMPLE_PACKET = 3,
	BLOCK_PACKET = 6,
	OPTION_END = 0,
	OPTION_RESOLUTION = 9,
	OPTION_OFFSET = 14,
	BYTE_ORDER_MAGIC = 0x1a2b3c4d,
};

const uint8_t pcapng_beginning[4] = {0x0a, 0x0d, 0x0d, 0x0a};

struct interface {
	int link;
	uint32_t snapshot; /* the most bytes of a frame; 0: no limit */
	uint64_t units;	   /* of time, in a second */
	int64_t offset;	   /* seconds */
};

struct pcapng {
	FILE *in;
	bool swapped; /* the section has the other byte order */
	struct interface *interfaces;
	size_t interface_count;
	uint8_t *block; /* its body */
	size_t length, room;
	const char *error;
};

struct pcapng *pcapng_open(FILE *in) {
	struct pcapng *pcapng = calloc(1, sizeof(*pcapng));

	if (pcapng)
		pcapng->in = in;
	return pcapng;
}

static int refuse(struct pcapng *pcapng, const char *error) {
	pcapng->error = error;
	return -EIO;
}

/* Numbers of the body; the caller has looked whether they are in it. */
static uint16_t get_16(const struct pcapng *pcapng, size_t at) {
	uint16_t value;

	memcpy(&value, pcapng->block + at, sizeof(value));
	return pcapng->swapped ? bswap_16(value) : value;
}

static uint32_t get_32(const struct pcapng *pcapng, size_t at) {
	uint32_t value;

	memcpy(&value, pcapng->block + at, sizeof(value));
	return pcapng->swapped ? bswap_32(value) : value;
}

static uint64_t get_64(const struct pcapng *pcapng, size_t at) {
	uint64_t value;

	memcpy(&value, pcapng->block + at, sizeof(value));
	return pcapng->swapped ? bswap_64(value) : value;
}

/* ---- blocks -------------------------------------------------------------------------------------------------------- */

static int make_room(struct pcapng *pcapng, size_t size) {
	uint8_t *larger;

	if (pcapng->block && size <= pcapng->room)
		return 0;
	larger = realloc(pcapng->block, size + 1); /* none is no memory either */
	if (!larger)
		return refuse(pcapng, "out of memory");
	pcapng->block = larger;
	pcapng->room = size;
	return 0;
}

/* The byte order of a section is told behind the length of its first block. */
static int read_order(struct pcapng *pcapng, uint32_t *magic) {
	if (fread(magic, sizeof(*magic), 1, pcapng->in) != 1)
		return refuse(pcapng, "it is cut off");
	pcapng->swapped = *magic == bswap_32(BYTE_ORDER_MAGIC);
	if (!pcapng->swapped && *magic != BYTE_ORDER_MAGIC)
		return refuse(pcapng, "a section without a byte order");
	pcapng->interface_count = 0;
	return 0;
}

/* Reads a whole block. Returns 1 with its type, 0 at the end, or -EIO. */
static int read_block(struct pcapng *pcapng, uint32_t *type) {
	uint32_t head[2], magic = 0, length, last;
	size_t got = fread(head, 1, sizeof(head), pcapng->in), have = 0;

	if (got == 0 && feof(pcapng->in))
		return 0;
	if (got != sizeof(head))
		return refuse(pcapng, "it is cut off");
	/* this type reads the same either way */
	if (head[0] == BLOCK_SECTION) {
		if (read_order(pcapng, &magic))
			return -EIO;
		have = sizeof(magic);
	}
	*type = pcapng->swapped ? bswap_32(head[0]) : head[0];
	length = pcapng->swapped ? bswap_32(head[1]) : head[1];
	if (length < 12 + have || length % 4 || length > BLOCK_MOST)
		return refuse(pcapng, "a block of an impossible length");
	pcapng->length = length - 12;
	if (make_room(pcapng, pcapng->length))
		return -EIO;
	memcpy(pcapng->block, &magic, have);
	if (fread(pcapng->block + have, 1, pcapng->length - have, pcapng->in) != pcapng->length - have ||
	    fread(&last, sizeof(last), 1, pcapng->in) != 1)
		return refuse(pcapng, "it is cut off");
	return last == head[1] ? 1 : refuse(pcapng, "a block whose two lengths differ");
}

/* ---- interfaces ---------------------------------------------------------------------------------------------------- */

/* A power of 10, or of 2 where the highest bit is set. More than a nanosecond's is none that anybody writes. */
static uint64_t units_of(uint8_t resolution) {
	uint64_t units = 1;
	unsigned power = resolution & 0x7f;

	if (power > (resolution & 0x80 ? 63 : 19))
		return 0;
	while (power-- > 0)
		units *= resolution & 0x80 ? 2 : 10;
	return units;
}

static void read_options(const struct pcapng *pcapng, struct interface *interface) {
	for (size_t at = 8; at + 4 <= pcapng->length;) {
		uint16_t code = get_16(pcapng, at), length = get_16(pcapng, at + 2);

		at += 4;
		if (code == OPTION_END || length > pcapng->length - at)
			return;
		if (code == OPTION_RESOLUTION && length == 1)
			interface->units = units_of(pcapng->block[at]);
		else if (code == OPTION_OFFSET && length == 8)
			interface->offset = (int64_t)get_64(pcapng, at);
		at += (length + 3U) / 4 * 4;
	}
}

static int add_interface(struct pcapng *pcapng) {
	struct interface *interface;

	if (pcapng->length < 8)
		return refuse(pcapng, "an interface without its link type");
	/* those of the section before are left, with their room: array_add() goes by the number */
	if (pcapng->interface_count == 0) {
		free(pcapng->interfaces);
		pcapng->interfaces = NULL;
	}
	interface = array_add(&pcapng->interfaces, &pcapng->interface_count, sizeof(*interface));
	if (!interface)
		return refuse(pcapng, "out of memory");
	*interface = (struct interface){
		.link = get_16(pcapng, 0), .snapshot = get_32(pcapng, 4), .units = 1000000, .offset = 0};
	read_options(pcapng, interface);
	return interface->units ? 0 : refuse(pcapng, "an interface with an impossible resolution of time");
}

/* ---- packets ------------------------------------------------------------------------------------------------------- */

static struct timespec time_of(const struct interface *interface, uint64_t ticks) {
	unsigned __int128 part = (unsigned __int128)(ticks % interface->units) * 1000000000;

	return (struct timespec){(time_t)(ticks / interface->units + (uint64_t)interface->offset),
				 (long)(part / interface->units)};
}

/* `data` is where the bytes begin in the body, `number` that of the interface. */
static int take(struct pcapng *pcapng, struct pcapng_frame *frame, size_t number, size_t data, size_t length) {
	if (number >= pcapng->interface_count)
		return refuse(pcapng, "a packet of an interface that was not told of");
	if (length > pcapng->length - data)
		return refuse(pcapng, "a packet longer than its block");
	*frame = (struct pcapng_frame){
		.link = pcapng->interfaces[number].link, .bytes = pcapng->block + data, .length = length};
	return 1;
}

/* Of the current and of the obsolete kind, which differ in their first four bytes. */
static int take_packet(struct pcapng *pcapng, struct pcapng_frame *frame, bool old) {
	size_t number;
	int result;

	if (pcapng->length < 20)
		return refuse(pcapng, "a packet shorter than its header");
	number = old ? get_16(pcapng, 0) : get_32(pcapng, 0);
	result = take(pcapng, frame, number, 20, get_32(pcapng, 12));
	if (result == 1)
		frame->time =
			time_of(&pcapng->interfaces[number], (uint64_t)get_32(pcapng, 4) << 32 | get_32(pcapng, 8));
	return result;
}

/* It has no time, and belongs to the first interface. */
static int take_simple(struct pcapng *pcapng, struct pcapng_frame *frame) {
	size_t length;

	if (pcapng->length < 4)
		return refuse(pcapng, "a packet shorter than its header");
	length = get_32(pcapng, 0);
	if (pcapng->interface_count > 0 && pcapng->interfaces[0].snapshot > 0 &&
	    length > pcapng->interfaces[0].snapshot)
		length = pcapng->interfaces[0].snapshot;
	if (length > pcapng->length - 4)
		length = pcapng->length - 4;
	return take(pcapng, frame, 0, 4, length);
}

int pcapng_next(struct pcapng *pcapng, struct pcapng_frame *frame) {
	uint32_t type;
	int result;

	while ((result = read_block(pcapng, &type)) == 1) {
		if (type == BLOCK_PACKET || type == BLOCK_OLD_PACKET)
			return take_packet(pcapng, frame, type == BLOCK_OLD_PACKET);
		if (type == BLOCK_SIMPLE_PACKET)
			return take_simple(pcapng, frame);
		if (type == BLOCK_INTERFACE && add_interface(pcapng))
			return -EIO;
	}
	return result;
}

const char *pcapng_error(const struct pcapng *pcapng) {
	return pcapng->error;
}

void pcapng_close(struct pcapng *pcapng) {
	if (!pcapng)
		return;
	free(pcapng->interfaces);
	free(pcapng->block);
	free(pcapng);
}
