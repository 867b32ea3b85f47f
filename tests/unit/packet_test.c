/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets, good and bad ──► what include/packet.h reads of them, or why they are refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "../support/packet_maker.h"
#include "packet.h"

#define LITERAL(text) (text), sizeof(text) - 1

static struct bytes frame; /* large, so not on the stack */
static struct snif_packet_bytes source;

static enum snif_reason read_frame(struct snif_packet *out) {
	source = (struct snif_packet_bytes){.bytes = frame.data, .length = (uint32_t)frame.length};
	*out = (struct snif_packet){.end = source.length};
	return snif_packet_read(&source, frame.data[0] >> 4, out);
}

static void make(const struct packet *packet) {
	frame.length = 0;
	packet_make(&frame, packet);
}

static void patch(size_t at, const void *bytes, size_t length) {
	memcpy(frame.data + at, bytes, length);
}

struct one {
	const char *what;
	struct packet packet;
	enum snif_reason end, refusal;
	size_t patch_at;
	const char *patch;
	size_t patch_length;
};

static const uint8_t loose[] = {1, 131, 3, 4}, strict[] = {137, 3, 4, 0}, alert[] = {148, 4, 0, 0},
		     over[] = {148, 9, 0, 0};
static const uint8_t ended[] = {0, 131, 3, 4}, short_option[] = {1, 1, 148, 1};
static const uint8_t hops[] = {IPPROTO_TCP, 0, 1, 4, 0, 0, 0, 0}, routing[] = {IPPROTO_TCP, 0, 0, 0, 0, 0, 0, 0};
static const uint8_t part[] = {IPPROTO_TCP, 0, 0, 1, 0, 0, 0, 0}, whole[] = {IPPROTO_TCP, 77, 0, 6, 0, 0, 0, 9};
static const uint8_t routed_part[] = {IPPROTO_FRAGMENT, 0, 0, 0, 0, 0, 0, 0, IPPROTO_TCP, 0, 0, 8, 0, 0, 0, 0};
static const uint8_t ipsec[] = {IPPROTO_TCP, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};

#define OPTIONS(bytes)                                                                                                 \
	{ .between = bytes, .between_length = sizeof(bytes), .data = "data", .length = 4 }
#define EXTENSIONS(bytes, number)                                                                                      \
	{                                                                                                              \
		.ipv6 = true, .between = bytes, .between_length = sizeof(bytes), .first = number, .data = "data",      \
		.length = 4                                                                                            \
	}
#define MAPPED 24, LITERAL("\0\0\0\0\0\0\0\0\0\0\xff\xff\xc6\x33\x64\7")

