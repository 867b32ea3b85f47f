/* SPDX-License-Identifier: BSD-2-Clause */
/* ClientHellos, good and bad, cut at every place ──► the name or the reason, from include/hello.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "hello_expect.h"

#define GOOD "\0\0\0\x0b\0\x09\0\0\6a.test" /* a server_name extension for a.test */

static struct bytes message;

/* Puts a ClientHello into `message`: everything behind its version and random is given. */
static void make_message(const void *rest, size_t length) {
	size_t opened;

	message.length = 0;
	bytes_number(&message, 1, 1);
	opened = bytes_open(&message, 3);
	bytes_number(&message, 2, 0x0303);
	bytes_fill(&message, 'r', 32);
	bytes_add(&message, rest, length);
	bytes_close(&message, 3, opened);
}

static void make_stream(size_t record_size) {
	stream.length = 0;
	hello_records(&stream, message.data, message.length, record_size);
}

/* One hello of which the extensions are given, in one record. */
static void make_extensions(const void *extensions, size_t length) {
	static struct bytes rest;
	size_t opened;

	rest.length = 0;
	bytes_add(&rest, LITERAL("\0\0\2\x13\1\1\0"));
	opened = bytes_open(&rest, 2);
	bytes_add(&rest, extensions, length);
	bytes_close(&rest, 2, opened);
	make_message(rest.data, rest.length);
	make_stream(0);
}

struct refused {
	const char *bytes;
	size_t length;
	enum snif_reason reason;
};

static void streams_that_are_not_tls(void **state) {
	static const struct refused cases[] = {
		{LITERAL("GET / HTTP/1.1\r\n\r\n"), SNIF_REASON_NOT_TLS},
		{LITERAL("\0"), SNIF_REASON_NOT_TLS},
		{LITERAL("\x13"), SNIF_REASON_NOT_TLS},
		{LITERAL("\x19"), SNIF_REASON_NOT_TLS},
		{LITERAL("\x7f"), SNIF_REASON_NOT_TLS},
		{LITERAL("\x16\2"), SNIF_REASON_NOT_TLS},
		{LITERAL("\x16\4\0\0\1\1"), SNIF_REASON_NOT_TLS},
		{LITERAL("\x80\x2e\2"), SNIF_REASON_NOT_TLS},
		{LITERAL("\xff\xff\xff"), SNIF_REASON_NOT_TLS},
		{LITERAL("\x80\x2e\1\3\1"), SNIF_REASON_SSLV2_HELLO},
		{LITERAL("\x14\3\1\0\1\1"), SNIF_REASON_NOT_HANDSHAKE},
		{LITERAL("\x15\3\1\0\2\1\0"), SNIF_REASON_NOT_HANDSHAKE},
		{LITERAL("\x17\3\1\0\0"), SNIF_REASON_NOT_HANDSHAKE},
		{LITERAL("\x18"), SNIF_REASON_NOT_HANDSHAKE},
		{LITERAL("\x16\3\1\0\0"), SNIF_REASON_RECORD_EMPTY},
		{LITERAL("\x16\3\1\0\2\1\0\x16\3\1\0\0"), SNIF_REASON_RECORD_EMPTY},
		{LITERAL("\x16\3\1\x40\1"), SNIF_REASON_RECORD_TOO_LONG},
		{LITERAL("\x16\3\1\0\2\1\0\x15\3\1\0\2\1\0"), SNIF_REASON_NOT_HANDSHAKE},
		{LITERAL("\x16\3\1\0\2\1\0A"), SNIF_REASON_NOT_HANDSHAKE},
		{LITERAL("\x16\3\1\0\4\2\0\0\0"), SNIF_REASON_NOT_CLIENT_HELLO},
		{LITERAL("\x16\3\1\0\4\0\0\0\0"), SNIF_REASON_NOT_CLIENT_HELLO},
		{LITERAL("\x16\3\1\0\4\1\0\x40\1"), SNIF_REASON_HELLO_TOO_LONG},
		{LITERAL("\x16\3\1\0\4\1\0\0\1"), SNIF_REASON_HELLO_LENGTH},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		stream.length = 0;
		bytes_add(&stream, cases[i].bytes, cases[i].length);
		expect_refusal("stream", cases[i].reason, 0);
	}
}

