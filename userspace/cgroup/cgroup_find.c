/* SPDX-License-Identifier: BSD-2-Clause */
/* A path, a process, a unit of systemd or an id ──► an existing cgroup. */
#include "cgroup/cgroup_find.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <systemd/sd-bus.h>

#include "base/library.h"
#include "base/message.h"
#include "cgroup/cgroup_place.h"

enum { HANDLE_KERNFS = 0xfe }; /* FILEID_KERNFS of <linux/exportfs.h>, which is not for userspace */

/* The path of what a descriptor leads to; NULL with errno set. */
static char *path_of(int fd) {
	char link[40], path[PATH_MAX];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	if (length < 0)
		return NULL;
	path[length] = '\0';
	return strdup(path);
}

/* Whether that is where the path leads, below the root: 1, 0 or a negative errno. */
static int leads_to(int root_fd, const char *path, uint64_t id) {
	struct stat status;

	if (fstatat(root_fd, path[1] ? path + 1 : ".", &status, 0))
		return errno == ENOENT ? 0 : -errno;
	return status.st_ino == id;
}

/* Fills in what belongs to found->fd, which is closed on an error. */
static int complete(int root_fd, struct found_cgroup *found) {
	char *path = path_of(found->fd), *root = path_of(root_fd);
	size_t length = root && strcmp(root, "/") != 0 ? strlen(root) : 0;
	const char *below = path && path[length] ? path + length : "/";
	struct stat status;
	int error = 0, there = 0;

	if (!path || !root || fstat(found->fd, &status))
		error = -errno;
	else if (strncmp(path, root, length) != 0)
		error = -EXDEV;
	else if ((there = leads_to(root_fd, below, status.st_ino)) < 0)
		error = there;
	if (!error && !(found->path = strdup(there ? below : "/..")))
		error = -ENOMEM;
	if (error)
		close(found->fd);
	else
		found->id = status.st_ino;
	free(path);
	free(root);
	return error;
}

static int is_cgroup(int fd) {
	struct statfs fs;

	if (fstatfs(fd, &fs))
		return -errno;
	return fs.f_type == CGROUP2_SUPER_MAGIC ? 0 : -ENOTDIR;
}

/* Opens a path as it is, or below the hierarchy's root. Returns a descriptor or a negative errno. */
static int open_path(int root_fd, const char *path) {
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), error = fd < 0 ? -errno : is_cgroup(fd);

	if (!error)
		return fd;
	if (fd >= 0)
		close(fd);
	if (path[0] != '/')
		return error;
	fd = openat(root_fd, path[1] ? path + 1 : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && is_cgroup(fd) == 0) /* `/..` leaves the hierarchy, where a number says nothing of a cgroup */
		return fd;
	if (fd >= 0)
		close(fd);
	return error;
}

static int find_below(int root_fd, const char *path, struct found_cgroup *found) {
	int fd = open_path(root_fd, path), error;
	struct stat status;

	error = fd < 0 ? fd : fstat(fd, &status) ? -errno : cgroup_find_id(root_fd, status.st_ino, found);
	if (fd >= 0)
		close(fd);
	return error;
}

/* Returns 0 or an error of find_below(), which is not told; or 1 after saying why the hierarchy cannot be reached. */
static int find_path(const char *path, struct found_cgroup *found) {
	int root_fd = cgroup_place_root(), error;

	if (root_fd < 0)
		return 1;
	error = find_below(root_fd, path, found);
	close(root_fd);
	return error;
}

static void say_not_found(const char *path, int error) {
	if (error == -EPERM)
		message_error("cannot look for the cgroup %s: that needs root, with CAP_DAC_READ_SEARCH", path);
	else if (error == -ENOENT && path[0] != '/')
		message_error("there is no cgroup %s here: a path below the hierarchy's root begins with /", path);
	else
		message_error("there is no cgroup %s: %s", path,
			      error == -ENOTDIR ? "it is no directory of a cgroup2 file system" : strerror(-error));
}

int cgroup_find_path(const char *path, struct found_cgroup *found) {
	int error = find_path(path, found);

	if (error < 0)
		say_not_found(path, error);
	return error > 0 ? -EIO : error;
}