static const struct one packets[] = {
	{"no option", {.data = "data", .length = 4}, SNIF_REASON_NONE, SNIF_REASON_NONE, 0, NULL, 0},
	{"another option", OPTIONS(alert), SNIF_REASON_NONE, SNIF_REASON_NONE, 0, NULL, 0},
	{"end of options", OPTIONS(ended), SNIF_REASON_NONE, SNIF_REASON_NONE, 0, NULL, 0},
	{"loose source route", OPTIONS(loose), SNIF_REASON_NONE, SNIF_REASON_SOURCE_ROUTE, 0, NULL, 0},
	{"strict source route", OPTIONS(strict), SNIF_REASON_NONE, SNIF_REASON_SOURCE_ROUTE, 0, NULL, 0},
	{"option over the end", OPTIONS(over), SNIF_REASON_MALFORMED_PACKET, SNIF_REASON_NONE, 0, NULL, 0},
	{"option of one byte", OPTIONS(short_option), SNIF_REASON_MALFORMED_PACKET, SNIF_REASON_NONE, 0, NULL, 0},
	{"short IPv4 header", OPTIONS(alert), SNIF_REASON_MALFORMED_PACKET, SNIF_REASON_NONE, 0, LITERAL("\x44")},
	{"first fragment", {.fragment = 0x2000}, SNIF_REASON_FRAGMENT, SNIF_REASON_NONE, 0, NULL, 0},
	{"another fragment", {.fragment = 3}, SNIF_REASON_FRAGMENT, SNIF_REASON_NONE, 0, NULL, 0},
	{"short TCP header", OPTIONS(alert), SNIF_REASON_MALFORMED_PACKET, SNIF_REASON_NONE, 36, LITERAL("\x40")},
	{"long TCP header", OPTIONS(alert), SNIF_REASON_MALFORMED_PACKET, SNIF_REASON_NONE, 36, LITERAL("\x70")},
	{"no extension", {.ipv6 = true, .data = "data", .length = 4}, SNIF_REASON_NONE, SNIF_REASON_NONE, 0, NULL, 0},
	{"hops", EXTENSIONS(hops, IPPROTO_HOPOPTS), SNIF_REASON_NONE, SNIF_REASON_NONE, 0, NULL, 0},
	{"options", EXTENSIONS(hops, IPPROTO_DSTOPTS), SNIF_REASON_NONE, SNIF_REASON_NONE, 0, NULL, 0},
	{"authentication", EXTENSIONS(ipsec, IPPROTO_AH), SNIF_REASON_NONE, SNIF_REASON_NONE, 0, NULL, 0},
	{"routing", EXTENSIONS(routing, IPPROTO_ROUTING), SNIF_REASON_NONE, SNIF_REASON_SOURCE_ROUTE, 0, NULL, 0},
	{"fragment", EXTENSIONS(part, IPPROTO_FRAGMENT), SNIF_REASON_FRAGMENT, SNIF_REASON_NONE, 0, NULL, 0},
	{"only fragment", EXTENSIONS(whole, IPPROTO_FRAGMENT), SNIF_REASON_NONE, SNIF_REASON_FRAGMENT, 0, NULL, 0},
	{"routed fragment", EXTENSIONS(routed_part, IPPROTO_ROUTING), SNIF_REASON_FRAGMENT, SNIF_REASON_NONE, 0, NULL,
	 0},
	{"mapped", {.ipv6 = true, .data = "data", .length = 4}, SNIF_REASON_NONE, SNIF_REASON_V4_MAPPED, MAPPED},
	{"routed, mapped", EXTENSIONS(routing, IPPROTO_ROUTING), SNIF_REASON_NONE, SNIF_REASON_V4_MAPPED, MAPPED},
};

/* What is refused for one of its headers is read on for the ports, where it can be. */
static void headers_of_all_kinds(void **state) {
	struct snif_packet read;
	const struct one *one;
	enum snif_reason end;

	(void)state;
	for (size_t i = 0; i < sizeof(packets) / sizeof(*packets); i++) {
		one = &packets[i];
		make(&one->packet);
		if (one->patch)
			patch(one->patch_at, one->patch, one->patch_length);
		end = read_frame(&read);
		if (end != one->end || read.refusal != one->refusal)
			fail_msg("%s: %u, refused for %u", one->what, end, read.refusal);
		if (end != SNIF_REASON_NONE)
			continue;
		assert_int_equal(read.to.protocol, IPPROTO_TCP);
		assert_int_equal(read.to.port, SERVER_PORT);
		assert_int_equal(read.source_port, CLIENT_PORT);
		assert_int_equal(read.flags, SNIF_TCP_ACK);
		assert_memory_equal(frame.data + read.payload, "data", 4);
		assert_int_equal(read.end - read.payload, 4);
	}
}

static void extensions_without_end(void **state) {
	static uint8_t many[16 * 8];
	struct packet packet = EXTENSIONS(many, IPPROTO_DSTOPTS);
	struct snif_packet read;

	(void)state;
	for (size_t i = 0; i < sizeof(many); i += 8)
		many[i] = i + 8 < sizeof(many) ? IPPROTO_DSTOPTS : IPPROTO_TCP;
	make(&packet);
	assert_int_equal(read_frame(&read), SNIF_REASON_MALFORMED_PACKET);
	packet.between_length -= 8;
	many[sizeof(many) - 16] = IPPROTO_TCP;
	make(&packet);
	assert_int_equal(read_frame(&read), SNIF_REASON_NONE);
}

