/* SPDX-License-Identifier: BSD-2-Clause */
/* Two texts ──► diff(1) ──► standard output. */
#include "base/text_diff.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOT_STARTED = 127 };

/* A file without a name that holds the text. */
static int text_file(const char *text, size_t length) {
	int fd = memfd_create("policy", 0); /* diff has to inherit it */
	size_t done = 0;

	while (fd >= 0 && done < length) {
		ssize_t written = write(fd, text + done, length - done);

		if (written < 0) {
			int error = errno;

			close(fd);
			return -error;
		}
		done += (size_t)written;
	}
	return fd < 0 ? -errno : fd;
}

static int run_diff(const char *name, int before, int after) {
	char old[32], new[32];
	char *const argv[] = {"diff", "-u", "--label", (char *)name, "--label", (char *)name, old, new, NULL};
	pid_t pid;
	int status;

	snprintf(old, sizeof(old), "/proc/self/fd/%d", before);
	snprintf(new, sizeof(new), "/proc/self/fd/%d", after);
	pid = fork();
	if (pid == 0) {
		execvp(argv[0], argv);
		_exit(NOT_STARTED);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (pid < 0)
		return -errno;
	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_STARTED)
		return -ENOENT;
	return WIFEXITED(status) && WEXITSTATUS(status) <= 1 ? 0 : -EIO;
}

int text_diff(const char *name, const char *before, size_t before_length, const char *after, size_t after_length) {
	int old = text_file(before, before_length), new, error;

	if (old < 0)
		return old;
	new = text_file(after, after_length);
	error = new < 0 ? new : run_diff(name, old, new);
	if (new >= 0)
		close(new);
	close(old);
	return error;
}
