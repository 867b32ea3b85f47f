/* SPDX-License-Identifier: BSD-2-Clause */
/* What --log, --output and the like say ──► an open file. */
#include "confine/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/caller.h"
#include "base/message.h"
#include "confine/log_place.h"

const struct log_file_kind log_file_of_events = {"log", "{\"timestamp\":"};

/* The number of the open file that the name stands for; -1: it is the name of a file. */
static int open_already(const char *file) {
	static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/"};

	if (strcmp(file, "-") == 0 || strcmp(file, "/dev/stderr") == 0)
		return STDERR_FILENO;
	if (strcmp(file, "/dev/stdout") == 0)
		return STDOUT_FILENO;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		size_t length = strlen(folders[i]), digits;

		if (strncmp(file, folders[i], length) != 0)
			continue;
		digits = strspn(file + length, "0123456789");
		if (digits > 0 && digits < 7 && !file[length + digits])
			return atoi(file + length);
	}
	return -1;
}

static void let_caller_read(int fd, const struct log_file_kind *kind, const char *file) {
	uid_t uid;
	gid_t gid;

	if (caller_ids(&uid, &gid) == 0 && (fchown(fd, (uid_t)-1, gid) || fchmod(fd, 0640)))
		message_error("only root can read the %s %s: %m", kind->words, file);
}

/* Whether a file that is not empty is of this kind, or all that was written of one. Returns 0 or a negative errno. */
static int is_of(const struct log_file_kind *kind, const struct log_place *place) {
	int fd = openat(place->folder, place->name, O_RDONLY | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	size_t length = strlen(kind->beginning);
	char text[32];
	ssize_t got;

	if (fd < 0)
		return -errno;
	got = read(fd, text, length);
	close(fd);
	return got > 0 && memcmp(text, kind->beginning, (size_t)got) == 0 ? 0 : -EMEDIUMTYPE;
}

static int open_there(const struct log_place *place, const struct log_file_kind *kind, int flags) {
	struct stat status;
	int error = 0, fd = openat(place->folder, place->name, flags);

	if (fd < 0)
		return fd;
	if (kind->beginning && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0)
		error = is_of(kind, place);
	if (!error)
		return fd;
	close(fd);
	errno = -error;
	return -1;
}

/* Does not wait for the reader of a FIFO, who may never come. */
static int open_in(const struct log_place *place, const struct log_file_kind *kind, const char *file) {
	int flags = O_WRONLY | O_APPEND | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC | O_NONBLOCK;
	int fd = openat(place->folder, place->name, flags | O_CREAT | O_EXCL, 0600);

	if (fd >= 0)
		let_caller_read(fd, kind, file);
	else if (errno == EEXIST)
		fd = open_there(place, kind, flags);
	return fd;
}

/* Root's own commands can do so wherever it is. */
static void warn_of(const struct log_place *place, int fd, const struct log_file_kind *kind, const char *file,
		    const struct identity *identity) {
	struct stat status;

	if (place->writable[0])
		message_error("the command's user can write to the folder %s, and put another file in the place of the "
			      "%s %s; a folder of root's is a better place",
			      place->writable, kind->words, file);
	else if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && log_place_writable(&status, identity))
		message_error("the command's user can write to the %s %s; name a new file for it", kind->words, file);
}

static int open_named(const struct log_file_kind *kind, const char *file, const struct identity *identity, bool warn) {
	struct log_place place;
	int error = log_place_find(&place, file, identity), fd;

	if (error) {
		errno = -error;
		return -1;
	}
	fd = open_in(&place, kind, file);
	error = errno;
	if (fd >= 0 && warn)
		warn_of(&place, fd, kind, file, identity);
	close(place.folder);
	errno = error;
	return fd;
}

static const char *why_not(int error, const struct log_file_kind *kind) {
	switch (error) {
	case ELOOP:
		return "it is a symbolic link; name the file itself";
	case EMEDIUMTYPE:
		return kind == &log_file_of_events ? "it holds something else than events; name another file"
						   : "it holds something else; name another file";
	case EBADF:
		return "there is no such open file";
	case EINVAL:
		return "it is not open for writing";
	case ENXIO:
		return "it is a pipe that nobody reads from, whose reader has to be started first, or a socket";
	default:
		return log_place_error(-error);
	}
}

int log_file_open(struct log_file *log, const struct log_file_kind *kind, const char *file,
		  const struct identity *identity, bool warn) {
	int already = open_already(file);

	*log = (struct log_file){.name = file, .named = already < 0};
	log->fd = already >= 0 ? fcntl(already, F_DUPFD_CLOEXEC, 3) : open_named(kind, file, identity, warn);
	if (log->fd >= 0 && (fcntl(log->fd, F_GETFL) & O_ACCMODE) == O_RDONLY) {
		close(log->fd);
		log->fd = -1;
		errno = EINVAL;
	}
	if (log->fd >= 0)
		return 0;
	message_error("cannot open the %s %s: %s", kind->words, file, why_not(errno, kind));
	return -1;
}

bool log_file_in_place(const struct log_file *log) {
	struct stat opened, there;

	if (!log->named)
		return true;
	return fstat(log->fd, &opened) == 0 && stat(log->name, &there) == 0 && opened.st_ino == there.st_ino &&
	       opened.st_dev == there.st_dev;
}