static void datagrams_and_other_protocols(void **state) {
	struct snif_packet read;

	(void)state;
	make(&(struct packet){.flags = 0});
	frame.data[9] = IPPROTO_UDP;
	assert_int_equal(read_frame(&read), SNIF_REASON_NONE);
	assert_int_equal(read.to.protocol, IPPROTO_UDP);
	assert_int_equal(read.to.port, SERVER_PORT);
	assert_int_equal(read.source_port, CLIENT_PORT);
	frame.length = 23;
	assert_int_equal(read_frame(&read), SNIF_REASON_MALFORMED_PACKET);
	frame.data[9] = IPPROTO_ICMP;
	assert_int_equal(read_frame(&read), SNIF_REASON_NONE);
	assert_int_equal(read.to.protocol, IPPROTO_ICMP);
	assert_int_equal(read.to.port, 0);
	frame.data[0] = 0x55;
	assert_int_equal(read_frame(&read), SNIF_REASON_MALFORMED_PACKET);
}

static void options_of_a_syn(void **state) {
	static const struct {
		const char *options;
		enum snif_reason reason;
	} cases[] = {
		{"\1\1\1\0", SNIF_REASON_NONE},
		{"\2\4\5\xb4", SNIF_REASON_NONE},
		{"\x1e\4\1\0", SNIF_REASON_MPTCP},
		{"\x1e\4\x10\0", SNIF_REASON_FURTHER_SUBFLOW},
		{"\x1e\4\x20\0", SNIF_REASON_NONE},
		{"\0\x1e\4\1", SNIF_REASON_NONE},
		{"\1\1\1\x1e", SNIF_REASON_MALFORMED_PACKET},
		{"\2\5\5\xb4", SNIF_REASON_MALFORMED_PACKET},
		{"\1\1\1\2", SNIF_REASON_MALFORMED_PACKET},
	};
	struct snif_packet read;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		make(&(struct packet){.flags = TH_SYN, .data = cases[i].options, .length = 4});
		frame.data[32] = 0x60;
		bytes_add(&frame, LITERAL("\4\1\0")); /* data, with which half an option would be one of MPTCP */
		assert_int_equal(read_frame(&read), SNIF_REASON_NONE);
		assert_int_equal(snif_packet_syn(&source, &read), cases[i].reason);
	}
}

static bool plain(const struct packet *packet, const struct snif_target *to) {
	make(packet);
	return snif_packet_is_plain(frame.data, frame.data + frame.length, to);
}

static void plain_packets(void **state) {
	static const struct packet ipv4 = {.ipv6 = false}, ipv6 = {.ipv6 = true}, syn = {.flags = TH_SYN},
				   syn6 = {.ipv6 = true, .flags = TH_SYN};
	static const struct packet alerted = OPTIONS(alert), hopped = EXTENSIONS(hops, IPPROTO_HOPOPTS);
	struct snif_packet read4, read6;

	(void)state;
	make(&ipv4);
	read_frame(&read4);
	make(&ipv6);
	read_frame(&read6);
	assert_true(plain(&ipv4, &read4.to));
	assert_true(plain(&ipv6, &read6.to));
	assert_false(plain(&ipv4, &read6.to));
	assert_false(plain(&ipv6, &read4.to));
	assert_false(plain(&syn, &read4.to));
	assert_false(plain(&syn6, &read6.to));
	assert_false(plain(&alerted, &read4.to));
	assert_false(plain(&hopped, &read6.to));
	for (size_t i = 0; i < sizeof(read4.to.address); i++) {
		read4.to.address[i] ^= 1;
		read6.to.address[i] ^= 1;
		assert_false(plain(&ipv4, &read4.to));
		assert_false(plain(&ipv6, &read6.to));
		read4.to.address[i] ^= 1;
		read6.to.address[i] ^= 1;
	}
	make(&ipv6);
	assert_false(snif_packet_is_plain(frame.data, frame.data + frame.length - 1, &read6.to));
	patch(MAPPED);
	assert_false(snif_packet_is_plain(frame.data, frame.data + frame.length, &read4.to));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_of_all_kinds),
		cmocka_unit_test(extensions_without_end),
		cmocka_unit_test(datagrams_and_other_protocols),
		cmocka_unit_test(options_of_a_syn),
		cmocka_unit_test(plain_packets),
	};

	return cmocka_run_group_tests_name("packet", tests, NULL, NULL);
}
