/* SPDX-License-Identifier: BSD-2-Clause */
/* The numbers of an event ──► words. */
#include "event/event_words.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "base/message.h"
#include "base/near_word.h"
#include "options.h"

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

const char *reason_near(const char *word) {
	size_t least = near_word_limit(word);
	const char *closest = NULL;

	for (unsigned reason = SNIF_REASON_NONE + 1; reason < SNIF_REASON_COUNT; reason++)
		near_word_try(word, reasons[reason].code, &least, &closest);
	return closest;
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

static void write_destination(char *out, size_t size, const struct snif_event *event) {
	static const __u8 unknown[16];
	char address[EVENT_ADDRESS_SIZE], number[4];
	const char *protocol = event_protocol(number, event->protocol);

	if (memcmp(event->destination, unknown, 16) == 0) {
		snprintf(out, size, "a socket of protocol %s", protocol);
		return;
	}
	event_address(address, event->destination);
	snprintf(out, size, strchr(address, ':') ? "[%s]:%u/%s" : "%s:%u/%s", address, event->destination_port,
		 protocol);
}

void event_what(char out[EVENT_WHAT_SIZE], const struct snif_event *event) {
	size_t length = event_name_length(event);

	if (length == 0) {
		if (!event_object(out, event_hook(event->hook), event->object.major, event->object.minor))
			write_destination(out, EVENT_WHAT_SIZE, event);
		return;
	}
	length = escape_bytes(out, event->name, length);
	if (event->reason != SNIF_REASON_NAME_ELSEWHERE)
		return;
	length += (size_t)snprintf(out + length, EVENT_WHAT_SIZE - length, " at ");
	write_destination(out + length, EVENT_WHAT_SIZE - length, event);
}

size_t event_name_length(const struct snif_event *event) {
	return event->name_length < sizeof(event->name) ? event->name_length : sizeof(event->name);
}

const char *event_dns_type(char buffer[EVENT_DNS_TYPE_SIZE], __u32 type) {
	static const struct {
		__u32 type;
		const char *name;
	} names[] = {{1, "A"},	  {2, "NS"},	{5, "CNAME"}, {6, "SOA"},  {10, "NULL"}, {12, "PTR"},	{15, "MX"},
		     {16, "TXT"}, {28, "AAAA"}, {33, "SRV"},  {41, "OPT"}, {64, "SVCB"}, {65, "HTTPS"}, {255, "ANY"}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].type == type)
			return names[i].name;
	snprintf(buffer, EVENT_DNS_TYPE_SIZE, "TYPE%u", (__u16)type);
	return buffer;
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
