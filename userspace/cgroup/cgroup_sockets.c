/* SPDX-License-Identifier: BSD-2-Clause */
/* A cgroup ──► each process in it and below ──► its threads, and each socket that it holds. */
#include "cgroup/cgroup_sockets.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/array.h"
#include "cgroup/cgroup_place.h"
#include "cgroup/cgroup_tree.h"

#ifndef PIDFD_THREAD /* Linux 6.9 */
#define PIDFD_THREAD O_EXCL
#endif

struct processes {
	void (*each)(void *context, pid_t pid);
	void *context;
	bool threads; /* it is these that are listed */
	pid_t *seen;  /* whose threads were */
	size_t count;
};

static pid_t process_of(pid_t thread) {
	char path[40], line[128];
	pid_t pid = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", thread);
	file = fopen(path, "re");
	while (file && !pid && fgets(line, sizeof(line), file))
		sscanf(line, "Tgid: %d", &pid);
	if (file)
		fclose(file);
	return pid;
}

/* Whether it was not seen yet. Without memory for that it is called for once more. */
static bool is_new(struct processes *processes, pid_t pid) {
	pid_t *item;

	for (size_t i = 0; i < processes->count; i++)
		if (processes->seen[i] == pid)
			return false;
	item = array_add(&processes->seen, &processes->count, sizeof(*item));
	if (item)
		*item = pid;
	return true;
}

static int visit(int parent_fd, const char *name, int fd, void *context) {
	struct processes *processes = context;
	FILE *list = cgroup_open(fd, processes->threads ? "cgroup.threads" : "cgroup.procs");
	pid_t pid;

	(void)parent_fd;
	(void)name;
	while (list && fscanf(list, "%d", &pid) == 1) {
		if (processes->threads)
			pid = process_of(pid);
		if (!processes->threads || (pid && is_new(processes, pid)))
			processes->each(processes->context, pid);
	}
	if (list)
		fclose(list);
	return 0;
}

/* One that threads can be in without the others of their process, and that lists no processes. Where only one below is such
 * a cgroup, those are listed above it. */
static bool is_threaded(int cgroup_fd) {
	FILE *file = cgroup_open(cgroup_fd, "cgroup.type");
	char type[32] = "";
	bool threaded = file && fgets(type, sizeof(type), file) && strcmp(type, "threaded\n") == 0;

	if (file)
		fclose(file);
	return threaded;
}

void cgroup_each_process(int cgroup_fd, void (*each)(void *context, pid_t pid), void *context) {
	struct processes processes = {.each = each, .context = context, .threads = is_threaded(cgroup_fd)};

	cgroup_tree_walk(cgroup_fd, ".", visit, &processes);
	free(processes.seen);
}

/* Whether /proc says that the descriptor is one of a socket, before it is taken: taking a copy of others can do things. */
static int is_socket(int folder_fd, const char *number) {
	char target[16] = "";

	return readlinkat(folder_fd, number, target, sizeof(target) - 1) > 0 && strncmp(target, "socket:", 7) == 0;
}

void process_each_thread(pid_t pid, void (*each)(void *context, pid_t thread), void *context) {
	struct dirent *entry;
	char path[40];
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	folder = opendir(path);
	while (folder && (entry = readdir(folder)))
		if (entry->d_name[0] != '.')
			each(context, atoi(entry->d_name));
	if (folder)
		closedir(folder);
}

/* Tables of descriptors: threads share one, as long as none has taken a copy of it for itself (CLONE_FILES). */
enum { TABLES = 8 };

struct holding {
	pid_t pid;
	void (*each)(void *context, pid_t pid, int socket);
	void *context;
	pid_t tables[TABLES]; /* a thread of each that was looked at, of the first ones */
	size_t count;
	int error;
};

/* Where that cannot be told it is looked at, perhaps once more. */
static bool is_looked_at(const struct holding *holding, pid_t thread) {
	for (size_t i = 0; i < holding->count; i++)
		if (syscall(SYS_kcmp, holding->tables[i], thread, KCMP_FILES, 0, 0) == 0)
			return true;
	return false;
}

static int open_thread(pid_t pid, pid_t thread) {
	int pidfd = (int)syscall(SYS_pidfd_open, thread, thread == pid ? 0 : PIDFD_THREAD);

	return pidfd >= 0 ? pidfd : errno == EINVAL ? -EOPNOTSUPP : -errno;
}

static void take_socket(struct holding *holding, int pidfd, int number) {
	int fd = pidfd < 0 ? pidfd : (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);

	if (fd >= 0) {
		holding->each(holding->context, holding->pid, fd);
		close(fd);
		return;
	}
	/* it is closed meanwhile, or the thread has ended */
	if (pidfd < 0 || (errno != EBADF && errno != ESRCH))
		holding->error = pidfd < 0 ? pidfd : -errno;
}

static void look_at_table(void *context, pid_t thread) {
	struct holding *holding = context;
	struct dirent *entry;
	char path[40];
	DIR *folder;
	int pidfd;

	if (is_looked_at(holding, thread))
		return;
	if (holding->count < TABLES)
		holding->tables[holding->count++] = thread;
	snprintf(path, sizeof(path), "/proc/%d/fd", thread);
	folder = opendir(path);
	if (!folder) {
		if (errno != ENOENT && errno != ESRCH)
			holding->error = -errno;
		return;
	}
	pidfd = open_thread(holding->pid, thread);
	while (pidfd != -ESRCH && (entry = readdir(folder)))
		if (entry->d_name[0] != '.' && is_socket(dirfd(folder), entry->d_name))
			take_socket(holding, pidfd, atoi(entry->d_name));
	if (pidfd >= 0)
		close(pidfd);
	closedir(folder);
}

int process_each_socket(pid_t pid, void (*each)(void *context, pid_t pid, int socket), void *context) {
	struct holding holding = {.pid = pid, .each = each, .context = context};

	process_each_thread(pid, look_at_table, &holding);
	return holding.error;
}

const char *process_socket_error(int error) {
	return error == -EOPNOTSUPP ? "a thread has descriptors of its own, which needs Linux 6.9" : strerror(-error);
}

struct sockets {
	void (*each)(void *context, pid_t pid, int socket);
	void *context;
	int error;
};

static void visit_process(void *context, pid_t pid) {
	struct sockets *sockets = context;
	int error = process_each_socket(pid, sockets->each, sockets->context);

	if (error)
		sockets->error = error;
}

int cgroup_each_socket(int cgroup_fd, void (*each)(void *context, pid_t pid, int socket), void *context) {
	struct sockets sockets = {each, context, 0};

	cgroup_each_process(cgroup_fd, visit_process, &sockets);
	return sockets.error;
}
