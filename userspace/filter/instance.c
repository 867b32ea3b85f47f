/* SPDX-License-Identifier: BSD-2-Clause */
/* Pins ──► resident instances. */
#include "filter/instance.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/file.h"
#include "base/lock.h"
#include "base/message.h"
#include "cgroup/cgroup_tree.h"
#include "filter/filter_parts.h"
#include "snifence.skel.h"

#define HALF_MADE "_new" /* behind the name of an instance that is not all there: not yet, or not any more */

enum { PATH_SIZE = 128, HALF_NAME = INSTANCE_NAME + sizeof(HALF_MADE) };

const char *instance_name(unsigned number, char name[INSTANCE_NAME]) {
	snprintf(name, INSTANCE_NAME, SNIFENCE_LAYOUT "_%u", number % INSTANCES);
	return name;
}

/* Whether there is a file system that can hold instances: 1, 0 or a negative errno. A second one would hide the first. */
static int is_mounted(void) {
	struct statfs fs;

	if (statfs(INSTANCE_PINS, &fs))
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	return fs.f_type == BPF_FS_MAGIC;
}

static int make_folder(const char *path) {
	return mkdir(path, 0700) && errno != EEXIST ? -errno : 0;
}

int instances_make_root(void) {
	int error = make_folder(INSTANCE_ROOT);
	struct stat root, above;

	if (error || stat(INSTANCE_ROOT, &root) || stat(INSTANCE_ROOT "/..", &above))
		return error ? error : -errno;
	if (root.st_dev != above.st_dev)
		return 0;
	return mount("snifence", INSTANCE_ROOT, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") ? -errno : 0;
}

static int make_root(void) {
	int error = instances_make_root();

	if (!error)
		error = make_folder(INSTANCE_PINS);
	if (!error && mount("snifence", INSTANCE_PINS, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700"))
		error = -errno;
	return error;
}

/* ---- what is in the root --------------------------------------------------------------------------------------- */

/* Returns 0, or -1 with errno set. */
static int remove_pins(int root_fd, const char *name) {
	int fd = openat(root_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	while (folder && (entry = readdir(folder)))
		if (entry->d_name[0] != '.')
			unlinkat(fd, entry->d_name, 0);
	if (folder)
		closedir(folder);
	else if (fd >= 0)
		close(fd);
	return unlinkat(root_fd, name, AT_REMOVEDIR);
}

/* Returns 0 or a negative errno. */
static int each_name(int root_fd, void (*each)(void *context, const char *name), void *context) {
	int fd = openat(root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), error;
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	error = folder ? 0 : -errno;
	while (folder && (entry = next_entry(folder, &error)))
		if (entry->d_name[0] != '.')
			each(context, entry->d_name);
	if (folder)
		closedir(folder);
	else if (fd >= 0)
		close(fd);
	return error;
}

static void half_made_name(const char *name, char half[HALF_NAME]) {
	snprintf(half, HALF_NAME, "%s" HALF_MADE, name);
}

static bool is_half_made(const char *name) {
	size_t length = strlen(name), end = strlen(HALF_MADE);

	return length > end && strcmp(name + length - end, HALF_MADE) == 0;
}

static void remove_half_made(void *context, const char *name) {
	const struct instances *instances = context;

	if (!is_half_made(name))
		return;
	message_error("removed %s, which a command that was ended had begun to load or to remove", name);
	remove_pins(instances->root_fd, name);
}

static int tell_unread(int error) {
	message_error("cannot read what is in %s: %s", INSTANCE_PINS, strerror(-error));
	return error;
}

struct others {
	void (*each)(void *context, const char *name);
	void *context;
};

static void tell_other(void *context, const char *name) {
	const struct others *others = context;
	size_t length = strlen(SNIFENCE_LAYOUT);

	/* names with a dot are the kernel's own */
	if (!strchr(name, '.') && (strncmp(name, SNIFENCE_LAYOUT, length) != 0 || name[length] != '_'))
		others->each(others->context, name);
}

int instances_others(const struct instances *instances, void (*each)(void *context, const char *name), void *context) {
	struct others others = {each, context};
	int error = each_name(instances->root_fd, tell_other, &others);

	return error ? tell_unread(error) : 0;
}

void instance_remove_other(const struct instances *instances, const char *name) {
	remove_pins(instances->root_fd, name);
}

/* As lock_within(); -ESTALE: it was unmounted meanwhile. */
static int lock_root(struct instances *instances, int patience) {
	struct statfs fs;
	int error;

	instances->root_fd = open(INSTANCE_PINS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (instances->root_fd < 0)
		return errno == ENOENT ? -ESTALE : -errno;
	error = lock_within(instances->root_fd, patience);
	if (error || fstatfs(instances->root_fd, &fs))
		return error ? error : -errno;
	return fs.f_type == BPF_FS_MAGIC ? 0 : -ESTALE;
}

static int take(struct instances *instances, bool make, int patience) {
	int error;

	*instances = (struct instances){.root_fd = -1};
	do {
		instances_release(instances);
		int mounted = is_mounted();
		if (!mounted && !make)
			return -ENOENT;
		error = mounted < 0 ? mounted : mounted ? 0 : make_root();
		if (!error)
			error = lock_root(instances, patience);
		/* who held it may have unmounted it, with the last instance */
	} while (error == -ESTALE);
	if (error) {
		if (error != -EBUSY || patience < 0)
			message_error("cannot mount and lock a BPF file system at %s: %s", INSTANCE_PINS,
				      strerror(-error));
		instances_release(instances);
		return error;
	}
	error = each_name(instances->root_fd, remove_half_made, instances);
	if (!error)
		return 0;
	instances_release(instances);
	return tell_unread(error);
}

int instances_take(struct instances *instances, bool make) {
	return take(instances, make, -1);
}

int instances_take_within(struct instances *instances, int patience) {
	return take(instances, false, patience);
}

int instances_peek(struct instances *instances) {
	int mounted = is_mounted();

	*instances = (struct instances){.root_fd = -1};
	if (mounted <= 0)
		return mounted ? mounted : -ENOENT;
	instances->root_fd = open(INSTANCE_PINS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return instances->root_fd < 0 ? -errno : 0;
}

void instances_release(struct instances *instances) {
	for (int i = 0; i < INSTANCES; i++)
		filter_free(instances->opened[i]);
	if (instances->root_fd >= 0)
		close(instances->root_fd);
	*instances = (struct instances){.root_fd = -1};
}

void instances_let_go(const struct instances *instances) {
	flock(instances->root_fd, LOCK_UN);
}

/* ---- one instance ---------------------------------------------------------------------------------------------- */

/* Opens what is pinned under these names. Returns 0 or a negative errno. */
static int open_pins(const char *folder, const char *const *names, int *descriptors, int count) {
	char path[PATH_SIZE];

	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), INSTANCE_PINS "/%s/%s", folder, names[i]);
		descriptors[i] = bpf_obj_get(path);
		if (descriptors[i] < 0)
			return -errno;
	}
	return 0;
}

static int make_pins(const char *folder, const char *const *names, const int *descriptors, int count) {
	char path[PATH_SIZE];

	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), INSTANCE_PINS "/%s/%s", folder, names[i]);
		if (bpf_obj_pin(descriptors[i], path))
			return -errno;
	}
	return 0;
}

