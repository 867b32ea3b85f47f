/* SPDX-License-Identifier: BSD-2-Clause */
/* What comes behind a ClientHello ──► a second one, the end of what can be in clear, or a reason (include/tls_record.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "hello_expect.h"

enum { CCS = 20, ALERT, HANDSHAKE, APPLICATION, HEARTBEAT };

static const struct hello_extension early_data = {.type = 42};

/* Puts a first hello into `stream`. */
static void first(_Bool early) {
	struct hello hello = {.name = "first.test", .extra = &early_data, .extra_count = early};

	hello_make(&stream, &hello);
}

static void add_hello(const char *name) {
	struct hello hello = {.name = name};
	static struct bytes message;

	message.length = 0;
	hello_message(&message, &hello);
	hello_records(&stream, message.data, message.length, 0);
}

static void expect_names(enum snif_hello_status status, const char *second) {
	struct hello_reading reading = expect_read(status, second ? 2 : 1);

	assert_string_equal(reading.found[0].name, "first.test");
	if (second)
		assert_string_equal(reading.found[1].name, second);
}

static void a_second_hello_is_read(void **state) {
	(void)state;
	first(0);
	add_hello("second.test");
	expect_names(SNIF_HELLO_MORE, "second.test");
	first(0);
	hello_record(&stream, CCS, "\1", 1);
	add_hello("first.test");
	hello_record(&stream, APPLICATION, "sealed", 6);
	bytes_add(&stream, LITERAL("anything"));
	expect_names(SNIF_HELLO_OVER, "first.test");
}

static void a_hello_must_end_with_its_record(void **state) {
	static struct bytes message;
	struct hello hello = {.name = "first.test"};
	size_t length;

	(void)state;
	message.length = 0;
	hello_message(&message, &hello);
	length = message.length;
	hello.name = "second.test";
	hello_message(&message, &hello);
	lax_rules(SNIF_HELLO_LONGEST);
	for (size_t size = 1; size <= message.length; size++) {
		stream.length = 0;
		hello_records(&stream, message.data, message.length, size);
		if (length % size == 0)
			expect_names(SNIF_HELLO_MORE, "second.test");
		else
			expect_refusal("second in the same record", SNIF_REASON_HELLO_LENGTH, 0);
	}
	default_rules();
	for (size_t behind = 1; behind < 5; behind++) {
		message.length = length;
		bytes_fill(&message, 0, behind);
		stream.length = 0;
		hello_records(&stream, message.data, message.length, 0);
		expect_refusal("bytes behind", SNIF_REASON_HELLO_LENGTH, 0);
	}
}

static void nothing_of_the_first_hello_counts_for_the_second(void **state) {
	static const struct hello_extension ech = {.type = 0xfe0d};
	struct hello hello = {.name = "first.test", .extra = &ech, .extra_count = 1, .size = SNIF_HELLO_LONGEST + 5};
	struct hello_reading reading;

	(void)state;
	hello_make(&stream, &hello);
	add_hello("b.test");
	reading = expect_read(SNIF_HELLO_MORE, 2);
	assert_string_equal(reading.found[1].name, "b.test");
	assert_int_equal(reading.found[0].ech, 1);
	assert_int_equal(reading.found[1].ech, 0);
}

