/* SPDX-License-Identifier: BSD-2-Clause */
/* An event ──► a line of JSON. */
#include "event/event_write.h"

#include <ctype.h>
#include <string.h>

#include "event/event_words.h"
#include "policy/rule_print.h"

/* An address and its port; all zero and 0 are not known. */
static void put_end(struct log *log, const char *ip, const char *port, const __u8 address[16], __u16 number) {
	static const __u8 unknown[16];
	char text[EVENT_ADDRESS_SIZE];

	if (memcmp(address, unknown, 16) != 0) {
		event_address(text, address);
		log_text(log, ip, text);
	}
	if (number != 0)
		log_number(log, port, number);
}

static void put_flow(struct log *log, const struct snif_event *event) {
	char number[4];

	if (event->flow != 0)
		log_number(log, "flow_id", event->flow);
	put_end(log, "src_ip", "src_port", event->source, event->source_port);
	put_end(log, "dest_ip", "dest_port", event->destination, event->destination_port);
	if (event->hook != SNIF_HOOK_DEVICE)
		log_text(log, "proto", event_protocol(number, event->protocol));
}

/* What the call is about, where that is not a destination. */
static void put_object(struct log *log, const struct snif_event *event) {
	if (event->hook == SNIF_HOOK_SETSOCKOPT) {
		log_open(log, "socket_option");
		log_number(log, "level", (uint64_t)event->object.level);
		log_number(log, "option", (uint64_t)event->object.option);
		log_close(log);
	} else if (event->hook == SNIF_HOOK_DEVICE) {
		log_open(log, "device");
		log_number(log, "major", event->object.major);
		log_number(log, "minor", event->object.minor);
		log_close(log);
	}
}

static void put_answers(struct log *log, const struct snif_event *event) {
	char text[EVENT_ADDRESS_SIZE];

	log_open_array(log, "answers");
	for (size_t i = 0; i < event->answer_count && i < SNIF_DNS_ADDRESSES; i++) {
		const struct snif_dns_address *answer = &event->answers[i];

		event_address(text, answer->address);
		log_open_item(log);
		log_text(log, "rrtype", snif_is_ipv4(answer->address) ? "A" : "AAAA");
		log_number(log, "ttl", answer->ttl);
		log_text(log, "rdata", text);
		if (event->flags & SNIF_EVENT_BOUND)
			log_number(log, "bound", snif_dns_counts_for(&event->dns, answer->ttl));
		log_close(log);
	}
	log_close_array(log);
}

static void put_dns(struct log *log, const struct snif_event *event) {
	char type[EVENT_DNS_TYPE_SIZE], name[sizeof(event->name)];
	size_t length = event_name_length(event);

	if (!(event->flags & SNIF_EVENT_DNS))
		return;
	for (size_t i = 0; i < length; i++)
		name[i] = (char)tolower(event->name[i]); /* of an answer as the server has sent it */
	log_open(log, "dns");
	log_text(log, "type", event->flags & SNIF_EVENT_ANSWER ? "answer" : "query");
	if (length > 0) {
		log_number(log, "id", event->object.dns.id);
		log_bytes(log, "rrname", name, length);
	}
	if (event->object.dns.type != 0)
		log_text(log, "rrtype", event_dns_type(type, event->object.dns.type));
	if (event->flags & SNIF_EVENT_ANSWER)
		put_answers(log, event);
	log_close(log);
}

static void put_hello(struct log *log, const struct snif_event *event) {
	size_t length = event_name_length(event);
	char version[EVENT_VERSION_SIZE];

	if (!(event->flags & SNIF_EVENT_HELLO))
		return;
	log_open(log, "tls");
	if (length > 0)
		log_bytes(log, "sni", event->name, length);
	if (event->version != 0)
		log_text(log, "version", event_version(version, event->version));
	log_close(log);
	log_flag(log, "ech", event->flags & SNIF_EVENT_ECH);
	if (event->flags & SNIF_EVENT_UNBOUND)
		log_flag(log, "unbound", true);
}

static const char *event_type(const struct snif_event *event) {
	if (event->flags & SNIF_EVENT_DNS)
		return "dns";
	return event->flags & SNIF_EVENT_HELLO ? "tls" : "flow";
}

static const char *action(const struct snif_event *event) {
	if (event->verdict == SNIF_ALLOW)
		return "pass";
	if (event->mode == SNIF_AUDIT)
		return "alert";
	return event->hook == SNIF_HOOK_EGRESS ? "drop" : "reject";
}

static void put_rule(struct log *log, const struct policy *policy, __u32 number) {
	char place[RULE_PLACE];

	if (number == 0 || number >= policy->rule_count)
		return;
	log_text(log, "rule", rule_place(&policy->rules[number], place));
	if (policy->rules[number].expected)
		log_flag(log, "expected", true);
}

static void put_decision(struct log *log, const struct snif_event *event, const struct event_context *context) {
	if (event->verdict != SNIF_UNDECIDED) {
		log_open(log, "verdict");
		log_text(log, "action", action(event));
		log_close(log);
	}
	if (event->reason != SNIF_REASON_NONE)
		log_text(log, "reason", reason_code(event->reason));
	if (context->policy) {
		put_rule(log, context->policy, event->rule);
		log_text(log, "policy", context->policy->name);
		log_text(log, "policy_sha256", context->policy_sha256);
	}
	if (event->verdict != SNIF_UNDECIDED)
		log_text(log, "mode", event->mode == SNIF_AUDIT ? "audit" : "enforce");
	if (context->cgroup_path && event->hook < SNIF_HOOK_COUNT)
		log_text(log, "hook", event_hook(event->hook));
}

static void put_origin(struct log *log, const struct snif_event *event, const struct event_context *context) {
	const struct snif_process *process = &event->process;

	if (process->pid != 0) {
		log_open(log, "process");
		log_number(log, "pid", process->pid);
		log_bytes(log, "name", process->name, strnlen(process->name, sizeof(process->name)));
		log_number(log, "uid", process->uid);
		log_close(log);
	}
	if (context->cgroup_path) {
		log_open(log, "cgroup");
		if (process->cgroup_id != 0)
			log_number(log, "id", process->cgroup_id);
		log_text(log, "path", context->cgroup_path);
		log_close(log);
	}
}

int event_write(struct log *log, const struct snif_event *event, const struct event_context *context) {
	uint64_t time = context->wall_clock ? event->time : log_real_time(log, event->time);

	log_begin(log, time, event_type(event));
	put_flow(log, event);
	put_object(log, event);
	put_dns(log, event);
	put_hello(log, event);
	put_decision(log, event, context);
	put_origin(log, event, context);
	return log_end(log);
}
