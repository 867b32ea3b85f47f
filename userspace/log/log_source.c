/* SPDX-License-Identifier: BSD-2-Clause */
/* A file or pipe, plain or gzip ──► bytes. */
#include "log/log_source.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/file.h"

enum {
	RAW_SIZE = 1 << 16,
	GZIP_FIRST_BYTE = 0x1f, /* RFC 1952, section 2.3.1; never the first of JSON */
};

struct log_source {
	const char *path;
	int fd;
	bool follow, regular;
	bool ended;    /* a pipe, and closed by its writers */
	bool replaced; /* another file is under the path now: the rest of this one is read first */
	bool begun;    /* the first byte was seen */
	bool gzip;
	bool inside; /* a member of the gzip file, not between two */
	z_stream zip;
	uint64_t read;
	unsigned char raw[RAW_SIZE]; /* what zip.next_in points into */
};

static void begin(struct log_source *source) {
	if (source->gzip)
		inflateEnd(&source->zip);
	source->zip = (z_stream){0};
	source->begun = source->gzip = source->inside = source->replaced = false;
	source->read = 0;
}

/* What is followed is waited for anyhow. */
static int open_path(const char *path, bool follow) {
	if (strcmp(path, "-") == 0)
		return dup(STDIN_FILENO);
	return follow ? file_open_any(path) : file_open(path);
}

struct log_source *log_source_open(const char *path, bool follow) {
	struct log_source *source = calloc(1, sizeof(*source));
	struct stat status;
	int error;

	if (!source)
		return NULL;
	source->path = path;
	source->follow = follow;
	source->fd = open_path(path, follow);
	if (source->fd >= 0 && fstat(source->fd, &status) == 0) {
		source->regular = S_ISREG(status.st_mode);
		return source;
	}
	error = errno;
	log_source_close(source);
	errno = error;
	return NULL;
}

/* Goes over to the file that is under the path now. */
static ssize_t reopen(struct log_source *source) {
	int fd = file_open_any(source->path);

	if (fd < 0)
		return 0;
	close(source->fd);
	source->fd = fd;
	begin(source);
	return -ESTALE;
}

/* At the end of a followed file: was it cut, or replaced? Returns 0 when neither. */
static ssize_t look_again(struct log_source *source) {
	struct stat here, there;

	if (source->replaced)
		return reopen(source);
	if (fstat(source->fd, &here) < 0)
		return -errno;
	if ((uint64_t)here.st_size < source->read) {
		if (lseek(source->fd, 0, SEEK_SET) < 0)
			return -errno;
		begin(source);
		return -ESTALE;
	}
	if (strcmp(source->path, "-") != 0 && stat(source->path, &there) == 0)
		source->replaced = here.st_dev != there.st_dev || here.st_ino != there.st_ino;
	return 0;
}

static bool readable(const struct log_source *source, int milliseconds) {
	struct pollfd ready = {.fd = source->fd, .events = POLLIN};

	return poll(&ready, 1, milliseconds) > 0;
}

static ssize_t read_raw(struct log_source *source, void *bytes, size_t room) {
	ssize_t got;

	do {
		if (source->follow && !source->regular && !readable(source, 0))
			return 0;
		got = read(source->fd, bytes, room);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	source->read += (uint64_t)got;
	source->ended = got == 0 && !source->regular;
	if (got > 0 || !source->follow || !source->regular)
		return got;
	got = look_again(source);
	/* what was written to it before it was replaced, but after it was read */
	return got == 0 && source->replaced ? read_raw(source, bytes, room) : got;
}

static ssize_t refill(struct log_source *source) {
	ssize_t got = read_raw(source, source->raw, sizeof(source->raw));

	source->zip.next_in = source->raw;
	source->zip.avail_in = got > 0 ? (uInt)got : 0;
	return got;
}

/* Decompresses what there is; a file can have several members, one after the other. */
static ssize_t inflate_some(struct log_source *source, char *bytes, size_t room) {
	int result;

	source->zip.next_out = (Bytef *)bytes;
	source->zip.avail_out = (uInt)room;
	source->inside = true;
	result = inflate(&source->zip, Z_NO_FLUSH);
	if (result == Z_STREAM_END) {
		source->inside = false;
		inflateReset(&source->zip);
	} else if (result != Z_OK && result != Z_BUF_ERROR) {
		return result == Z_MEM_ERROR ? -ENOMEM : -EBADMSG;
	}
	return (ssize_t)(room - source->zip.avail_out);
}

static ssize_t read_gzip(struct log_source *source, char *bytes, size_t room) {
	ssize_t got = 0;

	while (got == 0) {
		if (source->zip.avail_in == 0) {
			got = refill(source);
			if (got <= 0)
				return got == 0 && source->inside && log_source_ended(source) ? -ENODATA : got;
		}
		got = inflate_some(source, bytes, room);
	}
	return got;
}

/* Looks at the first byte. */
static ssize_t start(struct log_source *source) {
	ssize_t got = refill(source);

	if (got <= 0)
		return got;
	source->begun = true;
	if (source->raw[0] != GZIP_FIRST_BYTE)
		return got;
	if (inflateInit2(&source->zip, MAX_WBITS + 16 /* gzip, not zlib */) != Z_OK)
		return -ENOMEM;
	source->gzip = true;
	return got;
}

ssize_t log_source_read(struct log_source *source, char *bytes, size_t room) {
	size_t length = room < RAW_SIZE ? room : RAW_SIZE;
	ssize_t got;

	if (!source->begun) {
		got = start(source);
		if (got <= 0)
			return got;
	}
	if (source->gzip)
		return read_gzip(source, bytes, room);
	if (source->zip.avail_in == 0)
		return read_raw(source, bytes, room);
	if (length > source->zip.avail_in)
		length = source->zip.avail_in;
	memcpy(bytes, source->zip.next_in, length);
	source->zip.next_in += length;
	source->zip.avail_in -= (uInt)length;
	return (ssize_t)length;
}

bool log_source_ended(const struct log_source *source) {
	return !source->follow || source->ended;
}

void log_source_wait(struct log_source *source, int milliseconds) {
	if (source->regular) /* looking works on every file system, unlike inotify */
		poll(NULL, 0, milliseconds < LOG_SOURCE_INTERVAL ? milliseconds : LOG_SOURCE_INTERVAL);
	else
		readable(source, milliseconds);
}

int log_source_fd(const struct log_source *source) {
	return source->regular ? -1 : source->fd;
}

uint64_t log_source_bytes(const struct log_source *source) {
	return source->read;
}

const char *log_source_error(int error) {
	if (error == EBADMSG)
		return "its gzip data is damaged";
	if (error == ENODATA)
		return "its gzip data ends too early";
	return file_error(error);
}

void log_source_close(struct log_source *source) {
	if (!source)
		return;
	if (source->gzip)
		inflateEnd(&source->zip);
	if (source->fd >= 0)
		close(source->fd);
	free(source);
}
