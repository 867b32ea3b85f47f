/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any packets ──► flows ──► lines and events. The input is a list of packets, each from its IP header on, behind two
 * bytes with its length in network order; the last one may be shorter than that.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/flow.h"
#include "inspect/inspect_print.h"
#include "event/event_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static FILE *sink;
static struct log *lines;

static void show(void *context, const struct flow_hello *found) {
	const struct event_context words = {.wall_clock = true};
	struct snif_event event = inspect_event(found, NULL);

	(void)context;
	/* a good name is one that the filter's own check leaves as it is */
	if (found->reason == SNIF_REASON_NONE) {
		__u16 length = found->hello->name_length;
		__u8 name[SNIF_NAME_BUFFER];

		memcpy(name, found->hello->name, sizeof(name));
		if (snif_name_normalise(name, &length) != SNIF_REASON_NONE || length != found->hello->name_length ||
		    memcmp(name, found->hello->name, length) != 0)
			abort();
	}
	inspect_print(sink, found, NULL, NULL);
	if (event_write(lines, &event, &words) != 0 || log_flush(lines) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct snif_hello_rules rules = snif_hello_rules_of(SNIF_HELLO_LONGEST);
	struct flows *flows = flows_new(&rules, show, NULL);
	struct capture_packet packet = {.frame = 0};

	if (!sink) {
		sink = fopen("/dev/null", "w");
		lines = log_new(sink, 1);
	}
	while (flows && size >= 2) {
		size_t length = (size_t)data[0] << 8 | data[1];
		uint8_t *copy; /* of its exact size, so that the sanitizer sees what is read behind it */

		data += 2;
		size -= 2;
		length = length < size ? length : size;
		copy = malloc(length > 0 ? length : 1);
		if (!copy)
			break;
		memcpy(copy, data, length);
		packet = (struct capture_packet){.frame = packet.frame + 1, .ip = copy, .length = length};
		flows_add(flows, &packet);
		free(copy);
		data += length;
		size -= length;
	}
	if (!flows)
		return 0;
	flows_end(flows);
	flows_free(flows);
	return 0;
}
