/* SPDX-License-Identifier: BSD-2-Clause */
/* Ring buffer ──► JSON lines. */
#include "events.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "json.h"
#include "timestamp.h"

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

const char *reason_text(enum snif_reason reason) {
	return (unsigned)reason < SNIF_REASON_COUNT ? reasons[reason].text : "a reason that this version does not know";
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

size_t event_name_length(const struct snif_event *event) {
	return event->name_length < sizeof(event->name) ? event->name_length : sizeof(event->name);
}

static int put_time(struct json_object *line, const struct snif_event *event, bool wall_clock) {
	const __u64 second = 1000000000;
	struct timespec now, monotonic, when;
	char text[TIMESTAMP_SIZE];
	__u64 time = event->time;

	if (!wall_clock) {
		clock_gettime(CLOCK_REALTIME, &now);
		clock_gettime(CLOCK_MONOTONIC, &monotonic);
		time += ((__u64)now.tv_sec - (__u64)monotonic.tv_sec) * second + (__u64)now.tv_nsec -
			(__u64)monotonic.tv_nsec;
	}
	when = (struct timespec){.tv_sec = (time_t)(time / second), .tv_nsec = (long)(time % second)};
	timestamp_write(text, &when);
	return json_put_text(line, "timestamp", text);
}

/* An address and its port; all zero and 0 are not known. */
static int put_end(struct json_object *line, const char *ip, const char *port, const __u8 address[16], __u16 number) {
	static const __u8 unknown[16];
	char text[EVENT_ADDRESS_SIZE];
	int error = 0;

	if (memcmp(address, unknown, 16) != 0) {
		event_address(text, address);
		error |= json_put_text(line, ip, text);
	}
	if (number != 0)
		error |= json_put_number(line, port, number);
	return error;
}

static int put_flow(struct json_object *line, const struct snif_event *event) {
	char number[4];
	int error = 0;

	error |= json_put_text(line, "event_type", event->flags & SNIF_EVENT_HELLO ? "tls" : "flow");
	if (event->flow != 0)
		error |= json_put_number(line, "flow_id", event->flow);
	error |= put_end(line, "src_ip", "src_port", event->source, event->source_port);
	error |= put_end(line, "dest_ip", "dest_port", event->destination, event->destination_port);
	return error | json_put_text(line, "proto", event_protocol(number, event->protocol));
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

static int put_hello(struct json_object *line, const struct snif_event *event) {
	size_t length = event_name_length(event);
	char version[EVENT_VERSION_SIZE];
	struct json_object *tls;
	int error = 0;

	if (!(event->flags & SNIF_EVENT_HELLO))
		return 0;
	tls = json_object_new_object();
	if (length > 0)
		error |= json_put(tls, "sni", json_escaped(event->name, length));
	if (event->version != 0)
		error |= json_put_text(tls, "version", event_version(version, event->version));
	error |= json_put(line, "tls", tls);
	return error | json_put(line, "ech", json_object_new_boolean(event->flags & SNIF_EVENT_ECH));
}

static const char *action(const struct snif_event *event) {
	if (event->verdict == SNIF_ALLOW)
		return "pass";
	if (event->mode == SNIF_AUDIT)
		return "alert";
	return event->hook == SNIF_HOOK_EGRESS ? "drop" : "reject";
}

static int put_rule(struct json_object *line, const struct policy *policy, __u32 rule) {
	char *place = NULL;
	int error;

	if (rule == 0 || rule >= policy->rule_count)
		return 0;
	if (asprintf(&place, "%s:%u", policy->rules[rule].file, policy->rules[rule].line) < 0)
		return -ENOMEM;
	error = json_put_text(line, "rule", place);
	free(place);
	return error;
}

static int put_decision(struct json_object *line, const struct snif_event *event, const struct event_context *context) {
	static const char *const hooks[] = {"socket", "connect", "sendmsg", "egress"};
	struct json_object *verdict;
	int error = 0;

	if (event->verdict != SNIF_UNDECIDED) {
		verdict = json_object_new_object();
		error |= json_put_text(verdict, "action", action(event));
		error |= json_put(line, "verdict", verdict);
	}
	if (event->reason != SNIF_REASON_NONE)
		error |= json_put_text(line, "reason", reason_code(event->reason));
	if (context->policy) {
		error |= put_rule(line, context->policy, event->rule);
		error |= json_put_text(line, "policy", context->policy->name);
		error |= json_put_text(line, "policy_sha256", context->policy_sha256);
	}
	if (event->verdict != SNIF_UNDECIDED)
		error |= json_put_text(line, "mode", event->mode == SNIF_AUDIT ? "audit" : "enforce");
	if (context->cgroup_path && event->hook <= SNIF_HOOK_EGRESS)
		error |= json_put_text(line, "hook", hooks[event->hook]);
	return error;
}

static int put_origin(struct json_object *line, const struct snif_event *event, const struct event_context *context) {
	const struct snif_process *process = &event->process;
	struct json_object *object;
	int error = 0;

	if (process->pid != 0) {
		object = json_object_new_object();
		error |= json_put_number(object, "pid", process->pid);
		error |= json_put(object, "name",
				  json_escaped(process->name, strnlen(process->name, sizeof(process->name))));
		error |= json_put_number(object, "uid", process->uid);
		error |= json_put(line, "process", object);
	}
	if (context->cgroup_path) {
		object = json_object_new_object();
		if (process->cgroup_id != 0)
			error |= json_put_number(object, "id", process->cgroup_id);
		error |= json_put_text(object, "path", context->cgroup_path);
		error |= json_put(line, "cgroup", object);
	}
	return error;
}

int event_write(FILE *out, const struct snif_event *event, const struct event_context *context) {
	struct json_object *line = json_object_new_object();
	int error = 0;

	error |= put_time(line, event, context->wall_clock);
	error |= put_flow(line, event);
	error |= put_hello(line, event);
	error |= put_decision(line, event, context);
	error |= put_origin(line, event, context);
	return json_write(line, error, out);
}
