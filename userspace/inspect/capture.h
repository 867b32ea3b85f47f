/* SPDX-License-Identifier: BSD-2-Clause */
/* Capture files of pcap and pcapng ──► IP packets. */
#ifndef SNIF_CAPTURE_H
#define SNIF_CAPTURE_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct capture_packet {
	struct timespec time; /* CLOCK_REALTIME of the machine that captured */
	uint64_t frame;	      /* counts all packets of the file, from 1 */
	const uint8_t *ip;    /* valid until the next call */
	size_t length;	      /* as captured, from the IP header on */
};

struct capture;

/* Opens a capture file ("-": standard input). Returns NULL after saying why it cannot be read: no such file, no
 * capture, a link type that is not known here. */
struct capture *capture_open(const char *file);

/* Reads up to the next packet that has an IP header. Returns 1, 0 at the end, or -EIO after saying why the rest of the
 * file cannot be read. */
int capture_next(struct capture *capture, struct capture_packet *packet);

void capture_close(struct capture *capture);

#endif
