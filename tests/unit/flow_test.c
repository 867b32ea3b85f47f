/* SPDX-License-Identifier: BSD-2-Clause */
/* IP packets ──► flows and the hello that each begins with. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/packet_maker.h"
#include "inspect/flow.h"

#define ISN 0xffffff00U /* so that sequence numbers wrap inside a hello */

static struct bytes stream, frame; /* large, so not on the stack */
static struct flows *flows;
static uint64_t frames;

/* What was reported, by number of the report. */
static struct flow_hello reports[4];
static char names[4][256];
static unsigned reported;

static void take(void *context, const struct flow_hello *found) {
	(void)context;
	assert_true(reported < 4);
	reports[reported] = *found;
	names[reported][0] = '\0';
	if (flow_hello_has_name(found))
		snprintf(names[reported], sizeof(names[0]), "%.*s", found->hello->name_length,
			 (const char *)found->hello->name);
	reported++;
}

static int begin(void **state) {
	struct snif_hello_rules rules = snif_hello_rules_of(SNIF_HELLO_LONGEST);

	(void)state;
	rules.split_records = 1;
	reported = 0;
	frames = 0;
	flows = flows_new(&rules, take, NULL);
	hello_make(&stream, &(struct hello){.name = "www.a.example"});
	return flows ? 0 : -1;
}

static int end(void **state) {
	(void)state;
	flows_free(flows);
	return 0;
}

static void send_packet(struct packet packet) {
	uint8_t *copy; /* of its exact size, so that the sanitizer sees what is read behind it */

	frame.length = 0;
	packet_make(&frame, &packet);
	copy = malloc(frame.length);
	memcpy(copy, frame.data, frame.length);
	frames++;
	assert_int_equal(flows_add(flows, &(struct capture_packet){.time = {.tv_sec = (time_t)frames},
								   .frame = frames,
								   .ip = copy,
								   .length = frame.length}),
			 0);
	free(copy);
}

#define SEND(...) send_packet((struct packet){__VA_ARGS__})

/* Bytes [from, to) of the stream, behind a SYN with ISN. */
static void send_part(size_t from, size_t to) {
	SEND(.sequence = ISN + 1 + (uint32_t)from, .data = stream.data + from, .length = to - from);
}

static void syn(void) {
	SEND(.sequence = ISN, .flags = TH_SYN);
}

static void expect(unsigned count, enum snif_reason reason, const char *name) {
	assert_int_equal(reported, count);
	assert_int_equal(reports[count - 1].reason, reason);
	assert_string_equal(names[count - 1], name);
}

static void a_hello_in_one_segment(void **state) {
	const struct flow_hello *found = &reports[0];

	(void)state;
	syn();
	SEND(.from_server = true, .sequence = 7, .flags = TH_SYN | TH_ACK);
	SEND(.sequence = ISN + 1);
	send_part(0, stream.length);
	expect(1, SNIF_REASON_NONE, "www.a.example");
	assert_int_equal(found->flow, 1);
	assert_int_equal(found->time.tv_sec, 4);
	assert_int_equal(found->first_frame, 4);
	assert_int_equal(found->segments, 1);
	assert_int_equal(found->source_port, CLIENT_PORT);
	assert_int_equal(found->destination_port, SERVER_PORT);
	assert_false(found->accepted);
	assert_int_equal(found->refusal, SNIF_REASON_NONE);
	flows_end(flows);
	assert_int_equal(reported, 1);
}

static void cut_at_every_place_and_turned_round(void **state) {
	(void)state;
	for (size_t at = 1; at < stream.length; at++) {
		reported = 0;
		syn();
		send_part(at, stream.length);
		assert_int_equal(reported, 0);
		send_part(0, at);
		expect(1, SNIF_REASON_NONE, "www.a.example");
		assert_int_equal(reports[0].segments, 2);
		flows_end(flows);
	}
}

static void records_and_segments_are_counted(void **state) {
	(void)state;
	hello_make(&stream, &(struct hello){.name = "www.a.example", .record_size = 50});
	syn();
	for (size_t at = 0; at < stream.length; at += 40)
		send_part(at, at + 40 < stream.length ? at + 40 : stream.length);
	expect(1, SNIF_REASON_NONE, "www.a.example");
	assert_int_equal(reports[0].segments, (stream.length + 39) / 40);
	assert_int_equal(reports[0].first_frame, 2);
	assert_true(reports[0].time.tv_sec == (time_t)frames);
}

