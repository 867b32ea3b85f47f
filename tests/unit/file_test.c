/* SPDX-License-Identifier: BSD-2-Clause */
/* Whole files in memory, and streams that end. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"

enum { MIB = 1 << 20 };

/* Reads `size` bytes from a stream of which one MiB is allowed. */
static char *read_stream(size_t size, size_t *length, const char **message) {
	char *bytes = malloc(size), *read;
	FILE *stream = tmpfile();

	assert_non_null(bytes);
	assert_non_null(stream);
	memset(bytes, 'x', size);
	assert_int_equal(fwrite(bytes, 1, size, stream), size);
	rewind(stream);
	read = file_read_stream(stream, MIB, length, message);
	fclose(stream);
	free(bytes);
	return read;
}

static void a_stream_is_read_up_to_its_limit(void **state) {
	static const size_t sizes[] = {1, 131071, 131072, MIB - 1, MIB};
	const char *message;
	size_t length;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char *bytes = read_stream(sizes[i], &length, &message);

		assert_non_null(bytes);
		assert_int_equal(length, sizes[i]);
		assert_int_equal(strlen(bytes), length);
		free(bytes);
	}
}

/* However much more there is: that is no lack of memory. */
static void a_longer_stream_is_too_large(void **state) {
	static const size_t sizes[] = {MIB + 1, 2 * MIB, 3 * MIB, 9 * MIB};
	const char *message;
	size_t length;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_null(read_stream(sizes[i], &length, &message));
		assert_string_equal(message, "it is too large (at most 1 MiB)");
	}
}

static void the_end_of_a_stream_tells_what_was_lost(void **state) {
	FILE *stream = fopen("/dev/full", "we");

	(void)state;
	assert_non_null(stream);
	fputc('x', stream);
	assert_int_equal(stream_close(stream), -ENOSPC);
	stream = fopen("/dev/full", "we");
	assert_non_null(stream);
	setvbuf(stream, NULL, _IONBF, 0);
	fputc('x', stream);
	errno = 0;
	assert_int_equal(stream_close(stream), -EIO);
	assert_int_equal(stream_close(fopen("/dev/null/x", "we")), -ENOTDIR);
	assert_int_equal(stream_close(fopen("/dev/null", "we")), 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_is_read_up_to_its_limit),
		cmocka_unit_test(a_longer_stream_is_too_large),
		cmocka_unit_test(the_end_of_a_stream_tells_what_was_lost),
	};

	return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
