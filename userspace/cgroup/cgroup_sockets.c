/* SPDX-License-Identifier: BSD-2-Clause */
/* A cgroup ──► each process in it and below ──► each socket that it holds. */
#include "cgroup/cgroup_sockets.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cgroup/cgroup_place.h"
#include "cgroup/cgroup_tree.h"

struct processes {
	void (*each)(void *context, pid_t pid);
	void *context;
};

static int visit(int parent_fd, const char *name, int fd, void *context) {
	const struct processes *processes = context;
	FILE *procs = cgroup_open(fd, "cgroup.procs");
	pid_t pid;

	(void)parent_fd;
	(void)name;
	while (procs && fscanf(procs, "%d", &pid) == 1)
		processes->each(processes->context, pid);
	if (procs)
		fclose(procs);
	return 0;
}

void cgroup_each_process(int cgroup_fd, void (*each)(void *context, pid_t pid), void *context) {
	struct processes processes = {each, context};

	cgroup_tree_walk(cgroup_fd, ".", visit, &processes);
}

/* Whether /proc says that the descriptor is one of a socket, before it is taken: taking a copy of others can do things. */
static int is_socket(int folder_fd, const char *number) {
	char target[16] = "";

	return readlinkat(folder_fd, number, target, sizeof(target) - 1) > 0 && strncmp(target, "socket:", 7) == 0;
}

void process_each_socket(pid_t pid, void (*each)(void *context, pid_t pid, int socket), void *context) {
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), fd;
	struct dirent *entry;
	char path[40];
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	folder = pidfd < 0 ? NULL : opendir(path);
	while (folder && (entry = readdir(folder))) {
		if (entry->d_name[0] == '.' || !is_socket(dirfd(folder), entry->d_name))
			continue;
		fd = (int)syscall(SYS_pidfd_getfd, pidfd, atoi(entry->d_name), 0);
		if (fd < 0)
			continue;
		each(context, pid, fd);
		close(fd);
	}
	if (folder)
		closedir(folder);
	if (pidfd >= 0)
		close(pidfd);
}

struct sockets {
	void (*each)(void *context, pid_t pid, int socket);
	void *context;
};

static void visit_process(void *context, pid_t pid) {
	const struct sockets *sockets = context;

	process_each_socket(pid, sockets->each, sockets->context);
}

void cgroup_each_socket(int cgroup_fd, void (*each)(void *context, pid_t pid, int socket), void *context) {
	struct sockets sockets = {each, context};

	cgroup_each_process(cgroup_fd, visit_process, &sockets);
}
