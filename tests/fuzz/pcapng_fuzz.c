/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes ──► the frames of a pcapng file, all of whose bytes can be read. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "inspect/pcapng.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	FILE *in = size > 0 ? fmemopen((void *)data, size, "r") : NULL;
	struct pcapng *pcapng = in ? pcapng_open(in) : NULL;
	struct pcapng_frame frame;
	unsigned sum = 0;
	int result = 0;

	while (pcapng && (result = pcapng_next(pcapng, &frame)) == 1) {
		for (size_t i = 0; i < frame.length; i++)
			sum += frame.bytes[i];
		if (frame.time.tv_nsec < 0 || frame.time.tv_nsec >= 1000000000)
			abort();
	}
	if (result < 0 && !pcapng_error(pcapng))
		abort();
	pcapng_close(pcapng);
	if (in)
		fclose(in);
	return sum == 1 ? -1 : 0;
}
