/* SPDX-License-Identifier: BSD-2-Clause */
/* A pcapng file (draft-ietf-opsawg-pcapng) ──► frames, each with the link type of its own interface. */
#ifndef SNIF_PCAPNG_H
#define SNIF_PCAPNG_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

/* libpcap refuses files whose interfaces differ in link type or snapshot length, as merged ones do. */
struct pcapng;

struct pcapng_frame {
	struct timespec time; /* 0: the file has none for it */
	int link;	      /* LINKTYPE_* */
	const uint8_t *bytes; /* valid until the next call */
	size_t length;
};

/* The first four bytes of any such file. */
extern const uint8_t pcapng_beginning[4];

/* Reads from the beginning of `in`, which is borrowed. NULL: out of memory. */
struct pcapng *pcapng_open(FILE *in);

/* Reads the next frame. Returns 1, 0 at the end, or -EIO: pcapng_error() says why. */
int pcapng_next(struct pcapng *pcapng, struct pcapng_frame *frame);

const char *pcapng_error(const struct pcapng *pcapng);

void pcapng_close(struct pcapng *pcapng); /* NULL is allowed */

#endif
