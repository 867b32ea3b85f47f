/* SPDX-License-Identifier: BSD-2-Clause */
/* A path ──► the file's bytes. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Reads to the end or to `room` bytes. Returns how many, or -1 with errno set. */
static ssize_t read_all(int fd, char *bytes, size_t room) {
	size_t done = 0;

	while (done < room) {
		ssize_t got = read(fd, bytes + done, room - done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

/* NULL: it is a file whose bytes are in it. */
static const char *other_than_file(mode_t mode) {
	switch (mode & S_IFMT) {
	case S_IFREG:
		return NULL;
	case S_IFDIR:
		return "it is a directory: name a file in it";
	case S_IFIFO:
		return "it is a pipe: write what comes from it to a file first";
	default:
		return "it is a device: name a file";
	}
}

static const char *too_large(size_t limit) {
	static char message[64];

	snprintf(message, sizeof(message), "it is too large (at most %zu MiB)", limit >> 20);
	return message;
}

static char *read_open(int fd, size_t limit, size_t *length, const char **message) {
	struct stat status;
	char *bytes = NULL;
	ssize_t got;

	if (fstat(fd, &status) < 0) {
		*message = strerror(errno);
		return NULL;
	}
	*message = other_than_file(status.st_mode);
	if (*message)
		return NULL;
	*message = too_large(limit);
	if ((unsigned long long)status.st_size > limit)
		return NULL;
	bytes = malloc((size_t)status.st_size + 2);
	got = bytes ? read_all(fd, bytes, (size_t)status.st_size + 1) : -1;
	if (got < 0) {
		*message = strerror(errno);
		goto fail;
	}
	*message = "it grew while it was read: try again";
	if (got > status.st_size)
		goto fail;
	bytes[got] = '\0';
	*length = (size_t)got;
	return bytes;
fail:
	free(bytes);
	return NULL;
}

/* Whether it was opened by its name in a folder: then everybody can open it, and nobody has to. */
static bool is_named_pipe(int fd) {
	struct stat status;
	struct statfs fs;

	return fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode) && fstatfs(fd, &fs) == 0 &&
	       fs.f_type != PIPEFS_MAGIC;
}

char *file_read_stream(FILE *stream, size_t limit, size_t *length, const char **message) {
	size_t room = 65536, got = 0;
	char *bytes = NULL, *larger;

	*message = strerror(ENOMEM);
	do {
		room *= 2;
		larger = realloc(bytes, room);
		if (!larger)
			goto fail;
		bytes = larger;
		got += fread(bytes + got, 1, room - got - 1, stream);
	} while (got == room - 1 && got <= limit);
	*message = strerror(errno);
	if (ferror(stream))
		goto fail;
	*message = too_large(limit);
	if (got > limit)
		goto fail;
	bytes[got] = '\0';
	*length = got;
	return bytes;
fail:
	free(bytes);
	return NULL;
}

/* A pipe without a name, like a shell's <(command): its other end is there. */
static char *read_pipe(int fd, size_t limit, size_t *length, const char **message) {
	FILE *stream = fdopen(fd, "r");
	char *bytes;

	if (!stream) {
		*message = strerror(errno);
		close(fd);
		return NULL;
	}
	fcntl(fd, F_SETFL, 0);
	bytes = file_read_stream(stream, limit, length, message);
	fclose(stream);
	return bytes;
}

char *file_read(const char *path, size_t limit, size_t *length, const char **message) {
	/* O_NONBLOCK: a FIFO or a device is refused, not waited for. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat status;
	char *bytes;

	if (fd < 0) {
		*message = strerror(errno);
		return NULL;
	}
	if (fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode) && !is_named_pipe(fd))
		return read_pipe(fd, limit, length, message);
	bytes = read_open(fd, limit, length, message);
	close(fd);
	return bytes;
}

int file_open_any(const char *path) {
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd >= 0)
		fcntl(fd, F_SETFL, 0);
	return fd;
}

int file_open(const char *path) {
	int fd = file_open_any(path);

	if (fd < 0 || !is_named_pipe(fd))
		return fd;
	close(fd);
	errno = ESPIPE;
	return -1;
}

const char *file_error(int error) {
	return error == ESPIPE ? "it is a pipe: give it as standard input, by -" : strerror(error);
}

struct dirent *next_entry(DIR *folder, int *error) {
	struct dirent *entry;

	errno = 0;
	entry = readdir(folder);
	if (!entry && errno)
		*error = -errno;
	return entry;
}

int stream_flush(FILE *stream) {
	if (fflush(stream) != 0)
		return -errno;
	return ferror(stream) ? -EIO : 0; /* why an earlier write failed is no longer known */
}

int stream_close(FILE *stream) {
	int error = stream ? stream_flush(stream) : errno ? -errno : -EIO;

	if (stream && fclose(stream) != 0 && !error)
		error = -errno;
	return error;
}