/* What stands behind version and random: session id, ciphers, compression, extensions. */
static void lengths_that_contradict_each_other(void **state) {
	static const char *const good = "\0\0\2\x13\1\1\0\0\x0f" GOOD;
	static const struct refused cases[] = {
		{LITERAL(""), SNIF_REASON_HELLO_LENGTH},
		{LITERAL("\x21\0\2\x13\1\1\0\0\x0f" GOOD), SNIF_REASON_HELLO_LENGTH},
		{LITERAL("\x20\0\2\x13\1\1\0\0\x0f" GOOD), SNIF_REASON_HELLO_LENGTH},
		{LITERAL("\0\0\0\1\0\0\x0f" GOOD), SNIF_REASON_HELLO_LENGTH},
		{LITERAL("\0\0\3\x13\1\1\0\0\x0f" GOOD), SNIF_REASON_HELLO_LENGTH},
		{LITERAL("\0\0\2\x13\1\0\0\x0f" GOOD), SNIF_REASON_HELLO_LENGTH},
		{LITERAL("\0\0\2\x13\1\xff\0\0\x0f" GOOD), SNIF_REASON_HELLO_LENGTH},
		{LITERAL("\0\0\2\x13\1\1\0\0"), SNIF_REASON_HELLO_LENGTH},
		{LITERAL("\0\0\2\x13\1\1\0\0\x0e" GOOD), SNIF_REASON_HELLO_LENGTH},
		{LITERAL("\0\0\2\x13\1\1\0\0\x10" GOOD), SNIF_REASON_HELLO_LENGTH},
		{LITERAL("\0\0\2\x13\1\1\0"), SNIF_REASON_SNI_MISSING},
		{LITERAL("\0\0\2\x13\1\1\0\0\0"), SNIF_REASON_SNI_MISSING},
	};

	(void)state;
	make_message(good, 9 + sizeof(GOOD) - 1);
	make_stream(0);
	assert_string_equal(expect_read(SNIF_HELLO_MORE, 1).found[0].name, "a.test");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		make_message(cases[i].bytes, cases[i].length);
		make_stream(0);
		expect_refusal("message", cases[i].reason, 0);
	}
}

static void extensions_that_are_refused(void **state) {
	static const struct refused cases[] = {
		{LITERAL("\0\x0a\0\0"), SNIF_REASON_SNI_MISSING},
		{LITERAL("\0\x0a\0"), SNIF_REASON_HELLO_LENGTH},
		{LITERAL("\0\x0a\0\1"), SNIF_REASON_HELLO_LENGTH},
		{LITERAL("\0\x0a\0\0\0"), SNIF_REASON_HELLO_LENGTH},
		{LITERAL(GOOD GOOD), SNIF_REASON_EXTENSION_TWICE},
		{LITERAL("\0\x3f\0\0\0\x3f\0\0"), SNIF_REASON_EXTENSION_TWICE},
		{LITERAL("\0\x40\0\0\xff\1\0\0\0\x40\0\0"), SNIF_REASON_EXTENSION_TWICE},
		{LITERAL(GOOD "\xff\xce\0\0"), SNIF_REASON_ESNI},
		{LITERAL("\0\0\0\0"), SNIF_REASON_SNI_EMPTY},
		{LITERAL("\0\0\0\2\0\0"), SNIF_REASON_SNI_EMPTY},
		{LITERAL("\0\0\0\5\0\3\0\0\0"), SNIF_REASON_SNI_EMPTY},
		{LITERAL("\0\0\0\1\0"), SNIF_REASON_HELLO_LENGTH},
		{LITERAL("\0\0\0\3\0\1\0"), SNIF_REASON_HELLO_LENGTH},
		{LITERAL("\0\0\0\x0b\0\x08\0\0\5a.test"), SNIF_REASON_HELLO_LENGTH},
		{LITERAL("\0\0\0\x0b\0\x09\0\0\7a.test"), SNIF_REASON_HELLO_LENGTH},
		{LITERAL("\0\0\0\x0b\0\x09\1\0\6a.test"), SNIF_REASON_SNI_TYPE},
		{LITERAL("\0\0\0\x0f\0\x0d\1\0\1x\0\0\6a.test"), SNIF_REASON_SNI_TYPE},
		{LITERAL("\0\0\0\x0f\0\x0d\0\0\6a.test\1\0\1x"), SNIF_REASON_SNI_MULTIPLE},
		{LITERAL("\0\0\0\x14\0\x12\0\0\6a.test\0\0\6b.test"), SNIF_REASON_SNI_MULTIPLE},
		{LITERAL("\0\0\0\x0c\0\x0a\0\0\6a.test\0"), SNIF_REASON_SNI_MULTIPLE},
		{LITERAL("\0\0\0\x0b\0\x09\0\0\6a.\0est"), SNIF_REASON_NAME_INVALID},
		{LITERAL("\0\0\0\x0b\0\x09\0\0\6a..tes"), SNIF_REASON_NAME_INVALID},
		{LITERAL("\0\0\0\x0b\0\x09\0\0\6a tes/"), SNIF_REASON_NAME_INVALID},
		{LITERAL("\0\0\0\6\0\4\0\0\1."), SNIF_REASON_NAME_INVALID},
		{LITERAL("\0\0\0\x0d\0\x0b\0\0\0101.2.3.4."), SNIF_REASON_NAME_IS_ADDRESS},
		{LITERAL("\0\0\0\x08\0\6\0\0\3::1"), SNIF_REASON_NAME_IS_ADDRESS},
		{LITERAL("\0\x2b\0\0"), SNIF_REASON_HELLO_LENGTH},
		{LITERAL("\0\x2b\0\2\1\3"), SNIF_REASON_HELLO_LENGTH},
		{LITERAL("\0\x2b\0\3\4\3\4"), SNIF_REASON_HELLO_LENGTH},
		{LITERAL("\0\x2b\0\4\3\3\4\3"), SNIF_REASON_HELLO_LENGTH},
		{LITERAL("\0\x2b\0\3\0\3\4"), SNIF_REASON_HELLO_LENGTH},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		make_extensions(cases[i].bytes, cases[i].length);
		expect_refusal("extension", cases[i].reason, 0);
	}
}

