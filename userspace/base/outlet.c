/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines ──► a buffer ──► a description of its own, which never waits. */
#include "base/outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

/* Bytes that wait at most, and room for one line more; milliseconds between two tries after an error; how many times
 * as long as one stall the end may last. */
enum { BUFFER = 1 << 20, RESERVE = 1 << 14, RETRY_MS = 50, FINISH_STALLS = 10 };

enum kind {
	OUTLET_FILE,   /* a regular file: takes all that there is room for */
	OUTLET_OWN,    /* a pipe or terminal, opened anew with O_NONBLOCK */
	OUTLET_SOCKET, /* with MSG_DONTWAIT */
	OUTLET_SHARED, /* anything else, which is asked by poll() whether it takes something */
};

struct outlet {
	int fd;
	enum kind kind;
	char *buffer;
	size_t begin, length; /* of what waits in it */
	bool gap;	      /* lines are dropped */
	bool half;	      /* the file ends in a half line that is nobody's any more */
	uint64_t lost;
	int error;
	long retry_at; /* clock_ms(); 0: at once */
};

/* ---- opening ------------------------------------------------------------------------------------------------ */

/* A terminal's other end, a pty's master, is not among them: opened anew it is another one. */
static bool can_open_anew(int fd, const struct stat *status) {
	unsigned pty;

	return S_ISREG(status->st_mode) || S_ISFIFO(status->st_mode) || (isatty(fd) && ioctl(fd, TIOCGPTN, &pty));
}

static int open_anew(int fd) {
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/* Whether the last byte that is there ends no line. */
static bool ends_in_half(int fd) {
	char path[32], last;
	off_t end = lseek(fd, 0, SEEK_END);
	int reader;
	bool half;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	reader = open(path, O_RDONLY | O_CLOEXEC);
	half = end > 0 && pread(reader, &last, 1, end - 1) == 1 && last != '\n';
	if (reader >= 0)
		close(reader);
	return half;
}

static int open_for(struct outlet *outlet, int fd) {
	struct stat status;
	int own = -1;

	if (fstat(fd, &status))
		return -1;
	if (can_open_anew(fd, &status))
		own = open_anew(fd);
	outlet->kind = S_ISSOCK(status.st_mode)	 ? OUTLET_SOCKET
		       : own < 0		 ? OUTLET_SHARED
		       : S_ISREG(status.st_mode) ? OUTLET_FILE
						 : OUTLET_OWN;
	outlet->fd = own >= 0 ? own : fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (outlet->kind == OUTLET_FILE) {
		/* what others write by the description that is shared goes behind our lines, not over them */
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_APPEND);
		outlet->half = ends_in_half(outlet->fd);
	}
	return outlet->fd;
}

struct outlet *outlet_open(int fd) {
	struct outlet *outlet = calloc(1, sizeof(*outlet));

	if (!outlet)
		return NULL;
	if (open_for(outlet, fd) >= 0)
		return outlet;
	free(outlet);
	return NULL;
}

/* ---- writing ------------------------------------------------------------------------------------------------ */

static uint64_t count_lines(const char *lines, size_t length) {
	uint64_t count = 0;
	const char *end = lines + length;

	while (lines < end && (lines = memchr(lines, '\n', (size_t)(end - lines)))) {
		count++;
		lines++;
	}
	return count;
}

/* The length of the whole lines at the beginning; 0: there is none. */
static size_t whole(const char *lines, size_t length) {
	const char *last = memrchr(lines, '\n', length);

	return last ? (size_t)(last - lines) + 1 : 0;
}

/* Takes the half line that a write has left behind off the file again, unless somebody has appended to it. Returns how
 * much of it counts as written. */
static size_t cut_back(struct outlet *outlet, const char *lines, size_t wrote) {
	size_t kept = whole(lines, wrote);
	off_t end = lseek(outlet->fd, 0, SEEK_CUR);
	struct stat status;

	if (kept == wrote)
		return wrote;
	if (fstat(outlet->fd, &status) || status.st_size != end || ftruncate(outlet->fd, end - (off_t)(wrote - kept)))
		outlet->half = true;
	return kept;
}

static ssize_t write_file(struct outlet *outlet, const char *lines, size_t length) {
	size_t wrote = 0;
	ssize_t more = 1;
	int error;

	if (outlet->half && write(outlet->fd, "\n", 1) != 1)
		return -1;
	outlet->half = false;
	while (wrote < length && (more = write(outlet->fd, lines + wrote, length - wrote)) > 0)
		wrote += (size_t)more;
	error = more < 0 ? errno : EIO;
	if (wrote < length)
		wrote = cut_back(outlet, lines, wrote);
	errno = error;
	return wrote > 0 ? (ssize_t)wrote : -1;
}

