/* SPDX-License-Identifier: BSD-2-Clause */
/* A file below /run that a run's command can read, and that is gone after the run. */
#include "run/notice_file.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "/run"
#define NAME FOLDER "/snifence-%d.notices"
#define NAMES FOLDER "/snifence-*.notices"

/* A file's own run has it locked. Who else locks it, as the command can, only keeps it. */
static void remove_left(void) {
	glob_t found;

	if (glob(NAMES, GLOB_NOSORT, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		int fd = open(found.gl_pathv[i], O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
			unlink(found.gl_pathv[i]);
		if (fd >= 0)
			close(fd);
	}
	globfree(&found);
}

/* It is locked before it has a name, or another run could take it for one that was left. */
int notice_file_make(struct notice_file *file) {
	char open_path[32];
	int error = 0;

	remove_left();
	file->fd = open(FOLDER, O_TMPFILE | O_WRONLY | O_APPEND | O_CLOEXEC, 0644);
	if (file->fd < 0)
		return -errno;
	snprintf(open_path, sizeof(open_path), "/proc/self/fd/%d", file->fd);
	snprintf(file->path, sizeof(file->path), NAME, getpid());
	if (fchmod(file->fd, 0644) || flock(file->fd, LOCK_EX | LOCK_NB) ||
	    linkat(AT_FDCWD, open_path, AT_FDCWD, file->path, AT_SYMLINK_FOLLOW))
		error = -errno;
	if (!error)
		return 0;
	close(file->fd);
	file->fd = -1;
	return error;
}

void notice_file_remove(struct notice_file *file) {
	if (file->fd < 0)
		return;
	unlink(file->path);
	close(file->fd);
	file->fd = -1;
}
