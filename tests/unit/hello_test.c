/* SPDX-License-Identifier: BSD-2-Clause */
/* ClientHellos, good and bad, cut at every place ──► the name or the reason, from include/tls_record.h and
 * include/client_hello.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
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
		{LITERAL("\x16\3\1\0\2\1\0\x16\3\1\0\2"), SNIF_REASON_SPLIT_RECORDS},
		{LITERAL("\x16\3\1\0\4\1\0\0\1"), SNIF_REASON_SPLIT_RECORDS},
		{LITERAL("\x16\3\1\0\4\1\0\x3f\xfc"), SNIF_REASON_SPLIT_RECORDS},
		{LITERAL("\x16\3\1\0\4\1\0\x3f\xfd"), SNIF_REASON_HELLO_TOO_LONG},
		{LITERAL("\x16\3\1\0\2\1\0A"), SNIF_REASON_NOT_HANDSHAKE},
		{LITERAL("\x16\3\1\0\4\2\0\0\0"), SNIF_REASON_NOT_CLIENT_HELLO},
		{LITERAL("\x16\3\1\0\4\0\0\0\0"), SNIF_REASON_NOT_CLIENT_HELLO},
		{LITERAL("\x16\3\1\0\4\1\0\x40\1"), SNIF_REASON_HELLO_TOO_LONG},
		{LITERAL("\x16\3\1\0\5\1\0\0\1"), SNIF_REASON_HELLO_LENGTH},
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
		{LITERAL("\0\x0a\0\2\0\0"), SNIF_REASON_SNI_MISSING},
		{LITERAL("\0\x0a\0\0"), SNIF_REASON_HELLO_LENGTH},
		{LITERAL("\0\x10\0\0"), SNIF_REASON_HELLO_LENGTH},
		{LITERAL("\0\x10\0\2\0\0"), SNIF_REASON_HELLO_LENGTH},
		{LITERAL("\0\x10\0\3\0\1\0"), SNIF_REASON_HELLO_LENGTH},
		{LITERAL("\0\x10\0\5\0\3\2h"), SNIF_REASON_HELLO_LENGTH},
		{LITERAL("\0\x10\0\5\0\2\2h2"), SNIF_REASON_HELLO_LENGTH},
		{LITERAL("\0\x10\0\6\0\4\2h2\0"), SNIF_REASON_HELLO_LENGTH},
		{LITERAL("\0\x10\0\6\0\4\2h2\1" GOOD), SNIF_REASON_HELLO_LENGTH},
		{LITERAL("\0\x10\0\5\0\3\2h2"), SNIF_REASON_SNI_MISSING},
		{LITERAL("\0\x10\0\7\0\5\2h2\1x"), SNIF_REASON_SNI_MISSING},
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

static void a_name_is_read_in_lower_case_and_perhaps_without_its_dot(void **state) {
	(void)state;
	hello_make(&stream, &(struct hello){.name = "WwW.Example.TEST"});
	assert_string_equal(expect_read(SNIF_HELLO_MORE, 1).found[0].name, "www.example.test");
	hello_make(&stream, &(struct hello){.name = "WwW.Example.TEST."});
	expect_refusal("dot", SNIF_REASON_TRAILING_DOT, 0);
	lax_rules(SNIF_HELLO_LONGEST);
	assert_string_equal(expect_read(SNIF_HELLO_MORE, 1).found[0].name, "www.example.test");
	default_rules();
}

static void versions_of_tls_1_0_to_1_2_are_good(void **state) {
	(void)state;
	hello_make(&stream, &(struct hello){.name = "a.test"});
	for (unsigned version = 0; version < 0x10000; version += version < 0x2fe || version > 0x308 ? 0xff : 1) {
		stream.data[9] = (uint8_t)(version >> 8);
		stream.data[10] = (uint8_t)version;
		if (version >= 0x0301 && version <= 0x0303)
			expect_read(SNIF_HELLO_MORE, 1);
		else
			expect_refusal("version", SNIF_REASON_HELLO_VERSION, 0);
	}
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
		if (size < message.length)
			expect_refusal("records", SNIF_REASON_SPLIT_RECORDS, 0);
		lax_rules(SNIF_HELLO_LONGEST);
		assert_string_equal(expect_read(SNIF_HELLO_MORE, 1).found[0].name, hello.name);
		default_rules();
	}
}

/* Many extensions that only have to be passed over, which is done several at a time where a window holds them. */
static void browsers_hellos(void **state) {
	static const uint16_t twice[] = {0x2a2a, 23, 10, 18, 51, 43, 27, 17613, 0x3a3a, 0xfe0d};
	struct hello_extension extra = {.data = "\2\3\4", .length = 3};
	struct hello hello = {.name = "browser.example.test", .browser = 1};

	(void)state;
	lax_rules(SNIF_HELLO_LONGEST);
	for (int post_quantum = 0; post_quantum < 2; post_quantum++) {
		hello.post_quantum = post_quantum;
		message.length = 0;
		hello_message(&message, &hello);
		for (size_t size = 1; size <= message.length; size += 1 + size / 9) {
			make_stream(size);
			assert_string_equal(expect_read(SNIF_HELLO_MORE, 1).found[0].name, hello.name);
		}
	}
	default_rules();
	hello.extra = &extra;
	hello.extra_count = 1;
	for (size_t i = 0; i < sizeof(twice) / sizeof(*twice); i++) {
		extra.type = twice[i];
		extra.data = twice[i] == 10 || twice[i] == 51 ? "\0\1\4" : "\2\3\4";
		hello_make(&stream, &hello);
		expect_refusal("extension", SNIF_REASON_EXTENSION_TWICE, 0);
	}
}

