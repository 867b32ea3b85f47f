/* SPDX-License-Identifier: BSD-2-Clause */
/* IP packets ──► flows ──► streams ──► the parser ──► what each flow says first. */
#include "inspect/flow.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "inspect/dns_stream.h"
#include "inspect/stream.h"
#include "inspect/tcp_packet.h"

#define FLOWS_MAX 65536
#define FLOWS_HELD_MAX (64 << 20)

struct key {
	uint8_t source[16], destination[16];
	uint16_t source_port, destination_port;
};

/* What a flow needs until its hello is decided; what a DNS server answers over TCP has none, and goes on. */
struct reading {
	struct stream stream;
	struct dns_stream *answers; /* NULL: no answers are read in it */
	struct snif_hello hello;
	struct timespec time; /* of the last data */
	uint64_t first_frame;
	uint32_t segments;
	bool reported;
	bool decided;
	uint8_t name[SNIF_NAME_BUFFER]; /* as reported */
	uint16_t name_length;
	bool ech;
};

struct flow {
	struct key key; /* the first member: what the tree compares */
	TAILQ_ENTRY(flow) age;
	struct reading *reading; /* NULL: nothing came yet, or it is decided */
	uint64_t number;
	uint32_t start;	 /* of the first byte */
	uint8_t refusal; /* enum snif_reason */
	bool opened;	 /* there was a SYN of who opens the connection */
	bool accepted;	 /* one of who accepts it */
	bool closed;	 /* FIN or RST */
	bool decided;
};

struct flows {
	struct snif_hello_rules rules;
	flow_reader reader;
	message_reader dns_reader;
	void *context;
	void *tree;			    /* of tsearch() */
	TAILQ_HEAD(flow_list, flow) by_age; /* idle for longest first */
	size_t count, held;
	uint64_t number;
	struct flow_losses losses;
};

static int compare(const void *a, const void *b) {
	return memcmp(a, b, sizeof(struct key));
}

bool flow_hello_has_name(const struct flow_hello *found) {
	return found->hello->name_length > 0;
}

/*
 * Whether the stream begins as a ClientHello does; after a SYN of who opens the connection, a handshake record is
 * enough. Without one, the stream may be any part of a connection or the server's, whose records begin alike.
 */
static bool is_tls(const struct flow *flow) {
	const struct snif_hello *h = &flow->reading->hello;
	unsigned header = h->record_have ? h->record_have : 5; /* bytes of the last record's header that are there */

	if (h->field > SNIF_FIELD_MESSAGE || (h->have > 0 && h->value >> (h->have - 1) * 8 == 1))
		return true;
	return flow->opened && (h->records > 0 || (header >= 2 && (h->record >> (header - 2) * 8 & 0xffff) == 0x1603));
}

static void report(struct flows *flows, struct flow *flow, enum snif_reason reason) {
	struct reading *reading = flow->reading;
	struct flow_hello found = {
		.flow = flow->number,
		.time = reading->time,
		.first_frame = reading->first_frame,
		.segments = reading->segments,
		.reason = reason,
		.refusal = flow->refusal,
		.accepted = flow->accepted && !flow->opened,
		.source = flow->key.source,
		.destination = flow->key.destination,
		.source_port = flow->key.source_port,
		.destination_port = flow->key.destination_port,
		.hello = &reading->hello,
	};

	if (!flow->number)
		found.flow = flow->number = ++flows->number;
	reading->reported = true;
	reading->ech = reading->hello.ech;
	reading->name_length = reading->hello.name_length;
	memcpy(reading->name, reading->hello.name, sizeof(reading->name));
	flows->reader(flows->context, &found);
}

static bool is_news(const struct reading *reading) {
	const struct snif_hello *hello = &reading->hello;

	return !reading->reported || reading->ech != hello->ech || reading->name_length != hello->name_length ||
	       memcmp(reading->name, hello->name, hello->name_length) != 0;
}

struct arrival {
	struct flows *flows;
	struct flow *flow;
	const struct snif_packet *headers;
	const struct capture_packet *capture;
};

/* Hands on a message of the packet at hand. A dns_taker. */
static void take_message(void *context, const uint8_t *data, uint32_t length) {
	const struct arrival *arrival = context;
	const struct flow_message message = {arrival->capture->time, arrival->headers, data, length};

	arrival->flows->dns_reader(arrival->flows->context, &message);
}

