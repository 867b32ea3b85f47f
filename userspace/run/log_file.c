/* SPDX-License-Identifier: BSD-2-Clause */
/* What --log says ──► an open file. */
#include "run/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/message.h"
#include "run/identity.h"

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

static void let_caller_read(int fd, const char *file) {
	uid_t uid;
	gid_t gid;

	if (identity_caller(&uid, &gid) == 0 && (fchown(fd, (uid_t)-1, gid) || fchmod(fd, 0640)))
		message_error("only root can read the log %s: %m", file);
}

/* Does not wait for the reader of a FIFO, who may never come. */
static int open_named(const char *file) {
	int flags = O_WRONLY | O_APPEND | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC | O_NONBLOCK;
	int fd = open(file, flags | O_CREAT | O_EXCL, 0600);

	if (fd >= 0)
		let_caller_read(fd, file);
	else if (errno == EEXIST)
		fd = open(file, flags);
	if (fd >= 0)
		fcntl(fd, F_SETFL, O_APPEND);
	return fd;
}

static const char *why_not(int error) {
	switch (error) {
	case ELOOP:
		return "it is a symbolic link; name the file itself";
	case EBADF:
		return "there is no such open file";
	case EINVAL:
		return "it is not open for writing";
	case ENXIO:
		return "it is a pipe that nobody reads from, whose reader has to be started first, or a socket";
	default:
		return strerror(error);
	}
}

FILE *log_file_open(const char *file) {
	int already = open_already(file);
	int fd = already >= 0 ? fcntl(already, F_DUPFD_CLOEXEC, 3) : open_named(file);
	FILE *log = fd < 0 ? NULL : fdopen(fd, "a");

	if (!log) {
		message_error("cannot open the log %s: %s", file, why_not(errno));
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	setvbuf(log, NULL, _IONBF, 0);
	return log;
}
