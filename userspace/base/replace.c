/* SPDX-License-Identifier: BSD-2-Clause */
/* A stream ──► a temporary file ──► the file's name. */
#include "base/replace.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static int open_temporary(struct replacement *replacement) {
	mode_t mask = umask(0);
	int fd, error;

	umask(mask);
	fd = mkstemp(replacement->temporary);
	if (fd < 0)
		return -errno;
	replacement->stream = fchmod(fd, 0666 & ~mask) == 0 ? fdopen(fd, "w") : NULL;
	if (replacement->stream)
		return 0;
	error = -errno;
	close(fd);
	unlink(replacement->temporary);
	return error;
}

int replace_begin(struct replacement *replacement, const char *path) {
	struct stat status;
	int length = snprintf(replacement->temporary, sizeof(replacement->temporary), "%s.XXXXXX", path);

	replacement->path = path;
	if (length < 0 || (size_t)length >= sizeof(replacement->temporary))
		return -ENAMETOOLONG;
	if (lstat(path, &status) == 0 && !S_ISREG(status.st_mode))
		return -EEXIST;
	return open_temporary(replacement);
}

int replace_end(struct replacement *replacement, int error) {
	int lost = stream_close(replacement->stream);

	if (!error)
		error = lost;
	if (!error && rename(replacement->temporary, replacement->path) < 0)
		error = -errno;
	if (error)
		unlink(replacement->temporary);
	return error;
}