/* The limit is the message's; full records come with what headers they need. */
static void a_hello_may_be_as_long_as_the_rules_say(void **state) {
	static const uint32_t limits[] = {0, 1024, 16384, 16385, 20208, 32768, 32769, 65536};
	struct hello hello = {.name = "large.example.test"};
	size_t longest;

	(void)state;
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		if (limits[i])
			rules = snif_hello_rules_of(limits[i]);
		longest = limits[i] ? limits[i] : SNIF_HELLO_LONGEST;
		for (size_t size = longest - 1; size <= longest + 1; size++) {
			struct hello_reader reader = {.hello.rules = rules};

			hello.size = size + 5;
			hello.record_size = SNIF_RECORD_MAX;
			hello_make(&stream, &hello);
			hello_reader_feed(&reader, stream.data, stream.length);
			if (size > longest)
				assert_int_equal(reader.reading.reason, SNIF_REASON_HELLO_TOO_LONG);
			else
				assert_string_equal(reader.reading.found[0].name, hello.name);
		}
		default_rules();
	}
}

static void a_long_hello_is_cut_into_full_records_and_named_in_the_first(void **state) {
	struct hello hello = {.name = "large.example.test", .size = 20213};

	(void)state;
	rules = snif_hello_rules_of(SNIF_HELLO_MOST);
	hello.record_size = SNIF_RECORD_MAX - 1;
	hello_make(&stream, &hello);
	expect_refusal("not full", SNIF_REASON_SPLIT_RECORDS, 0);
	hello.record_size = SNIF_RECORD_MAX;
	hello.name_at = SNIF_RECORD_MAX + 5 - strlen(hello.name);
	hello_make(&stream, &hello);
	assert_string_equal(expect_read(SNIF_HELLO_MORE, 1).found[0].name, hello.name);
	hello.name_at++;
	hello_make(&stream, &hello);
	expect_refusal("name over the end", SNIF_REASON_SPLIT_RECORDS, 0);
	rules.split_records = 1;
	assert_string_equal(expect_read(SNIF_HELLO_MORE, 1).found[0].name, hello.name);
	default_rules();
}

/* One segment of 64 KiB: no more steps than there may be, and no byte of a record's header over the limit. */
static void the_longest_hello_in_the_smallest_records(void **state) {
	struct hello_reader reader;
	struct hello hello = {.name = "large.example.test", .record_size = 1};

	(void)state;
	lax_rules(SNIF_HELLO_MOST);
	for (size_t size = 10925; size <= 10927; size++) {
		memset(&reader, 0, sizeof(reader));
		reader.hello.rules = rules;
		hello.size = size + 5;
		hello_make(&stream, &hello);
		hello_reader_feed(&reader, stream.data, stream.length);
		assert_int_equal(reader.reading.count, size <= 10926);
		assert_int_equal(reader.reading.reason, size <= 10926 ? SNIF_REASON_NONE : SNIF_REASON_HELLO_TOO_LONG);
	}
	default_rules();
}