struct filter *instance_open(struct instances *instances, unsigned number) {
	char name[INSTANCE_NAME];
	struct filter *filter;
	int error = 0;

	if (instances->opened[number])
		return instances->opened[number];
	if (faccessat(instances->root_fd, instance_name(number, name), F_OK, 0)) {
		error = -errno;
		if (error != -ENOENT)
			message_error("cannot look for %s/%s: %s", INSTANCE_PINS, name, strerror(-error));
		errno = -error;
		return NULL;
	}
	filter = filter_new();
	if (!filter)
		error = -ENOMEM;
	if (!error)
		error = open_pins(name, filter_program_names, filter->programs, FILTER_PROGRAMS);
	if (!error)
		error = open_pins(name, filter_map_names, filter->maps, FILTER_MAPS);
	if (!error)
		error = filter_map_arrays(filter);
	if (!error)
		return instances->opened[number] = filter;
	message_error("cannot open %s/%s: %s; is something of it gone? `rm -r %s/%s` and attach anew", INSTANCE_PINS,
		      name, strerror(-error), INSTANCE_PINS, name);
	filter_free(filter);
	errno = error == -ENOENT ? EIO : -error;
	return NULL;
}

/* Pins all of it under a name of its own first, so that an instance is there whole or not at all. */
static int pin(const struct instances *instances, const struct filter *filter, const char *name) {
	char half[HALF_NAME];
	int error = 0;

	half_made_name(name, half);
	if (mkdirat(instances->root_fd, half, 0700))
		return -errno;
	error = make_pins(half, filter_program_names, filter->programs, FILTER_PROGRAMS);
	if (!error)
		error = make_pins(half, filter_map_names, filter->maps, FILTER_MAPS);
	if (!error && renameat(instances->root_fd, half, instances->root_fd, name))
		error = -errno;
	if (error)
		remove_pins(instances->root_fd, half);
	return error;
}

struct filter *instance_load(struct instances *instances, unsigned number) {
	struct filter *filter = filter_load(true);
	char name[INSTANCE_NAME];
	int error = filter ? filter_finish_loading(filter) : -EIO;

	instance_name(number, name);
	for (uint32_t ring = 1; ring <= INSTANCE_RUN_RINGS && !error; ring++) {
		error = filter_make_ring(filter, ring);
		if (error)
			message_error("cannot make a ring buffer: %s", strerror(-error));
	}
	if (!error) {
		error = pin(instances, filter, name);
		if (error)
			message_error("cannot pin %s in %s: %s", name, INSTANCE_PINS, strerror(-error));
	}
	if (!error)
		return instances->opened[number] = filter;
	filter_free(filter);
	return NULL;
}