static void a_bad_second_hello_is_refused(void **state) {
	static const struct {
		const char *bytes;
		size_t length;
		enum snif_reason reason;
	} cases[] = {
		{LITERAL("\x16\3\3\0\0"), SNIF_REASON_RECORD_EMPTY},
		{LITERAL("\x16\3\3\x40\1"), SNIF_REASON_RECORD_TOO_LONG},
		{LITERAL("\x16\3\3\0\2\1\0\x14\3\3\0\1\1"), SNIF_REASON_NOT_HANDSHAKE},
		{LITERAL("\x16\3\3\0\2\1\0\x17\3\3\0\1\1"), SNIF_REASON_NOT_HANDSHAKE},
		{LITERAL("\x16\3\3\0\4\1\0\x40\1"), SNIF_REASON_HELLO_TOO_LONG},
		{LITERAL("\x16\3\3\0\4\1\0\0\1"), SNIF_REASON_SPLIT_RECORDS},
		{LITERAL("\x16\3\3\0\5\1\0\0\1\3"), SNIF_REASON_HELLO_LENGTH},
		{LITERAL("\x18\3\3\0\1\1"), SNIF_REASON_NOT_HANDSHAKE},
		{LITERAL("\x80\x2e\1\3\3\0"), SNIF_REASON_NOT_HANDSHAKE},
		{LITERAL("GET / HTTP/1.1"), SNIF_REASON_NOT_HANDSHAKE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		first(0);
		bytes_add(&stream, cases[i].bytes, cases[i].length);
		expect_refusal("second", cases[i].reason, 1);
	}
	first(0);
	add_hello(NULL);
	expect_refusal("no name", SNIF_REASON_SNI_MISSING, 1);
	first(0);
	add_hello("192.0.2.1");
	expect_refusal("address", SNIF_REASON_NAME_IS_ADDRESS, 1);
}

static void records_that_end_the_clear_part(void **state) {
	(void)state;
	first(0);
	hello_record(&stream, HANDSHAKE, "\x10\0\0\x20key", 7); /* ClientKeyExchange */
	add_hello("unseen.test");
	expect_names(SNIF_HELLO_OVER, NULL);
	first(0);
	hello_record(&stream, HANDSHAKE, "\x0b\0\0\3\0\0\0", 7); /* Certificate */
	expect_names(SNIF_HELLO_OVER, NULL);
	first(0);
	hello_record(&stream, APPLICATION, "sealed", 6);
	expect_names(SNIF_HELLO_OVER, NULL);
	first(0);
	hello_record(&stream, ALERT, "\1\0", 2);
	hello_record(&stream, CCS, "\1", 1);
	hello_record(&stream, CCS, "", 0);
	expect_names(SNIF_HELLO_MORE, NULL);
}

static void early_data_may_come_before_a_second_hello(void **state) {
	(void)state;
	first(1);
	hello_record(&stream, CCS, "\1", 1);
	hello_record(&stream, APPLICATION, "early", 5);
	hello_record(&stream, APPLICATION, "", 0);
	expect_names(SNIF_HELLO_MORE, NULL);
	hello_record(&stream, ALERT, "\1\0", 2);
	add_hello("second.test");
	expect_names(SNIF_HELLO_MORE, "second.test");
}

/* A session resumed under TLS 1.2: change_cipher_spec, then Finished, encrypted, so that its bytes can be any. */
static void an_encrypted_finished_is_not_taken_for_a_hello(void **state) {
	uint8_t finished[40] = {0};

	(void)state;
	for (unsigned byte = 0; byte < 256; byte++) {
		first(0);
		hello_record(&stream, CCS, "\1", 1);
		memset(finished, 0xa5, sizeof(finished));
		finished[0] = (uint8_t)byte;
		hello_record(&stream, HANDSHAKE, finished, sizeof(finished));
		expect_names(byte == 1 ? SNIF_HELLO_MORE : SNIF_HELLO_OVER, NULL);
		hello_record(&stream, APPLICATION, "sealed", 6);
		expect_names(SNIF_HELLO_OVER, NULL);
	}
}

/* The same bytes may begin a hello over the limit: then more handshake records come. */
static void a_long_second_hello_behind_change_cipher_spec_is_refused(void **state) {
	(void)state;
	for (int early = 0; early < 2; early++) {
		first(early);
		hello_record(&stream, CCS, "\1", 1);
		hello_record(&stream, HANDSHAKE, "\1\0\x40\1\3\3", 6);
		hello_record(&stream, ALERT, "\1\0", 2);
		if (early)
			hello_record(&stream, APPLICATION, "early", 5);
		hello_record(&stream, CCS, "\1", 1);
		expect_names(SNIF_HELLO_MORE, NULL);
		hello_record(&stream, HANDSHAKE, "rest", 4);
		expect_refusal("rest", SNIF_REASON_HELLO_TOO_LONG, 1);
	}
}

/* Nor is one taken for a hello whose bytes say less, but more than its record has; a hello would go on then. */
static void a_split_second_hello_behind_change_cipher_spec_is_refused(void **state) {
	(void)state;
	first(0);
	hello_record(&stream, CCS, "\1", 1);
	hello_record(&stream, HANDSHAKE, "\1\0\0\x60 sealed", 11);
	expect_names(SNIF_HELLO_MORE, NULL);
	hello_record(&stream, HANDSHAKE, "rest", 4);
	expect_refusal("rest", SNIF_REASON_SPLIT_RECORDS, 1);
}

/* A hello that is whole in its record is none that goes on, and servers take it: a policy's limit ends it at once. */
static void a_second_hello_over_a_short_limit_is_refused(void **state) {
	static struct bytes second;

	(void)state;
	rules = snif_hello_rules_of(200);
	first(0);
	hello_record(&stream, CCS, "\1", 1);
	hello_make(&second, &(struct hello){.name = "second.test", .size = 400});
	bytes_add(&stream, second.data, second.length);
	expect_refusal("second.test", SNIF_REASON_HELLO_TOO_LONG, 1);
	default_rules();
}

/* What is passed over counts for no limit. */
static void early_data_of_any_size(void **state) {
	static uint8_t data[16000];
	struct hello_reader reader = {0};

	(void)state;
	first(1);
	hello_reader_feed(&reader, stream.data, stream.length);
	stream.length = 0;
	hello_record(&stream, APPLICATION, data, sizeof(data));
	for (int i = 0; i < 100; i++)
		hello_reader_feed(&reader, stream.data, stream.length);
	stream.length = 0;
	add_hello("second.test");
	hello_reader_feed(&reader, stream.data, stream.length);
	assert_int_equal(reader.reading.status, SNIF_HELLO_MORE);
	assert_int_equal(reader.reading.count, 2);
	assert_string_equal(reader.reading.found[1].name, "second.test");
}

/* One piece over the limit of steps: a packet cannot be that long, so nobody gets there but by a bug. */
static void a_piece_of_too_many_records_is_refused(void **state) {
	struct hello_reader reader = {0};
	static uint8_t records[5 * (SNIF_HELLO_STEPS * SNIF_UNROLL + 1)];

	(void)state;
	first(0);
	hello_reader_feed(&reader, stream.data, stream.length);
	for (size_t i = 0; i < sizeof(records); i += 5)
		memcpy(records + i, "\x15\3\3\0\0", 5);
	hello_reader_feed(&reader, records, sizeof(records));
	assert_int_equal(reader.reading.status, SNIF_HELLO_REFUSED);
	assert_int_equal(reader.reading.reason, SNIF_REASON_SCAN_LIMIT);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_second_hello_is_read),
		cmocka_unit_test(a_hello_must_end_with_its_record),
		cmocka_unit_test(nothing_of_the_first_hello_counts_for_the_second),
		cmocka_unit_test(a_bad_second_hello_is_refused),
		cmocka_unit_test(records_that_end_the_clear_part),
		cmocka_unit_test(early_data_may_come_before_a_second_hello),
		cmocka_unit_test(an_encrypted_finished_is_not_taken_for_a_hello),
		cmocka_unit_test(a_long_second_hello_behind_change_cipher_spec_is_refused),
		cmocka_unit_test(a_split_second_hello_behind_change_cipher_spec_is_refused),
		cmocka_unit_test(a_second_hello_over_a_short_limit_is_refused),
		cmocka_unit_test(early_data_of_any_size),
		cmocka_unit_test(a_piece_of_too_many_records_is_refused),
	};

	return cmocka_run_group_tests_name("hello_second", tests, NULL, NULL);
}
