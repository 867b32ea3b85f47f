/* SPDX-License-Identifier: BSD-2-Clause */
/* Names, types and addresses ──► DNS messages. */
#include "dns_maker.h"

#include <arpa/inet.h>
#include <string.h>

#include "dns.h"

enum { ANSWERS_AT = 6, ADDITIONAL_AT = 10, RECURSION = 0x0100, RESPONSE = 0x8180 };

static void count_up(struct bytes *message, size_t at) {
	if (++message->data[at + 1] == 0)
		message->data[at]++;
}

void dns_add_name(struct bytes *out, const char *name) {
	while (*name) {
		size_t length = strcspn(name, ".");

		bytes_number(out, 1, (uint32_t)length);
		bytes_add(out, name, length);
		name += length + (name[length] == '.');
	}
	bytes_number(out, 1, 0);
}

void dns_make_question(struct bytes *out, uint16_t id, const char *name, uint16_t type) {
	out->length = 0;
	bytes_number(out, 2, id);
	bytes_number(out, 2, RECURSION);
	bytes_number(out, 2, 1);
	bytes_fill(out, 0, 6);
	dns_add_name(out, name);
	bytes_number(out, 2, type);
	bytes_number(out, 2, 1);
}

void dns_add_options(struct bytes *out, const void *options, size_t length) {
	bytes_number(out, 1, 0);
	bytes_number(out, 2, SNIF_DNS_OPT);
	bytes_number(out, 2, 1232);
	bytes_number(out, 4, 0);
	bytes_number(out, 2, (uint32_t)length);
	bytes_add(out, options, length);
	count_up(out, ADDITIONAL_AT);
}

void dns_begin_answer(struct bytes *out, const struct bytes *question) {
	size_t end = SNIF_DNS_HEADER;

	while (end < question->length && question->data[end] != 0)
		end += 1 + question->data[end];
	out->length = 0;
	bytes_add(out, question->data, 2);
	bytes_number(out, 2, RESPONSE);
	bytes_number(out, 2, 1);
	bytes_fill(out, 0, 6);
	bytes_add(out, question->data + SNIF_DNS_HEADER, end + 5 - SNIF_DNS_HEADER);
}

void dns_add_record(struct bytes *out, const char *owner, uint16_t type, uint32_t ttl, const void *data,
		    size_t length) {
	dns_add_name(out, owner);
	bytes_number(out, 2, type);
	bytes_number(out, 2, 1);
	bytes_number(out, 4, ttl);
	bytes_number(out, 2, (uint32_t)length);
	bytes_add(out, data, length);
	count_up(out, ANSWERS_AT);
}

void dns_add_address(struct bytes *out, const char *owner, uint32_t ttl, const char *address) {
	uint8_t bytes[16];

	if (inet_pton(AF_INET, address, bytes) == 1)
		dns_add_record(out, owner, SNIF_DNS_A, ttl, bytes, 4);
	else if (inet_pton(AF_INET6, address, bytes) == 1)
		dns_add_record(out, owner, SNIF_DNS_AAAA, ttl, bytes, 16);
}

void dns_add_alias(struct bytes *out, const char *owner, uint32_t ttl, const char *target) {
	static struct bytes name;

	name.length = 0;
	dns_add_name(&name, target);
	dns_add_record(out, owner, SNIF_DNS_CNAME, ttl, name.data, name.length);
}

void dns_frame(struct bytes *out, const struct bytes *message) {
	out->length = 0;
	bytes_number(out, 2, (uint32_t)message->length);
	bytes_add(out, message->data, message->length);
}
