/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets of many connections ──► the ClientHellos that their streams begin with. */
#ifndef SNIF_FLOW_H
#define SNIF_FLOW_H

#include <stdbool.h>

#include "packet.h"
#include "tls_record.h"
#include "inspect/capture.h"

/*
 * What a stream begins with. A flow is one direction of a TCP connection; a SYN with another sequence number, or one
 * after FIN or RST, begins a new one. Without a SYN in the capture, the first data does.
 */
struct flow_hello {
	uint64_t flow;		  /* counts from 1 */
	struct timespec time;	  /* of the packet that decided */
	uint64_t first_frame;	  /* of the packet with the hello's first byte */
	uint32_t segments;	  /* that the hello came in, as far as it was read */
	enum snif_reason reason;  /* NONE: it is complete and has a server name */
	enum snif_reason refusal; /* why the filter refuses a packet of it, whatever the name; NONE: it does not */
	bool accepted;		  /* the sender accepted the connection, as its SYN shows */
	const uint8_t *source, *destination; /* 16 bytes, v4-mapped */
	uint16_t source_port, destination_port;
	const struct snif_hello *hello; /* the parser as it stands: see flow_hello_has_name() */
};

/*
 * Whether hello->name is what the client sent as its server name, whole: also where the hello is refused for something
 * behind it, and where it is the one before that had the name, as in the events of the kernel's side.
 */
bool flow_hello_has_name(const struct flow_hello *found);

typedef void (*flow_reader)(void *context, const struct flow_hello *found);

struct flows;

/* A message from or to port 53. Of TCP: see dns_stream.h. */
struct flow_message {
	struct timespec time;
	const struct snif_packet *headers; /* of the packet that it came in, or with which it was complete */
	const uint8_t *data;
	uint32_t length; /* 0: there is none to be read */
};

typedef void (*message_reader)(void *context, const struct flow_message *message);

/* Numbers of packets that told nothing. */
struct flow_losses {
	uint64_t fragments; /* of IP: they are not put together */
	uint64_t damaged;   /* cut off in their headers, or headers that contradict each other */
	/* datagrams to UDP 443 and 53: names in the first are not read, nor in the second without a reader */
	uint64_t quic, dns;
};

/*
 * Hellos are read by `rules`. `reader` is called once for each flow that begins with a ClientHello, or with a TLS
 * handshake record after the SYN of who opened the connection; and again when a second ClientHello (after a
 * HelloRetryRequest) has another name or another ECH flag, or is refused. What `found` points to is valid during the
 * call. Returns NULL when memory is out.
 */
struct flows *flows_new(const struct snif_hello_rules *rules, flow_reader reader, void *context);

/* Has messages of DNS read, with the same context. */
void flows_read_dns(struct flows *flows, message_reader reader);

/*
 * Takes an IP packet. Memory is bounded: of over 65,536 flows, or 64 MiB that wait for lost segments, those idle for
 * longest are ended as by flows_end(). Returns 0 or -ENOMEM.
 */
int flows_add(struct flows *flows, const struct capture_packet *packet);

/* The capture has ended: reports the hellos that were not complete, and forgets all flows and losses. */
struct flow_losses flows_end(struct flows *flows);

/* Without reporting. */
void flows_free(struct flows *flows);

#endif