/* Feeds the parser with what the receiver reads. A stream_reader. */
static void read_bytes(void *context, const uint8_t *bytes, uint32_t length, uint32_t segments) {
	struct arrival *arrival = context;
	struct reading *reading = arrival->flow->reading;
	struct snif_hello *hello = &reading->hello;
	uint32_t offset = 0;

	if (reading->decided)
		return;
	if (reading->answers) {
		dns_stream_add(reading->answers, bytes, length, take_message, arrival);
		return;
	}
	if (!hello->started)
		reading->first_frame = arrival->capture->frame;
	reading->segments += segments;
	while (offset < length && hello->status == SNIF_HELLO_MORE) {
		snif_tls_feed(hello, bytes, offset, length);
		offset = hello->offset;
		if (hello->status != SNIF_HELLO_READ)
			break;
		if (is_news(reading))
			report(arrival->flows, arrival->flow, SNIF_REASON_NONE);
		snif_tls_continue(hello);
		reading->first_frame = arrival->capture->frame;
		reading->segments = offset < length;
	}
	reading->decided = hello->status != SNIF_HELLO_MORE;
	if (hello->status == SNIF_HELLO_REFUSED && (reading->reported || is_tls(arrival->flow)))
		report(arrival->flows, arrival->flow, hello->reason);
}

static void flow_decide(struct flows *flows, struct flow *flow) {
	flow->decided = true;
	if (!flow->reading)
		return;
	flows->held -= flow->reading->stream.held;
	stream_clear(&flow->reading->stream);
	free(flow->reading->answers);
	free(flow->reading);
	flow->reading = NULL;
}

/* No more can come, or what could is not waited for. */
static void flow_give_up(struct flows *flows, struct flow *flow) {
	struct reading *reading = flow->reading;

	if (reading && !reading->answers && !reading->decided && !reading->reported && is_tls(flow))
		report(flows, flow, reading->stream.pieces ? SNIF_REASON_SEQUENCE_GAP : SNIF_REASON_HELLO_INCOMPLETE);
	flow_decide(flows, flow);
}

static void flow_remove(struct flows *flows, struct flow *flow) {
	flow_decide(flows, flow);
	tdelete(flow, &flows->tree, compare);
	TAILQ_REMOVE(&flows->by_age, flow, age);
	flows->count--;
	free(flow);
}

static struct flow *flow_add(struct flows *flows, const struct key *key, uint32_t start) {
	struct flow *flow = calloc(1, sizeof(*flow));

	if (!flow)
		return NULL;
	flow->key = *key;
	flow->start = start;
	if (!tsearch(flow, &flows->tree, compare)) {
		free(flow);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&flows->by_age, flow, age);
	flows->count++;
	return flow;
}

/*
 * The flow that the packet belongs to: the one of these addresses, or a new one. A packet with neither SYN nor data
 * makes none: then `found` is NULL. Returns 0 or -ENOMEM.
 */
static int flow_find(struct flows *flows, const struct tcp_packet *packet, struct flow **found) {
	const struct snif_packet *headers = &packet->headers;
	struct key key = {.source_port = headers->source_port, .destination_port = headers->to.port};
	bool syn = headers->flags & SNIF_TCP_SYN;
	uint32_t start = headers->sequence + syn;
	struct flow *const *node, *flow;

	memcpy(key.source, headers->source, 16);
	memcpy(key.destination, headers->to.address, 16);
	node = tfind(&key, &flows->tree, compare);
	flow = node ? *node : NULL;
	if (flow && syn && (flow->closed || flow->start != start)) {
		flow_give_up(flows, flow);
		flow_remove(flows, flow);
		flow = NULL;
	}
	*found = flow;
	if (flow || (!syn && packet->length == 0))
		return 0;
	*found = flow_add(flows, &key, start);
	return *found ? 0 : -ENOMEM;
}

static void flow_note(struct flows *flows, struct flow *flow, const struct snif_packet *headers) {
	TAILQ_REMOVE(&flows->by_age, flow, age);
	TAILQ_INSERT_TAIL(&flows->by_age, flow, age);
	if (headers->flags & SNIF_TCP_SYN) {
		flow->opened |= !(headers->flags & SNIF_TCP_ACK);
		flow->accepted |= !!(headers->flags & SNIF_TCP_ACK);
	}
	flow->closed |= !!(headers->flags & (SNIF_TCP_FIN | SNIF_TCP_RST));
	if (!flow->refusal)
		flow->refusal = headers->refusal;
	if (!flow->refusal && headers->flags & SNIF_TCP_URG)
		flow->refusal = SNIF_REASON_URGENT_DATA;
}

/* What a DNS server answers, of a connection that is in the capture from its beginning on: the frame is known then. */
static bool has_answers(const struct flows *flows, const struct flow *flow) {
	return flows->dns_reader && flow->accepted && flow->key.source_port == SNIF_DNS_PORT;
}

static struct reading *reading_new(const struct flows *flows, const struct flow *flow) {
	struct reading *reading = calloc(1, sizeof(*reading));

	if (!reading)
		return NULL;
	reading->hello.rules = flows->rules;
	reading->stream.next = flow->start;
	if (!has_answers(flows, flow))
		return reading;
	reading->answers = calloc(1, sizeof(*reading->answers));
	if (reading->answers)
		return reading;
	free(reading);
	return NULL;
}

