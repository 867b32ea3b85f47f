/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any packets ──► flows and lookups ──► lines and events. The input is a list of packets, each from its IP header on,
 * behind two bytes with its length in network order; the last one may be shorter than that.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compile/compile.h"
#include "event/event_write.h"
#include "inspect/flow.h"
#include "inspect/inspect_print.h"
#include "inspect/lookups.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static FILE *sink;
static struct log *lines;
static struct policy *policy;
static struct compiled compiled;

static void write_event(const struct snif_event *event) {
	const struct event_context words = {.wall_clock = true};

	if (event_write(lines, event, &words) != 0 || log_flush(lines) != 0)
		abort();
}

static void show(void *context, const struct flow_hello *found) {
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
	write_event(&event);
}

static void read_dns(void *lookups, const struct flow_message *message) {
	struct lookup lookup;
	struct snif_event event;

	switch (lookups_add(lookups, message, &lookup)) {
	case LOOKUP_REFUSED:
		inspect_print_question(sink, &lookup, policy);
		event = inspect_question_event(&lookup);
		write_event(&event);
		break;
	case LOOKUP_ANSWER:
		event = inspect_answer_event(&lookup, &policy->dns);
		write_event(&event);
		break;
	default:
		break;
	}
}

static void begin(void) {
	static const char text[] = "version: 1\ntls: {allow: [\"*.a.example\"]}\n"
				   "dns: {servers: [198.51.100.7], bind: require, names: policy}\n";
	struct diagnostics diagnostics = {0};

	sink = fopen("/dev/null", "w");
	lines = log_new(sink, 1);
	policy = policy_parse("fuzz.yaml", text, strlen(text), &diagnostics);
	if (!policy || compile_to_ask(policy, &compiled))
		abort();
	diagnostics_free(&diagnostics);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct snif_hello_rules rules = snif_hello_rules_of(SNIF_HELLO_LONGEST);
	struct lookups *lookups;
	struct flows *flows;
	struct capture_packet packet = {.frame = 0};

	if (!sink)
		begin();
	lookups = lookups_new(&compiled);
	flows = lookups ? flows_new(&rules, show, lookups) : NULL;
	if (flows)
		flows_read_dns(flows, read_dns);
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
	if (flows)
		flows_end(flows);
	flows_free(flows);
	lookups_free(lookups);
	return 0;
}