/* Pieces of whole lines that a pipe takes at once or not at all, so that others can write to it in between. */
static ssize_t write_piece(const struct outlet *outlet, const char *lines, size_t length) {
	struct pollfd ready = {.fd = outlet->fd, .events = POLLOUT};

	if (length > PIPE_BUF)
		length = whole(lines, PIPE_BUF) ? whole(lines, PIPE_BUF) : PIPE_BUF;
	if (outlet->kind == OUTLET_SOCKET)
		return send(outlet->fd, lines, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	errno = EAGAIN;
	if (outlet->kind == OUTLET_SHARED && poll(&ready, 1, 0) != 1)
		return -1;
	return write(outlet->fd, lines, length);
}

/* Writes what goes without waiting. Returns how many bytes of it are written. */
static size_t write_some(struct outlet *outlet, const char *lines, size_t length) {
	size_t done = 0;

	if (outlet->retry_at && clock_ms() < outlet->retry_at)
		return 0;
	outlet->retry_at = 0;
	while (done < length) {
		ssize_t wrote = outlet->kind == OUTLET_FILE ? write_file(outlet, lines + done, length - done)
							    : write_piece(outlet, lines + done, length - done);

		if (wrote > 0) {
			done += (size_t)wrote;
			continue;
		}
		outlet->error = wrote == 0 ? -EIO : -errno;
		if (outlet->error != -EAGAIN)
			outlet->retry_at = clock_ms() + RETRY_MS;
		break;
	}
	return done;
}

static void drop(struct outlet *outlet, const char *lines, size_t length) {
	outlet->lost += count_lines(lines, length);
	outlet->gap = true;
}

static void keep(struct outlet *outlet, const char *lines, size_t length, size_t limit) {
	size_t room;

	if (!outlet->buffer && !(outlet->buffer = malloc(BUFFER + RESERVE)))
		limit = 0;
	if (outlet->begin > 0)
		memmove(outlet->buffer, outlet->buffer + outlet->begin, outlet->length);
	outlet->begin = 0;
	room = limit > outlet->length ? limit - outlet->length : 0;
	if (length > room) {
		room = whole(lines, room);
		drop(outlet, lines + room, length - room);
		length = room;
	}
	if (length > 0)
		memcpy(outlet->buffer + outlet->length, lines, length);
	outlet->length += length;
}

static void put(struct outlet *outlet, const char *lines, size_t length, size_t limit) {
	size_t done = 0;

	outlet_push(outlet);
	if (outlet->length == 0)
		done = write_some(outlet, lines, length);
	if (done < length)
		keep(outlet, lines + done, length - done, limit);
}

void outlet_put(struct outlet *outlet, const char *lines, size_t length) {
	if (outlet->gap)
		drop(outlet, lines, length);
	else
		put(outlet, lines, length, BUFFER);
}

void outlet_put_last(struct outlet *outlet, const char *line, size_t length) {
	outlet->gap = false;
	put(outlet, line, length, BUFFER + RESERVE);
}

void outlet_push(struct outlet *outlet) {
	size_t done;

	if (outlet->length == 0)
		return;
	done = write_some(outlet, outlet->buffer + outlet->begin, outlet->length);
	outlet->begin += done;
	outlet->length -= done;
}

/* ---- waiting ------------------------------------------------------------------------------------------------ */

int outlet_wait(const struct outlet *outlet, struct pollfd *fd) {
	bool retry = outlet->retry_at != 0;

	*fd = (struct pollfd){.fd = outlet->length > 0 && !retry ? outlet->fd : -1, .events = POLLOUT};
	return outlet->length > 0 && retry ? RETRY_MS : -1;
}

bool outlet_gap_ends(struct outlet *outlet) {
	if (!outlet->gap || outlet->length > BUFFER / 2)
		return false;
	outlet->gap = false;
	return true;
}

bool outlet_finish(struct outlet *outlet, int stall) {
	long now = clock_ms(), end = now + (long)stall * FINISH_STALLS, stalled = now + stall;

	for (outlet_push(outlet); outlet->length > 0 && now < end && now < stalled; now = clock_ms()) {
		size_t before = outlet->length;
		struct pollfd ready;
		int patience = outlet_wait(outlet, &ready), left = (int)(stalled - now);

		poll(&ready, 1, patience >= 0 && patience < left ? patience : left);
		outlet_push(outlet);
		if (outlet->length < before)
			stalled = clock_ms() + stall;
	}
	if (outlet->length == 0)
		return true;
	drop(outlet, outlet->buffer + outlet->begin, outlet->length);
	outlet->length = 0;
	return false;
}

uint64_t outlet_lost(const struct outlet *outlet) {
	return outlet->lost;
}

int outlet_error(const struct outlet *outlet) {
	return outlet->error;
}

static ssize_t write_cookie(void *cookie, const char *lines, size_t length) {
	outlet_put(cookie, lines, length);
	return (ssize_t)length;
}

FILE *outlet_stream(struct outlet *outlet) {
	FILE *stream = fopencookie(outlet, "w", (cookie_io_functions_t){.write = write_cookie});

	if (stream)
		setvbuf(stream, NULL, _IOLBF, BUFSIZ);
	return stream;
}

void outlet_free(struct outlet *outlet) {
	if (!outlet)
		return;
	close(outlet->fd);
	free(outlet->buffer);
	free(outlet);
}