/* Headers count: the limit falls into the last record's header, wherever that is cut. */
static void record_headers_count_for_the_limit(void **state) {
	static const char *const behind[] = {"\x16\3\1\0\1r", "\x16\xff", "\x15\3\1", "GET"};
	struct hello hello = {.name = "large.example.test", .size = SNIF_HELLO_LONGEST + 5};

	(void)state;
	lax_rules(SNIF_HELLO_LONGEST);
	for (size_t left = 1; left < 8; left++) {
		for (size_t i = 0; i < 4; i++) {
			message.length = 0;
			hello_message(&message, &hello);
			message.length = SNIF_HELLO_LONGEST - left;
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
	default_rules();
}

/* Lists that are all of an extension, in extensions that are passed over several at once and in those that are not. */
static void lists_must_fill_their_extension(void **state) {
	static const uint8_t wide[] = {10, 13, 50, 51}, narrow[] = {11, 27, 45};
	uint8_t data[10] = {0};
	struct hello_extension extra[] = {{0x1a1a, "", 0}, {0, data, sizeof(data)}};
	struct hello hello = {.name = "a.test", .bare = 1, .extra = extra, .extra_count = 2};

	(void)state;
	for (size_t i = 0; i < sizeof(wide) + sizeof(narrow); i++) {
		bool is_wide = i < sizeof(wide);

		extra[1].type = is_wide ? wide[i] : narrow[i - sizeof(wide)];
		for (unsigned length = 0; length < 12; length++) {
			memset(data, 0, sizeof(data));
			data[is_wide] = (uint8_t)length;
			hello_make(&stream, &hello);
			if (length == (is_wide ? 8 : 9))
				expect_read(SNIF_HELLO_MORE, 1);
			else
				expect_refusal("list", SNIF_REASON_HELLO_LENGTH, 0);
		}
		extra[1].length = is_wide ? 1 : 0;
		hello_make(&stream, &hello);
		expect_refusal("no list", SNIF_REASON_HELLO_LENGTH, 0);
		extra[1].length = sizeof(data);
	}
}

/* Empty, where the parser does not look into it. */
static void add_good_extension(struct bytes *extensions, uint32_t type) {
	if (type == 43)
		hello_extension(extensions, 43, "\2\3\4", 3);
	else if (type == 16)
		hello_extension(extensions, 16, "\0\3\2h2", 5);
	else if (type == 10 || type == 13 || type == 50 || type == 51)
		hello_extension(extensions, (uint16_t)type, "\0\0", 2);
	else
		hello_extension(extensions, (uint16_t)type, "\0", type == 11 || type == 27 || type == 45);
}

static void extensions_up_to_the_limit(void **state) {
	static struct bytes extensions;

	(void)state;
	extensions.length = 0;
	for (uint32_t type = 1; type < 64 + SNIF_HELLO_EXTENSIONS; type++)
		add_good_extension(&extensions, type);
	bytes_add(&extensions, LITERAL(GOOD));
	make_extensions(extensions.data, extensions.length);
	assert_string_equal(expect_read(SNIF_HELLO_MORE, 1).found[0].name, "a.test");
	hello_extension(&extensions, 64 + SNIF_HELLO_EXTENSIONS, "", 0);
	make_extensions(extensions.data, extensions.length);
	expect_refusal("one more", SNIF_REASON_TOO_MANY_EXTENSIONS, 0);
}

/* As QUIC has it: what stands behind a hello is the next message, in whatever pieces both come. */
static void a_message_needs_no_records(void **state) {
	static const struct hello browser = {.name = "Browser.test", .browser = 1, .post_quantum = 1};
	static const struct hello second = {.name = "second.test"}, nameless = {.name = NULL};
	struct hello_reading reading;

	(void)state;
	bare = 1;
	stream.length = 0;
	hello_message(&stream, &browser);
	hello_message(&stream, &second);
	reading = expect_read(SNIF_HELLO_MORE, 2);
	assert_string_equal(reading.found[0].name, "browser.test");
	assert_string_equal(reading.found[1].name, "second.test");
	bytes_add(&stream, LITERAL("\x14\0\0\x0c"));
	expect_read(SNIF_HELLO_OVER, 2);
	stream.length = 0;
	hello_message(&stream, &nameless);
	expect_refusal("no name", SNIF_REASON_SNI_MISSING, 0);
	hello_make(&stream, &second);
	expect_refusal("a record", SNIF_REASON_NOT_CLIENT_HELLO, 0);
	stream.length = 0;
	bytes_add(&stream, LITERAL("\1\0\x3f\xfd"));
	expect_refusal("a long message", SNIF_REASON_HELLO_TOO_LONG, 0);
	bare = 0;
}

/* ---- PostgreSQL's question ------------------------------------------------------------------------------------------ */

/* Reads the streams one after another, in pieces of `size` bytes. */
static struct hello_reading read_behind(bool postgres, const char *question, size_t length, int times, size_t size) {
	struct hello_reader reader = {.hello.rules = snif_hello_rules_of(SNIF_HELLO_LONGEST)};
	static struct bytes begin;

	reader.hello.rules.postgres = postgres;
	begin.length = 0;
	for (int i = 0; i < times; i++)
		bytes_add(&begin, question, length);
	hello_make(&stream, &(struct hello){.name = "db.example"});
	bytes_add(&begin, stream.data, stream.length);
	for (size_t at = 0; at < begin.length; at += size)
		hello_reader_feed(&reader, begin.data + at, begin.length - at < size ? begin.length - at : size);
	return reader.reading;
}

static void test_postgres(void **state) {
	static const char question[] = "\0\0\0\x08\x04\xd2\x16\x2f";
	char other[8];
	struct hello_reading reading;

	(void)state;
	for (size_t size = 1; size < 40; size++) {
		reading = read_behind(true, question, 8, 1, size);
		assert_int_equal(reading.count, 1);
		assert_string_equal(reading.found[0].name, "db.example");
		assert_int_equal(read_behind(true, question, 0, 1, size).count, 1);
		/* where no rule says so, and a second time */
		assert_int_equal(read_behind(false, question, 8, 1, size).reason, SNIF_REASON_NOT_TLS);
		assert_int_equal(read_behind(true, question, 8, 2, size).reason, SNIF_REASON_NOT_TLS);
		for (size_t i = 0; i < 8; i++) {
			memcpy(other, question, 8);
			other[i] ^= 1;
			reading = read_behind(true, other, 8, 1, size);
			assert_int_equal(reading.status, SNIF_HELLO_REFUSED);
			assert_int_equal(reading.reason, SNIF_REASON_NOT_TLS);
		}
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_postgres),
		cmocka_unit_test(streams_that_are_not_tls),
		cmocka_unit_test(lengths_that_contradict_each_other),
		cmocka_unit_test(extensions_that_are_refused),
		cmocka_unit_test(names_of_any_length),
		cmocka_unit_test(a_name_is_read_in_lower_case_and_perhaps_without_its_dot),
		cmocka_unit_test(versions_and_ech_are_told),
		cmocka_unit_test(records_of_any_size),
		cmocka_unit_test(browsers_hellos),
		cmocka_unit_test(versions_of_tls_1_0_to_1_2_are_good),
		cmocka_unit_test(a_hello_may_be_as_long_as_the_rules_say),
		cmocka_unit_test(a_long_hello_is_cut_into_full_records_and_named_in_the_first),
		cmocka_unit_test(the_longest_hello_in_the_smallest_records),
		cmocka_unit_test(lists_must_fill_their_extension),
		cmocka_unit_test(record_headers_count_for_the_limit),
		cmocka_unit_test(extensions_up_to_the_limit),
		cmocka_unit_test(a_message_needs_no_records),
	};

	return cmocka_run_group_tests_name("hello", tests, NULL, NULL);
}