static void names_of_any_length(void **state) {
	char name[300], label[] = "abcdefghijklmnopqrstuvwxyz-0123456789_";
	struct hello hello = {.name = name};
	size_t length;

	(void)state;
	for (length = 1; length < sizeof(name); length++) {
		for (size_t i = 0; i < length; i++)
			name[i] = i % 39 == 38 && i + 1 < length ? '.' : label[i % 38];
		name[length - 1] = 'z';
		hello.name_length = length;
		hello_make(&stream, &hello);
		if (length > SNIF_NAME_MAX) {
			expect_refusal("name", SNIF_REASON_NAME_TOO_LONG, 0);
			continue;
		}
		assert_memory_equal(expect_read(SNIF_HELLO_MORE, 1).found[0].name, name, length);
	}
	memset(name, 'a', 64);
	hello.name_length = 64;
	hello_make(&stream, &hello);
	expect_refusal("label", SNIF_REASON_NAME_TOO_LONG, 0);
}

static void a_name_is_read_in_lower_case_without_its_dot(void **state) {
	(void)state;
	hello_make(&stream, &(struct hello){.name = "WwW.Example.TEST."});
	assert_string_equal(expect_read(SNIF_HELLO_MORE, 1).found[0].name, "www.example.test");
}

static void versions_and_ech_are_told(void **state) {
	static const struct {
		const char *extensions;
		size_t length;
		uint16_t version;
		uint8_t ech;
	} cases[] = {
		{LITERAL(GOOD), 0x0303, 0},
		{LITERAL(GOOD "\0\x2b\0\3\2\3\4"), 0x0304, 0},
		{LITERAL("\0\x2b\0\7\6\x0a\x0a\3\4\3\3" GOOD), 0x0304, 0},
		{LITERAL("\0\x2b\0\7\6\3\1\3\2\xfa\xfa" GOOD), 0x0303, 0},
		{LITERAL(GOOD "\xfe\x0d\0\1x"), 0x0303, 1},
		{LITERAL("\xfe\x0d\0\0" GOOD "\xff\1\0\1\0"), 0x0303, 1},
	};
	struct hello_reading reading;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		make_extensions(cases[i].extensions, cases[i].length);
		reading = expect_read(SNIF_HELLO_MORE, 1);
		assert_string_equal(reading.found[0].name, "a.test");
		assert_int_equal(reading.found[0].version, cases[i].version);
		assert_int_equal(reading.found[0].ech, cases[i].ech);
	}
}

static void records_of_any_size(void **state) {
	struct hello hello = {.name = "records.example.test"};

	(void)state;
	message.length = 0;
	hello_message(&message, &hello);
	for (size_t size = 1; size <= message.length; size++) {
		make_stream(size);
		assert_string_equal(expect_read(SNIF_HELLO_MORE, 1).found[0].name, hello.name);
	}
}

