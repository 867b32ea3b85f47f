/* SPDX-License-Identifier: BSD-2-Clause */
/* The cgroup2 hierarchy, wherever it is mounted ──► the directory of this process's own cgroup. */
#include "cgroup/cgroup_place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <mntent.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/message.h"

char *cgroup_place_path(pid_t pid) {
	char name[32] = "/proc/self/cgroup";
	if (pid)
		snprintf(name, sizeof(name), "/proc/%d/cgroup", pid);
	FILE *file = fopen(name, "re");
	if (!file)
		return NULL;
	char *line = NULL, *path = NULL;
	size_t size = 0;
	bool found = false;
	errno = 0; /* of getline() at the end of the file */
	while (!found && getline(&line, &size, file) > 0) {
		line[strcspn(line, "\n")] = 0;
		found = strncmp(line, "0::/", 4) == 0;
	}
	if (found)
		path = strdup(line + 3);
	int err = path ? 0 : errno ? errno : ENODATA;
	free(line);
	fclose(file);
	errno = err;
	return path;
}

FILE *cgroup_open(int fd, const char *file) {
	int file_fd = openat(fd, file, O_RDONLY | O_CLOEXEC);
	if (file_fd < 0)
		return NULL;
	FILE *stream = fdopen(file_fd, "r");
	if (!stream)
		close(file_fd);
	return stream;
}

/*
 * Enters the cgroup namespace of process 1, where that is not the own one and can be entered: what is read and mounted
 * there begins at the root of the machine's hierarchy, or of the container's. Returns the way back, for
 * leave_first_namespace(); -1: there is none.
 */
static int enter_first_namespace(void) {
	int own = open("/proc/self/ns/cgroup", O_RDONLY | O_CLOEXEC);
	int first = open("/proc/1/ns/cgroup", O_RDONLY | O_CLOEXEC);

	if (own >= 0 && (first < 0 || setns(first, CLONE_NEWCGROUP))) {
		close(own);
		own = -1;
	}
	if (first >= 0)
		close(first);
	return own;
}

static void leave_first_namespace(int own) {
	if (own < 0)
		return;
	setns(own, CLONE_NEWCGROUP);
	close(own);
}

char *cgroup_place_whole_path(pid_t pid) {
	int own = enter_first_namespace(), error;
	char *path = cgroup_place_path(pid);

	error = errno;
	leave_first_namespace(own);
	errno = error;
	return path;
}

int cgroup_place_check(int fd, pid_t wanted) {
	struct statfs fs;
	if (fstatfs(fd, &fs))
		return -errno;
	if (fs.f_type != CGROUP2_SUPER_MAGIC)
		return -ESRCH;
	FILE *procs = cgroup_open(fd, "cgroup.procs");
	if (!procs)
		return -errno;
	int pid, err = -ESRCH;
	while (err && fscanf(procs, "%d", &pid) == 1)
		if (pid == wanted)
			err = 0;
	if (err && ferror(procs))
		err = -EIO;
	fclose(procs);
	return err;
}

