/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes ──► what include/packet.h reads of them as a packet: within the packet, the same whatever stands behind the
 * headers, nothing of headers that are cut off; and what passes for plain is read as such.
 */
#include <stdbool.h>
#include <stdlib.h>

#include "inspect/tcp_packet.h"

#define INPUT_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good) {
	if (!good)
		abort();
}

struct reading {
	struct snif_packet packet;
	enum snif_reason end, syn;
};

/* Reads the first `length` bytes, in memory of their own, so that the sanitizer sees what is read behind them. */
static struct reading read_first(const uint8_t *data, uint32_t length) {
	struct reading reading = {.packet.end = length};
	struct snif_packet_bytes source = {.length = length};
	uint8_t *copy = malloc(length);

	check(copy != NULL);
	memcpy(copy, data, length);
	source.bytes = copy;
	reading.end = snif_packet_read(&source, copy[0] >> 4, &reading.packet);
	if (reading.end == SNIF_REASON_NONE && reading.packet.to.protocol == IPPROTO_TCP)
		reading.syn = snif_packet_syn(&source, &reading.packet);
	free(copy);
	return reading;
}

static void check_reading(const struct reading *reading) {
	const struct snif_packet *packet = &reading->packet;

	check(reading->end == SNIF_REASON_NONE || reading->end == SNIF_REASON_MALFORMED_PACKET ||
	      reading->end == SNIF_REASON_FRAGMENT);
	check(packet->refusal == SNIF_REASON_NONE || packet->refusal == SNIF_REASON_SOURCE_ROUTE ||
	      packet->refusal == SNIF_REASON_FRAGMENT || packet->refusal == SNIF_REASON_V4_MAPPED);
	if (reading->end != SNIF_REASON_NONE || packet->to.protocol != IPPROTO_TCP)
		return;
	check(packet->options >= sizeof(struct snif_ipv4_header) + sizeof(struct snif_tcp_header));
	check(packet->options <= packet->payload && packet->payload <= packet->end);
}

/* Of a packet whose headers are all there: they are read without what is behind them, and not when they are cut. */
static void check_cuts(const uint8_t *data, const struct reading *whole) {
	bool tcp = whole->packet.to.protocol == IPPROTO_TCP;
	uint32_t headers = whole->packet.payload + (tcp ? 0 : 4 /* UDP's ports */);
	struct reading cut = read_first(data, headers);

	cut.packet.end = whole->packet.end;
	check(memcmp(&cut, whole, sizeof(cut)) == 0);
	for (uint32_t length = 1; length < headers; length++) {
		cut = read_first(data, length);
		check_reading(&cut);
		check(cut.end != SNIF_REASON_NONE);
	}
}

/* Of the address that stands where those of plain packets do. */
static void check_plain(const uint8_t *data, uint32_t size, const struct reading *reading) {
	uint8_t *copy = malloc(size); /* at a multiple of four */
	struct snif_target to = {.port = 0};

	check(copy != NULL);
	memcpy(copy, data, size);
	if (size >= 40 && copy[0] >> 4 == 4)
		snif_map_ipv4(to.address, copy + 16);
	else if (size >= 40)
		memcpy(to.address, copy + 24, 16);
	if (snif_packet_is_plain(copy, copy + size, &to)) {
		check(memcmp(to.address, reading->packet.to.address, 16) == 0);
		check(reading->packet.to.protocol == IPPROTO_TCP && reading->packet.refusal == SNIF_REASON_NONE);
		check(reading->end == SNIF_REASON_FRAGMENT || !(reading->packet.flags & SNIF_TCP_SYN));
		to.address[15] ^= 1;
		check(!snif_packet_is_plain(copy, copy + size, &to));
	}
	free(copy);
}

static void check_tcp(const uint8_t *data, uint32_t size) {
	struct tcp_packet tcp;

	if (tcp_packet_read(data, size, &tcp) == TCP_PACKET)
		check(tcp.data >= data + 40 && tcp.data + tcp.length <= data + size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct reading reading;

	if (size == 0 || size > INPUT_MAX)
		return 0;
	reading = read_first(data, (uint32_t)size);
	check_reading(&reading);
	if (reading.end == SNIF_REASON_NONE &&
	    (reading.packet.to.protocol == IPPROTO_TCP || reading.packet.to.protocol == IPPROTO_UDP))
		check_cuts(data, &reading);
	check_plain(data, (uint32_t)size, &reading);
	check_tcp(data, (uint32_t)size);
	return 0;
}
