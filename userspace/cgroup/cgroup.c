/* SPDX-License-Identifier: BSD-2-Clause */
/* A command ──► a fresh cgroup of its own; its end ──► no cgroup, no process left. */
#include "cgroup/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/message.h"
#include "cgroup/cgroup_place.h"
#include "cgroup/cgroup_tree.h"

#define PREFIX "snifence-"

/*
 * Others than root cannot open it, and so not take the lock that says that it is in use. The files in it can be read
 * all the same, as by a command that asks for its limits.
 */
enum { MODE = 0711 };

static int open_directory(int parent_fd, const char *name) {
	return openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

struct signalled {
	int signal, count;
};

static int signal_one(int parent_fd, const char *name, int fd, void *context) {
	struct signalled *signalled = context;
	FILE *procs = cgroup_open(fd, "cgroup.procs");
	int pid;

	(void)parent_fd;
	(void)name;
	/* 0 stands for a process of another pid namespace: as a target it would be snifence's own process group. */
	while (procs && fscanf(procs, "%d", &pid) == 1) {
		signalled->count++;
		if (pid > 0 && signalled->signal)
			kill(pid, signalled->signal);
	}
	if (procs)
		fclose(procs);
	return 0;
}

int cgroup_signal(const struct cgroup *cgroup, int signal) {
	struct signalled signalled = {signal, 0};
	cgroup_tree_walk(cgroup->parent_fd, cgroup->name, signal_one, &signalled);
	return signalled.count;
}

static int remove_one(int parent_fd, const char *name, int fd, void *context) {
	(void)fd;
	(void)context;
	return unlinkat(parent_fd, name, AT_REMOVEDIR) ? -errno : 0;
}

static int write_number(int fd, const char *file, int number) {
	char text[16];
	int length = snprintf(text, sizeof(text), "%d", number);
	int file_fd = openat(fd, file, O_WRONLY | O_CLOEXEC);
	if (file_fd < 0)
		return -errno;
	int err = write(file_fd, text, (size_t)length) < 0 ? -errno : 0;
	close(file_fd);
	return err;
}

/* Without cgroup.kill: what is frozen starts no other process, and SIGKILL ends it all the same. */
int cgroup_kill(const struct cgroup *cgroup) {
	int err = write_number(cgroup->fd, "cgroup.kill", 1);
	if (err) {
		err = write_number(cgroup->fd, "cgroup.freeze", 1);
		cgroup_signal(cgroup, SIGKILL);
	}
	return err;
}

int cgroup_adopt(const struct cgroup *cgroup, int pid) {
	return write_number(cgroup->fd, "cgroup.procs", pid);
}

static int watch(int fd) {
	int watch_fd = openat(fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	return watch_fd < 0 ? -errno : watch_fd;
}

int cgroup_watch(const struct cgroup *cgroup) {
	return watch(cgroup->fd);
}

int cgroup_populated(int watch_fd) {
	char text[256];
	ssize_t length = pread(watch_fd, text, sizeof(text) - 1, 0);
	if (length < 0)
		return -errno;
	text[length] = 0;
	const char *field = strstr(text, "populated ");
	return field ? field[strlen("populated ")] == '1' : -EINVAL;
}

/* Takes the lock that says "in use". 0: it is taken and the cgroup is a living one. -EEXIST: it is another's, or gone. */
static int claim(int fd) {
	if (flock(fd, LOCK_EX | LOCK_NB))
		return errno == EWOULDBLOCK ? -EEXIST : -errno;
	int watch_fd = watch(fd);
	if (watch_fd < 0)
		return watch_fd == -ENOENT || watch_fd == -ENODEV ? -EEXIST : watch_fd;
	close(watch_fd);
	return 0;
}

static void sweep_one(int parent_fd, const char *name) {
	int fd = open_directory(parent_fd, name);
	if (fd < 0)
		return;
	int watch_fd = claim(fd) ? -1 : watch(fd);
	if (watch_fd >= 0 && cgroup_populated(watch_fd) == 0)
		cgroup_tree_walk(parent_fd, name, remove_one, NULL);
	if (watch_fd >= 0)
		close(watch_fd);
	close(fd);
}

/* Whether make_any() gives such names. Another one is somebody's: empty, it may be attached, and wait for its processes. */
static bool is_made_here(const char *name) {
	static const size_t prefix = sizeof(PREFIX) - 1;

	return strncmp(name, PREFIX, prefix) == 0 && name[prefix] &&
	       !name[prefix + strspn(name + prefix, "0123456789-")];
}

/* A snifence that was killed leaves its command confined and the cgroup with it: once the command has ended too, the
 * next one cleans up. The lock tells whose snifence lives, also from another pid namespace. */
static void sweep(int parent_fd) {
	int listed = openat(parent_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = listed < 0 ? NULL : fdopendir(listed);
	struct dirent *entry;
	while (directory && (entry = readdir(directory)))
		if (is_made_here(entry->d_name))
			sweep_one(parent_fd, entry->d_name);
	if (directory)
		closedir(directory);
	else if (listed >= 0)
		close(listed);
}

/* Makes the directory `name`. -EEXIST: another snifence has or had that name, take the next. */
static int make(int parent_fd, const char *name) {
	if (mkdirat(parent_fd, name, MODE))
		return -errno;
	int fd = open_directory(parent_fd, name);
	/* Another snifence's sweep can come between: then there is no directory, or its lock is the other's. */
	int err = fd >= 0 ? claim(fd) : errno == ENOENT ? -EEXIST : -errno;
	if (!err)
		return fd;
	if (fd >= 0)
		close(fd);
	unlinkat(parent_fd, name, AT_REMOVEDIR);
	return err;
}

/* Finds a free name: the pid alone, unless a killed snifence of the same pid has left processes behind. */
static int make_any(struct cgroup *cgroup, const char *parent_path) {
	int fd = -EEXIST;
	for (int attempt = 0; attempt < 100 && fd == -EEXIST; attempt++) {
		char suffix[16] = "";
		if (attempt)
			snprintf(suffix, sizeof(suffix), "-%d", attempt);
		free(cgroup->path);
		if (asprintf(&cgroup->path, "%s/" PREFIX "%d%s", parent_path[1] ? parent_path : "", (int)getpid(),
			     suffix) < 0) {
			cgroup->path = NULL;
			return -ENOMEM;
		}
		cgroup->name = strrchr(cgroup->path, '/') + 1;
		fd = make(cgroup->parent_fd, cgroup->name);
	}
	return fd;
}

bool cgroup_is_ours(const char *path) {
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	return is_made_here(name);
}

static void forget(struct cgroup *cgroup) {
	if (cgroup->fd >= 0)
		close(cgroup->fd);
	close(cgroup->parent_fd);
	free(cgroup->path);
	*cgroup = (struct cgroup){.fd = -1, .parent_fd = -1};
}

/* The inode number of a cgroup's directory is its id, where an inode number has 64 bits. */
_Static_assert(sizeof(((struct stat *)0)->st_ino) == 8, "cgroup ids are 64-bit inode numbers");

static int create_in(struct cgroup *cgroup, const char *parent_path) {
	sweep(cgroup->parent_fd);
	cgroup->fd = make_any(cgroup, parent_path);
	struct stat status;
	if (cgroup->fd >= 0 && fstat(cgroup->fd, &status) == 0) {
		cgroup->id = status.st_ino;
		return 0;
	}
	int err = cgroup->fd < 0 ? cgroup->fd : -errno;
	message_error("cannot make a cgroup in %s: %s", parent_path,
		      err == -EAGAIN ? "cgroup.max.descendants or cgroup.max.depth, there or above, allows no more"
				     : strerror(-err));
	if (cgroup->fd >= 0)
		unlinkat(cgroup->parent_fd, cgroup->name, AT_REMOVEDIR);
	forget(cgroup);
	return err;
}

int cgroup_create(struct cgroup *cgroup) {
	struct cgroup_place place;
	*cgroup = (struct cgroup){.fd = -1, .parent_fd = -1};
	int err = cgroup_place_own(&place);
	if (err)
		return err;
	err = cgroup_place_rise(&place);
	cgroup->parent_fd = place.fd;
	if (err) {
		if (err == -EPERM)
			message_error(
				"others than root can write to every cgroup above this process: run from a root shell");
		else
			message_error("cannot tell who can write to the cgroup %s: %s", place.path, strerror(-err));
		forget(cgroup);
	} else {
		err = create_in(cgroup, place.path);
	}
	free(place.path);
	return err;
}

int cgroup_remove(struct cgroup *cgroup) {
	if (cgroup->fd < 0)
		return 0;
	int err = cgroup_tree_walk(cgroup->parent_fd, cgroup->name, remove_one, NULL);
	if (err)
		message_error("cannot remove the command's cgroup %s: %s", cgroup->path, strerror(-err));
	forget(cgroup);
	return err;
}