/* Opens `path` below the root directory `root`. -ESRCH: that is not this process's cgroup. */
static int open_own(int root, const char *path) {
	int fd = openat(root, path[1] ? path + 1 : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	int err = cgroup_place_check(fd, getpid());
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* Looks through the mounts that this process sees; -1 when none leads to its cgroup, or only read-only. */
static int open_mounted(const char *path) {
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	if (!mounts)
		return -1;
	struct mntent *entry;
	int fd = -1;
	while (fd < 0 && (entry = getmntent(mounts))) {
		if (strcmp(entry->mnt_type, "cgroup2") || hasmntopt(entry, "ro"))
			continue;
		int root = open(entry->mnt_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (root < 0)
			continue;
		fd = open_own(root, path);
		close(root);
	}
	endmntent(mounts);
	return fd;
}

/*
 * Another mount of cgroup2 sets the hierarchy's options for everybody, nsdelegate and the like: name those that the
 * machine uses, so that they stay. Nothing to keep when nobody has mounted it.
 */
static void keep_options(int context) {
	static const char *const flags[] = {"nsdelegate",
					    "favordynmods",
					    "memory_localevents",
					    "memory_recursiveprot",
					    "memory_hugetlb_accounting",
					    "pids_localevents"};
	FILE *mounts = setmntent("/proc/1/mounts", "re");
	struct mntent *entry = NULL;
	while (mounts && (entry = getmntent(mounts)) && strcmp(entry->mnt_type, "cgroup2"))
		;
	for (size_t i = 0; entry && i < sizeof(flags) / sizeof(flags[0]); i++)
		if (hasmntopt(entry, flags[i]))
			syscall(SYS_fsconfig, context, FSCONFIG_SET_FLAG, flags[i], NULL, 0);
	if (mounts)
		endmntent(mounts);
}

/* The root of a mount. What fsmount() returns only names it, and is of no use for open_by_handle_at(). */
static int open_root(int mount) {
	int root = mount < 0 ? -1 : openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = errno;
	if (mount >= 0)
		close(mount);
	errno = err;
	return root;
}

/* Mounts the hierarchy without a place in the tree of directories. Returns its root or a negative errno. */
static int mount_private(void) {
	int context = (int)syscall(SYS_fsopen, "cgroup2", FSOPEN_CLOEXEC);
	if (context < 0)
		return -errno;
	keep_options(context);
	int root = -1;
	if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		root = open_root((int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC,
					      MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
	int err = errno;
	close(context);
	return root < 0 ? -err : root;
}

static int open_private(const char *path) {
	int root = mount_private();
	if (root < 0) {
		message_error("cannot reach the cgroup2 file system, nor mount it: %s", strerror(-root));
		return root;
	}
	int fd = open_own(root, path);
	close(root);
	if (fd >= 0)
		return fd;
	message_error("cannot open the own cgroup %s: %s", path,
		      fd == -ESRCH ? "run from a shell in a cgroup of its own namespace" : strerror(-fd));
	return fd;
}

int cgroup_place_own(struct cgroup_place *place) {
	place->path = cgroup_place_path(0);
	if (!place->path) {
		int err = errno;
		if (err == ENODATA)
			message_error("this process is in no cgroup2 hierarchy: the kernel needs cgroup v2");
		else
			message_error("cannot read in which cgroup this process is, in /proc/self/cgroup: %s%s",
				      strerror(err),
				      err == ENOENT ? "; /proc has to be mounted, and the kernel needs CONFIG_CGROUPS"
						    : "");
		return -err;
	}
	place->fd = open_mounted(place->path);
	if (place->fd < 0)
		place->fd = open_private(place->path);
	if (place->fd >= 0)
		return 0;
	free(place->path);
	return place->fd;
}

/* A mount can begin further down. */
static int open_whole(const char *path) {
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat status;
	if (fd >= 0 && (fstat(fd, &status) || status.st_ino != CGROUP_ROOT_ID)) {
		close(fd);
		return -1;
	}
	return fd;
}

int cgroup_place_root(void) {
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *entry;
	int root = -1, own;
	while (mounts && root < 0 && (entry = getmntent(mounts)))
		if (strcmp(entry->mnt_type, "cgroup2") == 0 && !hasmntopt(entry, "ro"))
			root = open_whole(entry->mnt_dir);
	if (mounts)
		endmntent(mounts);
	if (root >= 0)
		return root;
	own = enter_first_namespace();
	root = mount_private();
	leave_first_namespace(own);
	if (root < 0)
		message_error("cannot reach the cgroup2 file system, nor mount it: %s", strerror(-root));
	return root;
}

/* 1 or 0, or a negative errno. */
static int only_root_moves_in(int fd) {
	struct stat procs;
	if (fstatat(fd, "cgroup.procs", &procs, AT_SYMLINK_NOFOLLOW))
		return -errno;
	bool group_writes = procs.st_mode & S_IWGRP && procs.st_gid != 0;
	return procs.st_uid == 0 && !group_writes && !(procs.st_mode & S_IWOTH);
}

int cgroup_place_rise(struct cgroup_place *place) {
	int safe = only_root_moves_in(place->fd);
	while (!safe && place->path[1]) {
		int above = openat(place->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (above < 0)
			return -errno;
		close(place->fd);
		place->fd = above;
		char *cut = strrchr(place->path, '/');
		cut[cut == place->path] = 0;
		safe = only_root_moves_in(above);
	}
	return safe > 0 ? 0 : safe < 0 ? safe : -EPERM;
}