void instance_keep(struct instances *instances, unsigned number) {
	instances->opened[number] = NULL;
}

/* ---- which instance -------------------------------------------------------------------------------------------- */

/* Returns 1, 0 or a negative errno. */
static int is_attached(const struct filter *filter, uint64_t cgroup_id) {
	struct snif_attachment attachment;
	int error = filter_attachment(filter, cgroup_id, &attachment);

	return error == -ENOENT ? 0 : error ? error : 1;
}

static int tell_unseen(int error) {
	message_error("cannot see what is attached: %s", strerror(-error));
	return error;
}

int instance_of(struct instances *instances, uint64_t cgroup_id) {
	struct filter *filter;
	int attached;

	for (unsigned i = 0; i < INSTANCES; i++) {
		filter = instance_open(instances, i);
		if (!filter && errno != ENOENT)
			return -errno;
		attached = filter ? is_attached(filter, cgroup_id) : 0;
		if (attached)
			return attached < 0 ? tell_unseen(attached) : (int)i;
	}
	return -ENOENT;
}

/* The id of a directory's cgroup; 0 where it is none, as of what a hierarchy is mounted on. */
static uint64_t cgroup_of(int fd) {
	struct statfs fs;
	struct stat status;

	return fstatfs(fd, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC && fstat(fd, &status) == 0 ? status.st_ino : 0;
}

/* Whether a cgroup above is attached: 1, 0, or a negative errno. The uppermost one, in a cgroup namespace not that of id 1,
 * has something else above it, or itself. */
static int is_attached_above(const struct filter *filter, int cgroup_fd) {
	int fd = fcntl(cgroup_fd, F_DUPFD_CLOEXEC, 0), above, attached = 0;
	uint64_t id = fd < 0 ? 0 : cgroup_of(fd), last = 0;

	while (fd >= 0 && !attached && id != 0 && id != last) {
		above = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = above;
		last = id;
		id = fd < 0 ? 0 : cgroup_of(fd);
		attached = id == 0 ? 0 : is_attached(filter, id);
	}
	if (fd < 0)
		return -errno;
	close(fd);
	return attached;
}

static int look_below(int parent_fd, const char *name, int fd, void *context) {
	struct stat status;

	(void)parent_fd;
	(void)name;
	return fstat(fd, &status) ? -errno : is_attached(context, status.st_ino);
}

int instance_for(struct instances *instances, int cgroup_fd) {
	struct filter *filter;
	int taken;

	for (unsigned i = 0; i < INSTANCES; i++) {
		filter = instance_open(instances, i);
		if (!filter && errno != ENOENT)
			return -errno;
		if (!filter)
			return instance_load(instances, i) ? (int)i : -EIO;
		taken = is_attached_above(filter, cgroup_fd);
		if (!taken)
			taken = cgroup_tree_walk(cgroup_fd, ".", look_below, filter);
		if (taken < 0) {
			message_error("cannot look at the cgroups above and below: %s", strerror(-taken));
			return taken;
		}
		if (!taken)
			return (int)i;
	}
	message_error("cgroups above and below are attached already, %d of them: more cannot be stacked", INSTANCES);
	return -ENOSPC;
}

int instances_reader(void) {
	int fd = open(INSTANCE_READER, O_RDONLY | O_CLOEXEC), error = 0;
	char text[16] = "";

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	/* nobody has it where it can be locked */
	if (flock(fd, LOCK_SH | LOCK_NB) && (errno != EWOULDBLOCK || read(fd, text, sizeof(text) - 1) < 0))
		error = -errno;
	close(fd);
	return error ? error : atoi(text);
}

/* ---- the end --------------------------------------------------------------------------------------------------- */

int instance_unload(struct instances *instances, unsigned number) {
	char name[INSTANCE_NAME], half[HALF_NAME];
	int error = 0;

	filter_free(instances->opened[number]);
	instances->opened[number] = NULL;
	half_made_name(instance_name(number, name), half);
	/* under that name who takes the instances next removes what is left of it */
	if (renameat(instances->root_fd, name, instances->root_fd, half) || remove_pins(instances->root_fd, half))
		error = -errno;
	if (error)
		message_error("cannot remove %s/%s: %s", INSTANCE_PINS, name, strerror(-error));
	return error;
}

void instances_remove(struct instances *instances) {
	instances_release(instances);
	if (instances_reader() == 0)
		unlink(INSTANCE_READER);
	/* whoever waits for the lock, or finds it, has the mount busy: then it stays */
	if (umount2(INSTANCE_PINS, UMOUNT_NOFOLLOW) == 0) {
		rmdir(INSTANCE_PINS);
		/* whoever has a file there, like a reader, keeps it */
		if (umount2(INSTANCE_ROOT, UMOUNT_NOFOLLOW) == 0)
			rmdir(INSTANCE_ROOT);
	}
}
