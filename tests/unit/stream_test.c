/* SPDX-License-Identifier: BSD-2-Clause */
/* TCP segments in any order ──► the bytes that a Linux receiver would read. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/stream.h"

#define START 0xfffffff8U /* so that sequence numbers wrap */

struct segment {
	int at;		  /* relative to the stream's beginning */
	const char *text; /* NULL: the end of the list */
	int urgent;	  /* the urgent pointer, or -1 */
};

static char heard[4096];
static unsigned begun;

static void hear(void *context, const uint8_t *bytes, uint32_t length, uint32_t segments) {
	(void)context;
	assert_int_not_equal(length, 0);
	strncat(heard, (const char *)bytes, length);
	begun += segments;
}

static int add(struct stream *stream, int at, const void *bytes, size_t length, int urgent) {
	const struct stream_segment segment = {
		.sequence = START + (uint32_t)at,
		.bytes = bytes,
		.length = (uint32_t)length,
		.has_urgent = urgent >= 0,
		.urgent = (uint16_t)urgent,
	};

	return stream_add(stream, &segment, hear, NULL);
}

static void expect(const struct segment *segments, const char *text, unsigned segments_read) {
	struct stream stream = {.next = START};

	heard[0] = '\0';
	begun = 0;
	for (; segments->text; segments++)
		assert_int_equal(add(&stream, segments->at, segments->text, strlen(segments->text), segments->urgent),
				 0);
	assert_string_equal(heard, text);
	assert_int_equal(begun, segments_read);
	assert_true(stream.pieces ? stream.held > 0 : stream.held == 0);
	stream_clear(&stream);
	assert_int_equal(stream.held, 0);
}

#define EXPECT(text, segments, ...) expect((const struct segment[]){__VA_ARGS__, {0, NULL, -1}}, text, segments)

static void order_does_not_matter(void **state) {
	(void)state;
	EXPECT("abcdefghijkl", 3, {0, "abcd", -1}, {4, "efgh", -1}, {8, "ijkl", -1});
	EXPECT("abcdefghijkl", 3, {8, "ijkl", -1}, {4, "efgh", -1}, {0, "abcd", -1});
	EXPECT("abcdefghijkl", 3, {4, "efgh", -1}, {8, "ijkl", -1}, {0, "abcd", -1});
	EXPECT("abcd", 1, {0, "abcd", -1}, {8, "ijkl", -1});
	EXPECT("", 0, {1, "bcd", -1});
}

static void what_was_read_stays(void **state) {
	(void)state;
	EXPECT("abcdef", 2, {0, "abcd", -1}, {0, "XXXX", -1}, {2, "XXef", -1});
	/* a keep-alive repeats the byte before the next one, as any byte */
	EXPECT("abcdef", 2, {0, "abcd", -1}, {3, "X", -1}, {4, "ef", -1});
	EXPECT("abcd", 1, {-2, "XXabcd", -1});
	EXPECT("ab", 1, {0, "ab", -1}, {-8, "XXXX", -1});
}

static void overlaps_resolve_as_in_linux(void **state) {
	(void)state;
	/* what continues the stream goes before what waited */
	EXPECT("abcdefgh", 2, {2, "XXXXgh", -1}, {0, "abcdef", -1});
	/* of what waits, that which begins first counts */
	EXPECT("abcdefghij", 3, {2, "cdefgh", -1}, {5, "XXXij", -1}, {0, "ab", -1});
	EXPECT("abcdefghij", 3, {5, "XXXij", -1}, {2, "cdefgh", -1}, {0, "ab", -1});
	/* one inside another that came before tells nothing */
	EXPECT("abcdefgh", 2, {2, "cdefgh", -1}, {3, "XXX", -1}, {0, "ab", -1});
	EXPECT("abcdefgh", 2, {2, "cdefgh", -1}, {2, "XXXXXX", -1}, {0, "ab", -1});
	/* what joins on belongs to that which begins first */
	EXPECT("abcdefghijk", 3, {2, "cdef", -1}, {9, "XX", -1}, {6, "ghijk", -1}, {0, "ab", -1});
	EXPECT("abcdefghij", 3, {4, "XXXX", -1}, {8, "XX", -1}, {2, "cdefghij", -1}, {0, "a", -1}, {1, "b", -1});
	/* and one that covers others replaces them */
	EXPECT("abcdefgh", 2, {3, "XX", -1}, {6, "X", -1}, {2, "cdefgh", -1}, {0, "ab", -1});
	EXPECT("abcdefgh", 2, {2, "XXX", -1}, {2, "cdefgh", -1}, {0, "ab", -1});
}

static void the_urgent_byte_is_left_out(void **state) {
	(void)state;
	EXPECT("abdef", 1, {0, "abXdef", 3});
	EXPECT("bcd", 1, {0, "Xbcd", 1});
	/* the pointer 0 means the first byte, too */
	EXPECT("bcd", 1, {0, "Xbcd", 0});
	EXPECT("abc", 1, {0, "abcX", 4});
	/* it points ahead, to a later segment, also when that came before */
	EXPECT("abcdef", 2, {0, "abc", 5}, {3, "dXef", -1});
	EXPECT("abcdef", 2, {3, "dXef", -1}, {0, "abc", 5});
	/* alone in its segment, which is then none of those read */
	EXPECT("abcd", 2, {0, "ab", -1}, {2, "X", 1}, {3, "cd", -1});
	/* a second pointer before the first byte came takes its place; one behind what was read is late */
	EXPECT("abYd", 3, {1, "bY", 2}, {3, "Xd", 1}, {0, "a", -1});
	EXPECT("abcdef", 2, {0, "abcd", -1}, {0, "abcd", 2}, {4, "ef", -1});
	EXPECT("acde", 2, {0, "aX", 2}, {2, "cde", -1});
	/* that of a segment read long ago is not looked at */
	EXPECT("abcdef", 2, {0, "abcd", -1}, {0, "ab", 5}, {4, "ef", -1});
}

static void only_so_much_may_wait(void **state) {
	static uint8_t block[STREAM_HELD_MAX];
	struct stream stream = {.next = START};
	int at = 1, error = 0, added = 0;

	(void)state;
	heard[0] = '\0';
	assert_int_equal(add(&stream, 1, block, sizeof(block), -1), -ENOBUFS);
	assert_int_equal(stream.held, 0);
	for (; error == 0; at += 2, added++)
		error = add(&stream, at, "x", 1, -1);
	assert_int_equal(error, -ENOBUFS);
	assert_true(added > 1000 && stream.held <= STREAM_HELD_MAX);
	stream_clear(&stream);
	assert_int_equal(stream.held, 0);
	/* the same, joined to one piece */
	for (at = 1, error = 0; error == 0; at++)
		error = add(&stream, at, "x", 1, -1);
	assert_int_equal(error, -ENOBUFS);
	assert_true(at > STREAM_HELD_MAX / 4 && stream.held <= STREAM_HELD_MAX);
	assert_string_equal(heard, "");
	stream_clear(&stream);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_does_not_matter),	cmocka_unit_test(what_was_read_stays),
		cmocka_unit_test(overlaps_resolve_as_in_linux), cmocka_unit_test(the_urgent_byte_is_left_out),
		cmocka_unit_test(only_so_much_may_wait),
	};

	return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
