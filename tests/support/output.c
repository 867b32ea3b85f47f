/* SPDX-License-Identifier: BSD-2-Clause */
/* A subcommand ──► its standard output and standard error, as texts. */
#include "output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { MOST_WORDS = 32 };

struct stream {
	int fd, saved; /* what it is now; what it was before */
	FILE *file;
};

static struct stream redirect(int fd) {
	struct stream stream = {.fd = fd, .saved = dup(fd), .file = tmpfile()};

	assert_true(stream.saved >= 0);
	assert_non_null(stream.file);
	assert_true(dup2(fileno(stream.file), fd) >= 0);
	return stream;
}

static void restore(const struct stream *stream, char *text, size_t size) {
	dup2(stream->saved, stream->fd);
	close(stream->saved);
	rewind(stream->file);
	text[fread(text, 1, size - 1, stream->file)] = '\0';
	fclose(stream->file);
}

int output_of(int (*subcommand)(int argc, char **argv), const char *const words[], char *out, size_t out_size,
	      char *err, size_t err_size) {
	struct stream to_out, to_err;
	char *argv[MOST_WORDS] = {NULL};
	int argc = 0, code;

	for (; words[argc]; argc++) {
		assert_true(argc < MOST_WORDS - 1);
		argv[argc] = (char *)words[argc];
	}
	fflush(stdout);
	to_out = redirect(STDOUT_FILENO);
	to_err = redirect(STDERR_FILENO);
	code = subcommand(argc, argv);
	fflush(stdout);
	restore(&to_out, out, out_size);
	restore(&to_err, err, err_size);
	return code;
}

void output_wait(void) {
	struct stat before, now;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", getppid(), STDOUT_FILENO);
	fstat(STDOUT_FILENO, &before);
	for (int i = 0; i < 10000; i++) {
		if (stat(path, &now) == 0 && now.st_ino != before.st_ino && now.st_size > 0)
			return;
		usleep(1000);
	}
}