/* The cgroup with that path, if the process is in it: from another cgroup namespace the path can lead elsewhere. */
static int find_with(const char *path, pid_t pid, struct found_cgroup *found) {
	int error = strncmp(path, "/..", 3) == 0 ? -ESRCH : find_path(path, found);

	if (!error) {
		error = cgroup_place_check(found->fd, pid);
		if (error != -ESRCH)
			return 0;
		cgroup_found_close(found);
	}
	if (error > 0)
		return -EIO;
	message_error("cannot find the cgroup of process %d, %s: %s; where that is of another cgroup namespace, call "
		      "snifence from outside of this container",
		      pid, path, error == -ESRCH ? "the process is not in what this path leads to" : strerror(-error));
	return error;
}

int cgroup_find_pid(pid_t pid, struct found_cgroup *found) {
	char *path = cgroup_place_whole_path(pid);
	int error = path ? 0 : -errno;

	if (error == -ENOENT)
		message_error("there is no process %d", pid);
	else if (error)
		message_error("cannot read in which cgroup process %d is: %s", pid, strerror(-error));
	else
		error = find_with(path, pid, found);
	free(path);
	return error;
}

#define FUNCTIONS(X) X(sd_bus_default_system) X(sd_bus_get_property_string) X(sd_bus_path_encode) X(sd_bus_unref)

LIBRARY(systemd, "to ask systemd for a unit", FUNCTIONS, "libsystemd.so.0");

/* The property of the unit's type, which is what its name ends with. NULL with errno set. */
static char *unit_property(sd_bus *bus, const char *object, const char *unit) {
	static const struct {
		const char *end, *interface;
	} types[] = {{".slice", "org.freedesktop.systemd1.Slice"}, {".scope", "org.freedesktop.systemd1.Scope"}};
	const char *interface = "org.freedesktop.systemd1.Service", *end = strrchr(unit, '.');
	char *group = NULL;
	int error;

	for (size_t i = 0; end && i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(end, types[i].end) == 0)
			interface = types[i].interface;
	error = systemd.sd_bus_get_property_string(bus, "org.freedesktop.systemd1", object, interface, "ControlGroup",
						   NULL, &group);
	errno = error < 0 ? -error : 0;
	return group;
}

char *cgroup_of_own_unit(const char *unit) {
	const char *type = strchr(unit, '.') ? "" : ".service";
	size_t length = strlen(unit) + strlen(type);
	char *path = cgroup_place_whole_path(0);

	for (char *slash = path; slash && (slash = strchr(slash, '/')); slash++) {
		char *name = slash + 1, *end = name + strcspn(name, "/");

		if ((size_t)(end - name) == length && strncmp(name, unit, strlen(unit)) == 0 &&
		    strncmp(name + strlen(unit), type, strlen(type)) == 0) {
			*end = '\0';
			return path;
		}
	}
	free(path);
	return NULL;
}

static int ask_systemd(const char *unit, struct found_cgroup *found) {
	sd_bus *bus = NULL;
	char *full = NULL, *object = NULL, *group = NULL;
	int error = library_open(&systemd_library);

	if (error)
		return error;
	error = systemd.sd_bus_default_system(&bus);
	if (error >= 0 && asprintf(&full, "%s%s", unit, strchr(unit, '.') ? "" : ".service") < 0)
		error = -ENOMEM;
	if (error >= 0)
		error = systemd.sd_bus_path_encode("/org/freedesktop/systemd1/unit", full, &object);
	if (error >= 0 && !(group = unit_property(bus, object, full)))
		error = -errno;
	if (error < 0)
		message_error("cannot ask systemd for the unit %s: %s", unit, strerror(-error));
	else if (!*group)
		message_error("the unit %s is not running: start it first", full);
	error = error < 0 ? error : *group ? cgroup_find_path(group, found) : -ESRCH;
	free(group);
	free(object);
	free(full);
	systemd.sd_bus_unref(bus);
	return error;
}

int cgroup_find_unit(const char *unit, struct found_cgroup *found) {
	char *own = cgroup_of_own_unit(unit);
	int error = own ? cgroup_find_path(own, found) : ask_systemd(unit, found);

	free(own);
	return error;
}

int cgroup_find_id(int root_fd, uint64_t id, struct found_cgroup *found) {
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + sizeof(id)];
	} handle = {.handle = {.handle_bytes = sizeof(id), .handle_type = HANDLE_KERNFS}};

	memcpy(handle.handle.f_handle, &id, sizeof(id));
	found->fd = open_by_handle_at(root_fd, &handle.handle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return found->fd < 0 ? -errno : complete(root_fd, found);
}

void cgroup_found_close(struct found_cgroup *found) {
	close(found->fd);
	free(found->path);
}
