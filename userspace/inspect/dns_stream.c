/* SPDX-License-Identifier: BSD-2-Clause */
/* Segments and streams ──► messages of DNS. */
#include "inspect/dns_stream.h"

#include <string.h>

void dns_segment_read(const uint8_t *bytes, uint32_t length, dns_taker taker, void *context) {
	uint32_t at = 0, whole;

	for (int i = 1; i < SNIF_DNS_OF_SEGMENT && at + 2 <= length; i++) {
		whole = 2 + snif_be16(bytes + at);
		if (whole > length - at)
			break;
		taker(context, bytes + at + 2, whole - 2);
		at += whole;
	}
	if (at < length || length == 0)
		taker(context, NULL, 0);
}

void dns_stream_add(struct dns_stream *stream, const uint8_t *bytes, uint32_t length, dns_taker taker, void *context) {
	uint32_t whole, piece;

	while (length > 0) {
		whole = stream->have < 2 ? 2 : 2 + snif_be16(stream->bytes);
		piece = snif_min(whole - stream->have, length);
		if (whole <= sizeof(stream->bytes))
			memcpy(stream->bytes + stream->have, bytes, piece);
		stream->have += piece;
		bytes += piece;
		length -= piece;
		whole = 2 + snif_be16(stream->bytes);
		if (stream->have < 2 || stream->have < whole)
			continue;
		if (whole <= sizeof(stream->bytes))
			taker(context, stream->bytes + 2, whole - 2);
		stream->have = 0;
	}
}
