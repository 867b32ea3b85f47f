/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets of netfilter's queue 0 ──► the ClientHello parser ──► a verdict: what snifence does, done the older way, for
 * bench/flow.c to measure. A packet that carries the allowed name marks its connection, and no more come here. No more
 * than that is done: a hello in more than one segment is dropped.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <libnetfilter_queue/libnetfilter_queue.h>

#include "../../tests/support/hello_reader.h"

enum { QUEUE = 0, MARK = 1, PACKET_MAX = 65535 };

static const char allowed[] = "allowed.lab.test";

struct verdict {
	uint32_t netfilter, mark;
};

/* The TCP payload of an IPv4 packet; NULL: it is no such packet. */
static const uint8_t *payload_of(const uint8_t *packet, size_t size, size_t *length) {
	size_t ip = size >= 20 ? (packet[0] & 0xfU) * 4 : 0, tcp;

	if (ip < 20 || packet[0] >> 4 != 4 || packet[9] != IPPROTO_TCP || size < ip + 20)
		return NULL;
	tcp = (packet[ip + 12] >> 4) * 4U;
	if (tcp < 20 || size < ip + tcp)
		return NULL;
	*length = size - ip - tcp;
	return packet + ip + tcp;
}

static struct verdict judge(const uint8_t *packet, size_t size) {
	struct hello_reader reader = {0};
	size_t length = 0;
	const uint8_t *payload = payload_of(packet, size, &length);

	if (!payload)
		return (struct verdict){NF_DROP, 0};
	if (length == 0)
		return (struct verdict){NF_ACCEPT, 0};
	hello_reader_feed(&reader, payload, length);
	if (reader.reading.count == 1 && strcmp(reader.reading.found[0].name, allowed) == 0)
		return (struct verdict){NF_ACCEPT, MARK};
	return (struct verdict){NF_DROP, 0};
}

static int on_packet(struct nfq_q_handle *queue, struct nfgenmsg *message, struct nfq_data *data, void *context) {
	struct nfqnl_msg_packet_hdr *header = nfq_get_msg_packet_hdr(data);
	struct verdict verdict = {NF_DROP, 0};
	uint8_t *packet;
	int size = nfq_get_payload(data, &packet);

	(void)message;
	(void)context;
	if (!header)
		return 0;
	if (size > 0)
		verdict = judge(packet, (size_t)size);
	return nfq_set_verdict2(queue, ntohl(header->packet_id), verdict.netfilter, verdict.mark, 0, NULL);
}

int main(void) {
	static char message[PACKET_MAX + 4096] __attribute__((aligned(8)));
	struct nfq_handle *netfilter = nfq_open();
	struct nfq_q_handle *queue = netfilter ? nfq_create_queue(netfilter, QUEUE, on_packet, NULL) : NULL;
	ssize_t length;

	if (!queue || nfq_set_mode(queue, NFQNL_COPY_PACKET, PACKET_MAX) < 0) {
		fprintf(stderr, "nfqueue: no queue %d: %s\n", QUEUE, strerror(errno));
		return 1;
	}
	while ((length = recv(nfq_fd(netfilter), message, sizeof(message), 0)) > 0 || errno == ENOBUFS)
		if (length > 0)
			nfq_handle_packet(netfilter, message, (int)length);
	fprintf(stderr, "nfqueue: %s\n", strerror(errno));
	nfq_close(netfilter);
	return 1;
}