/* Takes a packet of a flow that is not decided. */
static int flow_read(struct flows *flows, struct flow *flow, const struct tcp_packet *packet,
		     const struct capture_packet *capture) {
	const struct snif_packet *headers = &packet->headers;
	bool syn = headers->flags & SNIF_TCP_SYN;
	struct stream_segment segment = {
		.sequence = headers->sequence + syn,
		.length = packet->length,
		.bytes = packet->data,
		.has_urgent = !syn && headers->flags & SNIF_TCP_URG,
		.urgent = packet->urgent,
	};
	struct arrival arrival = {flows, flow, headers, capture};
	struct reading *reading = flow->reading;
	size_t held;
	int error;

	if (!reading)
		reading = flow->reading = reading_new(flows, flow);
	if (!reading)
		return -ENOMEM;
	if (packet->length > 0)
		reading->time = capture->time;
	held = reading->stream.held;
	error = stream_add(&reading->stream, &segment, read_bytes, &arrival);
	flows->held += reading->stream.held - held;
	if (error == -ENOBUFS)
		flow_give_up(flows, flow);
	else if (reading->decided)
		flow_decide(flows, flow);
	return error == -ENOMEM ? error : 0;
}

static int add_tcp(struct flows *flows, const struct tcp_packet *packet, const struct capture_packet *capture) {
	struct flow *flow;
	int error = flow_find(flows, packet, &flow);

	if (!flow)
		return error;
	flow_note(flows, flow, &packet->headers);
	if (flows->dns_reader && packet->headers.to.port == SNIF_DNS_PORT && packet->length > 0)
		dns_segment_read(packet->data, packet->headers.flags & SNIF_TCP_URG ? 0 : packet->length, take_message,
				 &(struct arrival){flows, flow, &packet->headers, capture});
	if (!flow->decided && (packet->length > 0 || packet->headers.flags & SNIF_TCP_URG))
		error = flow_read(flows, flow, packet, capture);
	while (flows->count > FLOWS_MAX || flows->held > FLOWS_HELD_MAX) {
		flow = TAILQ_FIRST(&flows->by_age);
		flow_give_up(flows, flow);
		flow_remove(flows, flow);
	}
	return error;
}

struct flows *flows_new(const struct snif_hello_rules *rules, flow_reader reader, void *context) {
	struct flows *flows = calloc(1, sizeof(*flows));

	if (!flows)
		return NULL;
	flows->rules = *rules;
	flows->reader = reader;
	flows->context = context;
	TAILQ_INIT(&flows->by_age);
	return flows;
}

/* What is no TCP, and which people look for all the same. */
static void take_other(struct flows *flows, const struct snif_packet *headers, const struct capture_packet *packet) {
	enum { QUIC_PORT = 443, UDP_HEADER = 8 };
	uint32_t begin = headers->payload + UDP_HEADER;
	struct flow_message message = {.time = packet->time, .headers = headers};

	if (headers->to.protocol != IPPROTO_UDP)
		return;
	flows->losses.quic += headers->to.port == QUIC_PORT;
	if (headers->to.port != SNIF_DNS_PORT && headers->source_port != SNIF_DNS_PORT)
		return;
	if (begin < headers->end) {
		message.data = packet->ip + begin;
		message.length = headers->end - begin;
	}
	/* without a reader, a lookup is one packet */
	if (flows->dns_reader)
		flows->dns_reader(flows->context, &message);
	else
		flows->losses.dns += headers->to.port == SNIF_DNS_PORT;
}

void flows_read_dns(struct flows *flows, message_reader reader) {
	flows->dns_reader = reader;
}

int flows_add(struct flows *flows, const struct capture_packet *packet) {
	struct tcp_packet tcp;

	switch (tcp_packet_read(packet->ip, packet->length, &tcp)) {
	case TCP_PACKET:
		return add_tcp(flows, &tcp, packet);
	case TCP_PACKET_FRAGMENT:
		flows->losses.fragments++;
		return 0;
	case TCP_PACKET_DAMAGED:
		flows->losses.damaged++;
		return 0;
	default:
		take_other(flows, &tcp.headers, packet);
		return 0;
	}
}

struct flow_losses flows_end(struct flows *flows) {
	struct flow_losses losses = flows->losses;
	struct flow *flow;

	while ((flow = TAILQ_FIRST(&flows->by_age))) {
		flow_give_up(flows, flow);
		flow_remove(flows, flow);
	}
	flows->losses = (struct flow_losses){0};
	return losses;
}

void flows_free(struct flows *flows) {
	struct flow *flow;

	if (!flows)
		return;
	while ((flow = TAILQ_FIRST(&flows->by_age)))
		flow_remove(flows, flow);
	free(flows);
}