static void what_comes_twice_counts_once(void **state) {
	uint8_t other[120] = {0};

	(void)state;
	memcpy(other + 100, stream.data + 100, 20);
	syn();
	syn();
	send_part(0, 100);
	send_part(0, 100);
	SEND(.sequence = ISN + 100, .data = "", .length = 1);
	SEND(.sequence = ISN + 1, .data = other, .length = sizeof(other)); /* its first 100 bytes are known */
	assert_int_equal(reported, 0);
	flows_end(flows);
	expect(1, SNIF_REASON_HELLO_INCOMPLETE, "www.a.example");
	assert_int_equal(reports[0].segments, 2);
}

static void over_ipv6_and_without_syn(void **state) {
	(void)state;
	SEND(.ipv6 = true, .sequence = 5, .data = stream.data, .length = 60);
	SEND(.ipv6 = true, .sequence = 65, .data = stream.data + 60, .length = stream.length - 60);
	expect(1, SNIF_REASON_NONE, "www.a.example");
	assert_int_equal(reports[0].source_port, CLIENT_PORT);
}

static void data_in_the_syn(void **state) {
	(void)state;
	SEND(.sequence = ISN, .flags = TH_SYN, .data = stream.data, .length = 80);
	send_part(80, stream.length);
	expect(1, SNIF_REASON_NONE, "www.a.example");
	/* the server did not take it: all comes again */
	flows_end(flows);
	SEND(.sequence = ISN, .flags = TH_SYN, .data = stream.data, .length = 80);
	syn();
	send_part(0, stream.length);
	expect(2, SNIF_REASON_NONE, "www.a.example");
	assert_int_equal(reports[1].segments, 2);
}

static void the_urgent_byte_is_no_part_of_it(void **state) {
	uint8_t data[1024];

	(void)state;
	memcpy(data, stream.data, 30);
	data[30] = 'X';
	memcpy(data + 31, stream.data + 30, stream.length - 30);
	syn();
	SEND(.sequence = ISN + 1, .flags = TH_ACK | TH_URG, .urgent = 31, .data = data, .length = stream.length + 1);
	expect(1, SNIF_REASON_NONE, "www.a.example");
	assert_int_equal(reports[0].refusal, SNIF_REASON_URGENT_DATA);
	assert_int_equal(reports[0].segments, 1);
}

static void other_traffic_is_not_reported(void **state) {
	static const char http[] = "GET / HTTP/1.1\r\n\r\n";

	(void)state;
	/* not TLS; the middle of TLS; the server's side; nothing at all */
	syn();
	SEND(.sequence = ISN + 1, .data = http, .length = strlen(http));
	SEND(.client_port = 1, .sequence = 1, .data = "\x17\x03\x03\x00\x02xx", .length = 7);
	SEND(.client_port = 2, .sequence = 1, .data = "\x16\x03\x03\x00\x04\x10\x00\x00\x00", .length = 9);
	SEND(.from_server = true, .client_port = 3, .flags = TH_SYN | TH_ACK, .sequence = 1);
	SEND(.from_server = true, .client_port = 3, .sequence = 2, .data = "\x16\x03\x03\x00\x04\x02\x00\x00\x00",
	     .length = 9);
	SEND(.client_port = 4, .sequence = ISN, .flags = TH_SYN);
	SEND(.client_port = 5, .sequence = ISN, .flags = TH_SYN);
	SEND(.client_port = 5, .sequence = ISN + 1, .data = "\x16", .length = 1);
	flows_end(flows);
	assert_int_equal(reported, 0);
}

static void tls_that_is_no_hello_is_reported_after_a_syn(void **state) {
	(void)state;
	syn();
	SEND(.sequence = ISN + 1, .data = "\x16\x03\x03\x00\x04\x10\x00\x00\x00", .length = 9);
	expect(1, SNIF_REASON_NOT_CLIENT_HELLO, "");
}

