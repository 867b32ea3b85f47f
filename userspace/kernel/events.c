/* SPDX-License-Identifier: BSD-2-Clause */
/* Ring buffer ──► JSON lines. */
#include "kernel/events.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "options.h"
#include "policy/rule_print.h"

static const struct {
	const char *code, *text;
} reasons[] = {
#define X(constant, code, text) [SNIF_REASON_##constant] = {code, text},
	SNIF_REASONS(X)
#undef X
};

const char *reason_code(enum snif_reason reason) {
	return (unsigned)reason < SNIF_REASON_COUNT ? reasons[reason].code : "unknown";
}

enum snif_reason reason_of(const char *code) {
	unsigned reason = 0;

	while (reason < SNIF_REASON_COUNT && strcmp(reasons[reason].code, code) != 0)
		reason++;
	return reason;
}

const char *reason_text(enum snif_reason reason) {
	return (unsigned)reason < SNIF_REASON_COUNT ? reasons[reason].text : "a reason that this version does not know";
}

const char *reason_hint(enum snif_reason reason) {
	switch (reason) {
	case SNIF_REASON_HELLO_TOO_LONG:
		return "a large client certificate's session ticket, perhaps: `tls.max_hello` can be up to 64 KiB";
	case SNIF_REASON_SPLIT_RECORDS:
		return "no usual client does that; `tls.unusual: [split_records]` lets it pass";
	case SNIF_REASON_TRAILING_DOT:
		return "no usual client does that; `tls.unusual: [trailing_dot]` lets it pass";
	case SNIF_REASON_SOCKET_OPTION:
		return "most need none of these; a multicast group can be joined where a `direct` rule allows it by UDP";
	case SNIF_REASON_OTHER_DESTINATION:
		return "where another program rewrites connect(), a `direct` rule for the real address lets it pass";
	default:
		return NULL;
	}
}

void event_address(char out[EVENT_ADDRESS_SIZE], const __u8 address[16]) {
	bool ipv4 = snif_is_ipv4(address);

	inet_ntop(ipv4 ? AF_INET : AF_INET6, address + (ipv4 ? 12 : 0), out, EVENT_ADDRESS_SIZE);
}

const char *event_protocol(char buffer[4], __u8 protocol) {
	static const char *const names[256] = {
		[IPPROTO_ICMP] = "ICMP",	[IPPROTO_TCP] = "TCP",		[IPPROTO_UDP] = "UDP",
		[IPPROTO_DCCP] = "DCCP",	[IPPROTO_ICMPV6] = "IPv6-ICMP", [IPPROTO_SCTP] = "SCTP",
		[IPPROTO_UDPLITE] = "UDP-Lite",
	};

	if (names[protocol])
		return names[protocol];
	snprintf(buffer, 4, "%u", protocol);
	return buffer;
}

const char *event_hook(unsigned hook) {
	static const char *const hooks[] = {
#define X(constant, word) word,
		SNIF_HOOKS(X)
#undef X
	};

	return hook < SNIF_HOOK_COUNT ? hooks[hook] : "unknown";
}

static const char *option_name(__u64 level, __u64 option) {
	static const struct {
		__u64 level, option;
		const char *name;
	} judged[] = {
#define X(level, option, name, rule) {level, option, name},
		SNIF_OPTIONS(X)
#undef X
	};

	for (size_t i = 0; i < sizeof(judged) / sizeof(judged[0]); i++)
		if (judged[i].level == level && judged[i].option == option)
			return judged[i].name;
	return NULL;
}

bool event_object(char out[EVENT_OBJECT_SIZE], const char *hook, __u64 first, __u64 second) {
	bool option = strcmp(hook, event_hook(SNIF_HOOK_SETSOCKOPT)) == 0;

	const char *name = option ? option_name(first, second) : NULL;

	if (!option && strcmp(hook, event_hook(SNIF_HOOK_DEVICE)) != 0)
		return false;
	if (name)
		snprintf(out, EVENT_OBJECT_SIZE, "socket option %s", name);
	else
		snprintf(out, EVENT_OBJECT_SIZE, "%s %llu:%llu", option ? "socket option" : "device", first, second);
	return true;
}

size_t event_name_length(const struct snif_event *event) {
	return event->name_length < sizeof(event->name) ? event->name_length : sizeof(event->name);
}

const char *event_version(char buffer[EVENT_VERSION_SIZE], __u16 version) {
	if (version == 0x0300)
		return "SSLv3";
	if (version > 0x0300 && version <= 0x0304)
		snprintf(buffer, EVENT_VERSION_SIZE, "TLS 1.%u", version - 0x0301U);
	else
		snprintf(buffer, EVENT_VERSION_SIZE, "0x%04x", version);
	return buffer;
}

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

	if (number > 0 && number < policy->rule_count)
		log_text(log, "rule", rule_place(&policy->rules[number], place));
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

	log_begin(log, time, event->flags & SNIF_EVENT_HELLO ? "tls" : "flow");
	put_flow(log, event);
	put_object(log, event);
	put_hello(log, event);
	put_decision(log, event, context);
	put_origin(log, event, context);
	return log_end(log);
}