/* Many extensions that only have to be passed over, which is done several at a time where a window holds them. */
static void browsers_hellos(void **state) {
	static const uint16_t twice[] = {0x2a2a, 23, 10, 18, 51, 43, 27, 17613, 0x3a3a, 0xfe0d};
	struct hello_extension extra = {.data = "\2\3\4", .length = 3};
	struct hello hello = {.name = "browser.example.test", .browser = 1};

	(void)state;
	for (int post_quantum = 0; post_quantum < 2; post_quantum++) {
		hello.post_quantum = post_quantum;
		message.length = 0;
		hello_message(&message, &hello);
		for (size_t size = 1; size <= message.length; size += 1 + size / 9) {
			make_stream(size);
			assert_string_equal(expect_read(SNIF_HELLO_MORE, 1).found[0].name, hello.name);
		}
	}
	hello.extra = &extra;
	hello.extra_count = 1;
	for (size_t i = 0; i < sizeof(twice) / sizeof(*twice); i++) {
		extra.type = twice[i];
		hello_make(&stream, &hello);
		expect_refusal("extension", SNIF_REASON_EXTENSION_TWICE, 0);
	}
}

static void a_hello_may_take_16384_bytes_of_records(void **state) {
	struct hello hello = {.name = "large.example.test", .size = SNIF_HELLO_MAX};

	(void)state;
	hello_make(&stream, &hello);
	assert_int_equal(stream.length, SNIF_HELLO_MAX);
	assert_string_equal(expect_read(SNIF_HELLO_MORE, 1).found[0].name, hello.name);
	hello.size++;
	hello_make(&stream, &hello);
	expect_refusal("one byte more", SNIF_REASON_HELLO_TOO_LONG, 0);
}

/* Headers count: the limit falls into the fifth and last record's header, wherever that is cut. */
static void record_headers_count_for_the_limit(void **state) {
	static const char *const behind[] = {"\x16\3\1\0\1r", "\x16\xff", "\x15\3\1", "GET"};
	struct hello hello = {.name = "large.example.test", .size = SNIF_HELLO_MAX};

	(void)state;
	for (size_t left = 1; left < 8; left++) {
		for (size_t i = 0; i < 4; i++) {
			message.length = 0;
			hello_message(&message, &hello);
			message.length = SNIF_HELLO_MAX - 5 - left;
			make_stream(0);
			bytes_add(&stream, behind[i], i == 0 ? 6 : strlen(behind[i]));
			if (left < 5)
				expect_refusal("header", SNIF_REASON_HELLO_TOO_LONG, 0);
			else if (i > 0)
				expect_refusal("header", i == 1 ? SNIF_REASON_NOT_TLS : SNIF_REASON_NOT_HANDSHAKE, 0);
			else if (left == 5)
				expect_refusal("byte behind it", SNIF_REASON_HELLO_TOO_LONG, 0);
			else
				expect_read(SNIF_HELLO_MORE, 0);
		}
	}
}

static void extensions_up_to_the_limit(void **state) {
	static struct bytes extensions;

	(void)state;
	extensions.length = 0;
	for (uint32_t type = 1; type < 64 + SNIF_HELLO_EXTENSIONS; type++)
		hello_extension(&extensions, (uint16_t)type, "\2\3\4", type == 43 ? 3 : 0);
	bytes_add(&extensions, LITERAL(GOOD));
	make_extensions(extensions.data, extensions.length);
	assert_string_equal(expect_read(SNIF_HELLO_MORE, 1).found[0].name, "a.test");
	hello_extension(&extensions, 64 + SNIF_HELLO_EXTENSIONS, "", 0);
	make_extensions(extensions.data, extensions.length);
	expect_refusal("one more", SNIF_REASON_TOO_MANY_EXTENSIONS, 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streams_that_are_not_tls),
		cmocka_unit_test(lengths_that_contradict_each_other),
		cmocka_unit_test(extensions_that_are_refused),
		cmocka_unit_test(names_of_any_length),
		cmocka_unit_test(a_name_is_read_in_lower_case_without_its_dot),
		cmocka_unit_test(versions_and_ech_are_told),
		cmocka_unit_test(records_of_any_size),
		cmocka_unit_test(browsers_hellos),
		cmocka_unit_test(a_hello_may_take_16384_bytes_of_records),
		cmocka_unit_test(record_headers_count_for_the_limit),
		cmocka_unit_test(extensions_up_to_the_limit),
	};

	return cmocka_run_group_tests_name("hello", tests, NULL, NULL);
}