static void a_server_that_speaks_first_as_client(void **state) {
	(void)state;
	SEND(.from_server = true, .sequence = 7, .flags = TH_SYN | TH_ACK);
	SEND(.from_server = true, .sequence = 8, .data = stream.data, .length = stream.length);
	expect(1, SNIF_REASON_NONE, "www.a.example");
	assert_true(reports[0].accepted);
	assert_int_equal(reports[0].source_port, SERVER_PORT);
}

static void names_that_are_refused_are_shown(void **state) {
	(void)state;
	hello_make(&stream, &(struct hello){.name = "192.0.2.7"});
	syn();
	send_part(0, stream.length);
	expect(1, SNIF_REASON_NAME_IS_ADDRESS, "192.0.2.7");
	hello_make(&stream, &(struct hello){.name = NULL});
	SEND(.client_port = 1, .sequence = 1, .data = stream.data, .length = stream.length);
	expect(2, SNIF_REASON_SNI_MISSING, "");
	assert_int_not_equal(reports[0].flow, reports[1].flow);
}

static void the_same_ports_again_are_a_new_flow(void **state) {
	(void)state;
	syn();
	send_part(0, 100);
	/* another sequence number: the first one has ended in its hello */
	SEND(.sequence = 1000, .flags = TH_SYN);
	expect(1, SNIF_REASON_HELLO_INCOMPLETE, "");
	SEND(.sequence = 1001, .data = stream.data, .length = stream.length);
	expect(2, SNIF_REASON_NONE, "www.a.example");
	/* the same one, but closed before */
	SEND(.sequence = 1000, .flags = TH_SYN);
	SEND(.sequence = 1001, .data = stream.data, .length = stream.length);
	assert_int_equal(reported, 2);
	SEND(.sequence = 1001 + (uint32_t)stream.length, .flags = TH_FIN | TH_ACK);
	SEND(.sequence = 1000, .flags = TH_SYN);
	SEND(.sequence = 1001, .data = stream.data, .length = stream.length);
	expect(3, SNIF_REASON_NONE, "www.a.example");
	assert_int_equal(reports[2].flow, 3);
}

static void what_is_missing_is_told(void **state) {
	static uint8_t block[60000];

	(void)state;
	syn();
	send_part(0, 100);
	send_part(150, stream.length);
	flows_end(flows);
	expect(1, SNIF_REASON_SEQUENCE_GAP, "");
	/* also before the end, when too much waits for it */
	syn();
	send_part(0, 100);
	for (uint32_t i = 0; i < 6 && reported == 1; i++)
		SEND(.sequence = ISN + 200 + i * 60000, .data = block, .length = sizeof(block));
	expect(2, SNIF_REASON_SEQUENCE_GAP, "");
	send_part(100, stream.length);
	flows_end(flows);
	assert_int_equal(reported, 2);
}

/* Sends a second hello behind a change_cipher_spec, as after a HelloRetryRequest. */
static void send_second(const char *name) {
	static struct bytes second;

	second.length = 0;
	hello_make(&second, &(struct hello){.name = name});
	hello_record(&stream, 20, "\x01", 1);
	bytes_add(&stream, second.data, second.length);
	syn();
	send_part(0, stream.length);
}

static void a_second_hello_is_reported_when_it_differs(void **state) {
	(void)state;
	send_second("www.a.example");
	expect(1, SNIF_REASON_NONE, "www.a.example");
	flows_end(flows);
	hello_make(&stream, &(struct hello){.name = "www.a.example"});
	send_second("b.example");
	expect(3, SNIF_REASON_NONE, "b.example");
	assert_int_equal(reports[1].flow, reports[2].flow);
	assert_int_equal(reports[2].segments, 1);
}

