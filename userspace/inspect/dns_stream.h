/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes of a TCP connection to or from a DNS server ──► the messages in them, as the kernel's side finds them. */
#ifndef SNIF_DNS_STREAM_H
#define SNIF_DNS_STREAM_H

#include <stdint.h>

#include "dns.h"

typedef void (*dns_taker)(void *context, const uint8_t *message, uint32_t length);

/*
 * Hands on the questions of a segment, which holds whole ones (ask_packet() in bpf/question.bpf.h): what is none, or
 * one too many, comes as one without bytes.
 */
void dns_segment_read(const uint8_t *bytes, uint32_t length, dns_taker taker, void *context);

/* Zeroed at the connection's first byte. */
struct dns_stream {
	uint32_t have;
	uint8_t bytes[SNIF_DNS_MESSAGE]; /* a message, with its length before it */
};

/* Hands on the answers that are complete by then, but for those that are too long to be read. */
void dns_stream_add(struct dns_stream *stream, const uint8_t *bytes, uint32_t length, dns_taker taker, void *context);

#endif
