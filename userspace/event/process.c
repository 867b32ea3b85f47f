/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc/PID/task ──► whether a process is about to end. */
#include "event/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What `field` of the thread's status says; "" when there is none. */
static void read_field(const char *status, const char *field, char out[32]) {
	const char *found = strstr(status, field);

	out[0] = '\0';
	if (found)
		sscanf(found + strlen(field), " %31s", out);
}

static bool thread_is_dying(int tasks, const char *thread) {
	char path[300], status[4096], state[32], pending[32];
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "%s/status", thread);
	fd = openat(tasks, path, O_RDONLY | O_CLOEXEC);
	length = fd < 0 ? -1 : read(fd, status, sizeof(status) - 1);
	if (fd >= 0)
		close(fd);
	if (length < 0)
		return true; /* it has ended meanwhile */
	status[length] = '\0';
	read_field(status, "\nState:", state);
	read_field(status, "\nSigPnd:", pending);
	return *state == 'Z' || *state == 'X' || strtoull(pending, NULL, 16) & 1ULL << (SIGKILL - 1);
}

bool process_is_dying(pid_t pid) {
	char path[32];
	struct dirent *entry;
	bool dying = true;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	while (tasks && dying && (entry = readdir(tasks)))
		if (entry->d_name[0] != '.')
			dying = thread_is_dying(dirfd(tasks), entry->d_name);
	if (tasks)
		closedir(tasks);
	return dying;
}