static void headers_in_between(void **state) {
	static const uint8_t extensions[] = {IPPROTO_DSTOPTS, 0, 1, 4, 0, 0, 0, 0, IPPROTO_TCP, 0, 1, 4, 0, 0, 0, 0};
	static const uint8_t routing[] = {IPPROTO_TCP, 0, 0, 0, 0, 0, 0, 0};
	static const uint8_t source_route[] = {1, 131, 3, 4}, router_alert[] = {148, 4, 0, 0};

	(void)state;
	SEND(.ipv6 = true, .between = extensions, .between_length = sizeof(extensions), .first = IPPROTO_HOPOPTS,
	     .data = stream.data, .length = stream.length);
	expect(1, SNIF_REASON_NONE, "www.a.example");
	assert_int_equal(reports[0].refusal, SNIF_REASON_NONE);
	SEND(.ipv6 = true, .client_port = 1, .between = routing, .between_length = sizeof(routing),
	     .first = IPPROTO_ROUTING, .data = stream.data, .length = stream.length);
	expect(2, SNIF_REASON_NONE, "www.a.example");
	assert_int_equal(reports[1].refusal, SNIF_REASON_SOURCE_ROUTE);
	SEND(.between = source_route, .between_length = 4, .data = stream.data, .length = stream.length);
	expect(3, SNIF_REASON_NONE, "www.a.example");
	assert_int_equal(reports[2].refusal, SNIF_REASON_SOURCE_ROUTE);
	SEND(.client_port = 1, .between = router_alert, .between_length = 4, .data = stream.data,
	     .length = stream.length);
	expect(4, SNIF_REASON_NONE, "www.a.example");
	assert_int_equal(reports[3].refusal, SNIF_REASON_NONE);
}

static void a_packet_too_large_for_its_length_field(void **state) {
	(void)state;
	hello_make(&stream, &(struct hello){.name = "www.a.example"});
	bytes_fill(&stream, 0x17, 70000 - stream.length);
	syn();
	send_part(0, stream.length);
	assert_int_equal(reports[0].reason, SNIF_REASON_NONE);
	assert_string_equal(names[0], "www.a.example");
}

static void fragments_and_damage_are_counted(void **state) {
	static const uint8_t fragment[] = {IPPROTO_TCP, 0, 0, 1, 0, 0, 0, 0};
	struct flow_losses losses;

	(void)state;
	SEND(.fragment = 0x2000, .data = stream.data, .length = 16);
	SEND(.fragment = 2, .data = stream.data, .length = 16);
	SEND(.ipv6 = true, .between = fragment, .between_length = 8, .first = IPPROTO_FRAGMENT);
	frame.length = 0;
	packet_make(&frame, &(struct packet){.data = stream.data, .length = stream.length});
	for (size_t length = 0; length < 40; length++) {
		uint8_t *copy = malloc(length + 1);

		memcpy(copy, frame.data, length);
		assert_int_equal(flows_add(flows, &(struct capture_packet){.ip = copy, .length = length}), 0);
		free(copy);
	}
	losses = flows_end(flows);
	assert_int_equal(losses.fragments, 3);
	assert_int_equal(losses.damaged, 40);
	assert_int_equal(reported, 0);
}

/* `count` flows that have only a SYN. */
static void open_flows(bool ipv6, uint32_t count) {
	for (uint32_t i = 0; i < count; i++)
		SEND(.ipv6 = ipv6, .client_port = (uint16_t)(i + 1), .sequence = i, .flags = TH_SYN);
}

static void of_very_many_flows_the_idle_ones_end(void **state) {
	(void)state;
	SEND(.client_port = 65001, .sequence = 1, .data = stream.data, .length = 100);
	open_flows(false, 65000);
	SEND(.client_port = 65001, .sequence = 101); /* not idle */
	open_flows(true, 60000);
	assert_int_equal(reported, 0);
	open_flows(false, 65000);
	expect(1, SNIF_REASON_HELLO_INCOMPLETE, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
	const struct CMUnitTest tests[] = {
		TEST(a_hello_in_one_segment),
		TEST(cut_at_every_place_and_turned_round),
		TEST(records_and_segments_are_counted),
		TEST(what_comes_twice_counts_once),
		TEST(over_ipv6_and_without_syn),
		TEST(data_in_the_syn),
		TEST(the_urgent_byte_is_no_part_of_it),
		TEST(other_traffic_is_not_reported),
		TEST(tls_that_is_no_hello_is_reported_after_a_syn),
		TEST(a_server_that_speaks_first_as_client),
		TEST(names_that_are_refused_are_shown),
		TEST(the_same_ports_again_are_a_new_flow),
		TEST(what_is_missing_is_told),
		TEST(a_second_hello_is_reported_when_it_differs),
		TEST(headers_in_between),
		TEST(a_packet_too_large_for_its_length_field),
		TEST(fragments_and_damage_are_counted),
		TEST(of_very_many_flows_the_idle_ones_end),
	};

	return cmocka_run_group_tests_name("flow", tests, NULL, NULL);
}
