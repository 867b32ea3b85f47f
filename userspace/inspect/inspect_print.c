/* SPDX-License-Identifier: BSD-2-Clause */
/* Flow, hello, judgement ──► a line of text, or an event. */
#include "inspect/inspect_print.h"

#include <netinet/in.h>

#include "base/message.h"
#include "base/timestamp.h"
#include "event/event_words.h"
#include "policy/rule_print.h"

static void print_endpoint(FILE *out, const uint8_t address[16], uint16_t port) {
	char text[EVENT_ADDRESS_SIZE];

	event_address(text, address);
	fprintf(out, snif_is_ipv4(address) ? "%s:%u" : "[%s]:%u", text, port);
}

/* Spaces part the line's fields, so those of a name are escaped as well. */
static void print_name(FILE *out, const __u8 *name, __u16 length) {
	if (length == 0)
		fputc('-', out);
	for (__u16 i = 0; i < length; i++) {
		if (name[i] == ' ')
			fputs("\\x20", out);
		else
			print_escaped(out, name + i, 1);
	}
}

static void print_reason(FILE *out, enum snif_reason reason) {
	fprintf(out, " %s (%s)", reason_code(reason), reason_text(reason));
}

static void print_judgement(FILE *out, const struct policy *policy, const struct snif_judgement *judgement) {
	fputs(judgement->verdict == SNIF_ALLOW ? " allow" : " deny", out);
	print_reason(out, judgement->reason);
	if (judgement->rule != 0) {
		fputs(" rule ", out);
		rule_print(&policy->rules[judgement->rule], out);
	}
	if (judgement->verdict != SNIF_ALLOW && policy->mode == SNIF_AUDIT)
		fputs("; audit mode: it would be logged and let through", out);
}

void inspect_print(FILE *out, const struct flow_hello *found, const struct policy *policy,
		   const struct snif_judgement *judgement) {
	char version[EVENT_VERSION_SIZE];
	struct timestamp time = {0};
	const struct snif_hello *hello = found->hello;

	fprintf(out, "%s ", timestamp_write(&time, &found->time));
	print_endpoint(out, found->source, found->source_port);
	fputs(" > ", out);
	print_endpoint(out, found->destination, found->destination_port);
	fputc(' ', out);
	print_name(out, hello->name, flow_hello_has_name(found) ? hello->name_length : 0);
	if (hello->version != 0)
		fprintf(out, " %s", event_version(version, hello->version));
	fprintf(out, " segments=%u records=%u%s", found->segments, hello->records, hello->ech ? " ech" : "");
	if (judgement)
		print_judgement(out, policy, judgement);
	else if (found->reason != SNIF_REASON_NONE)
		print_reason(out, found->reason);
	fputc('\n', out);
}

struct snif_event inspect_event(const struct flow_hello *found, const struct snif_judgement *judgement) {
	const struct snif_hello *hello = found->hello;
	struct snif_event event = {
		.time = (__u64)found->time.tv_sec * 1000000000 + (__u64)found->time.tv_nsec,
		.flow = found->flow,
		.rule = judgement ? judgement->rule : 0,
		.source_port = found->source_port,
		.destination_port = found->destination_port,
		.protocol = IPPROTO_TCP,
		.hook = SNIF_HOOK_EGRESS,
		.verdict = judgement ? judgement->verdict : SNIF_UNDECIDED,
		.reason = judgement ? judgement->reason : found->reason,
		.flags = SNIF_EVENT_HELLO | (hello->ech ? SNIF_EVENT_ECH : 0),
		.version = hello->version,
	};

	memcpy(event.source, found->source, 16);
	memcpy(event.destination, found->destination, 16);
	if (flow_hello_has_name(found)) {
		event.name_length = hello->name_length;
		memcpy(event.name, hello->name, sizeof(event.name));
	}
	return event;
}

void inspect_print_question(FILE *out, const struct lookup *lookup, const struct policy *policy) {
	const struct snif_packet *headers = lookup->message->headers;
	char type[EVENT_DNS_TYPE_SIZE];
	struct timestamp time = {0};

	fprintf(out, "%s ", timestamp_write(&time, &lookup->message->time));
	print_endpoint(out, headers->source, headers->source_port);
	fputs(" > ", out);
	print_endpoint(out, headers->to.address, headers->to.port);
	fputc(' ', out);
	print_name(out, lookup->dns->name, lookup->dns->name_length);
	if (lookup->dns->type != 0)
		fprintf(out, " dns=%s", event_dns_type(type, lookup->dns->type));
	print_judgement(out, policy, &lookup->refusal);
	fputc('\n', out);
}

/* What a question and an answer have in common. */
static struct snif_event event_of_lookup(const struct lookup *lookup) {
	const struct snif_dns *dns = lookup->dns;
	struct snif_event event = {
		.time = (__u64)lookup->message->time.tv_sec * 1000000000 + (__u64)lookup->message->time.tv_nsec,
		.protocol = lookup->message->headers->to.protocol,
		.flags = SNIF_EVENT_DNS,
		.object.dns = {dns->type, dns->id},
		.name_length = dns->name_length,
	};

	memcpy(event.name, dns->name, sizeof(event.name));
	return event;
}

struct snif_event inspect_question_event(const struct lookup *lookup) {
	const struct snif_packet *headers = lookup->message->headers;
	struct snif_event event = event_of_lookup(lookup);

	memcpy(event.source, headers->source, 16);
	memcpy(event.destination, headers->to.address, 16);
	event.source_port = headers->source_port;
	event.destination_port = headers->to.port;
	event.hook = SNIF_HOOK_EGRESS;
	event.verdict = SNIF_DENY;
	event.reason = lookup->refusal.reason;
	event.rule = lookup->refusal.rule;
	return event;
}

struct snif_event inspect_answer_event(const struct lookup *lookup, const struct snif_dns_rules *rules) {
	const struct snif_packet *headers = lookup->message->headers;
	struct snif_event event = event_of_lookup(lookup);

	memcpy(event.source, headers->to.address, 16);
	memcpy(event.destination, headers->source, 16);
	event.source_port = headers->to.port;
	event.destination_port = headers->source_port;
	event.hook = SNIF_HOOK_COUNT;
	event.flags |= SNIF_EVENT_ANSWER | (lookup->bound ? SNIF_EVENT_BOUND : 0);
	event.answer_count = (__u8)lookup->dns->found;
	memcpy(event.answers, lookup->dns->addresses, sizeof(event.answers));
	event.dns = *rules;
	return event;
}
