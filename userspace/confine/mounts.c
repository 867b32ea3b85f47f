/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's mounts ──► those of a command: none that leads out can be written, /proc shows its own processes. */
#include "confine/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine/mount_list.h"

enum { CONFIGFS_SUPER_MAGIC = 0x62656570 }; /* which <linux/magic.h> lacks */

/*
 * cgroup2: whoever can write to cgroup.procs walks out of the cgroup, and uid 0 can without any capability.
 * cgroup: the release_agent of a v1 hierarchy is a program that the kernel starts outside (before Linux 5.17 for
 * whoever can write the file). bpf: pinned programs, links and maps.
 * The others belong to uid 0, and ask for no capability either: by them the kernel is told which programs to start
 * (uevent_helper, binfmt_misc), and what the whole machine is to do. What belongs to resident filters is covered: who can
 * open a file there can lock it, and all of snifence waits.
 */
static const struct way_out {
	const char *type;
	unsigned long magic;
	bool of_root;
	const char *directory; /* which is covered; NULL: wherever it is mounted */
} ways_out[] = {
	{"cgroup2", CGROUP2_SUPER_MAGIC, false, NULL},
	{"cgroup", CGROUP_SUPER_MAGIC, false, NULL},
	{"bpf", BPF_FS_MAGIC, false, NULL},
	{"sysfs", SYSFS_MAGIC, true, NULL},
	{"debugfs", DEBUGFS_MAGIC, true, NULL},
	{"tracefs", TRACEFS_MAGIC, true, NULL},
	{"configfs", CONFIGFS_SUPER_MAGIC, true, NULL},
	{"binfmt_misc", BINFMTFS_MAGIC, true, NULL},
	{"tmpfs", TMPFS_MAGIC, true, "/run/snifence"},
};

/* The same in proc, among them core_pattern and modprobe. What else is there stays as it is. */
static const char *const parts_of_proc[] = {"sys", "sysrq-trigger", "irq", "bus", "fs"};

/* The work on the list of mounts. Whatever says no to one look is looked at by another one: see mounts_confine(). */
struct work {
	bool root;
	struct mount_list list;
	int proc; /* the new proc, of which the first /proc is the mount itself and each other one a copy; -1: none yet */
	dev_t device; /* its own */
	bool changed; /* in this pass */
};

/* ---- what is where ----------------------------------------------------------------------------------------------- */

/* The file system of a path: 1, or 0 when there is no such path; a negative errno when that cannot be told. */
static int look(const char *path, struct statfs *fs) {
	if (statfs(path, fs) == 0)
		return 1;
	return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
}

/* Where something else is mounted over what the list of mounts tells of, nobody reaches that. Returns as look(). */
static int is_reached(const char *directory, unsigned long magic, struct statfs *fs) {
	int there = look(directory, fs);

	return there > 0 ? (unsigned long)fs->f_type == magic : there;
}

static int join(char path[PATH_MAX], const char *directory, const char *name) {
	return snprintf(path, PATH_MAX, "%s/%s", directory, name) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* The mount's other flags have to be said again: they would be taken off. */
static int make_read_only(struct work *work, const char *path, const struct statfs *fs) {
	const unsigned long kept_flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
	unsigned long flags = MS_REMOUNT | MS_BIND | MS_RDONLY | ((unsigned long)fs->f_flags & kept_flags);

	if (fs->f_flags & MS_RDONLY)
		return 0;
	work->changed = true;
	return mount(NULL, path, NULL, flags, NULL) ? -errno : 0;
}

/* What is mounted over it does not arrive outside, which it could in a chroot. */
static int cover(struct work *work, const char *path, const struct statfs *fs) {
	const unsigned long flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;

	if (fs->f_flags & MS_RDONLY)
		return 0;
	work->changed = true;
	if (mount(NULL, path, NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	return mount("snifence", path, "tmpfs", flags, "mode=0700,size=4k") ? -errno : 0;
}

/* ---- proc -------------------------------------------------------------------------------------------------------- */

/* What the mount in its place had been told to hide stays hidden. */
static int copy_options(int fs, const struct mount_entry *entry) {
	static const char *const names[] = {"hidepid", "gid", "subset"};
	char *options = strdup(entry->options), *rest = options, *value;
	int error = options ? 0 : -ENOMEM;

	while (!error && (value = strsep(&rest, ","))) {
		const char *name = strsep(&value, "=");
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && value && !error; i++)
			if (strcmp(name, names[i]) == 0 && fsconfig(fs, FSCONFIG_SET_STRING, name, value, 0))
				error = -errno;
	}
	free(options);
	return error;
}

static int make_proc(struct work *work, const struct mount_entry *entry) {
	struct stat status;
	int fs = fsopen("proc", FSOPEN_CLOEXEC);

	if (fs < 0)
		return -errno;
	int error = fsconfig(fs, FSCONFIG_SET_STRING, "source", "proc", 0) ? -errno : copy_options(fs, entry);
	if (!error && fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		error = -errno;
	if (!error)
		work->proc = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	if (!error && (work->proc < 0 || fstat(work->proc, &status)))
		error = -errno;
	if (!error)
		work->device = status.st_dev;
	close(fs);
	return error;
}

static int put(int tree, const char *directory) {
	return move_mount(tree, "", AT_FDCWD, directory, MOVE_MOUNT_F_EMPTY_PATH) ? -errno : 0;
}

static int put_proc(struct work *work, const struct mount_entry *entry) {
	bool first = work->proc < 0;
	int error = first ? make_proc(work, entry) : 0;

	if (error || first)
		return error ? error : put(work->proc, entry->directory);
	int copy = open_tree(work->proc, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (copy < 0)
		return -errno;
	error = put(copy, entry->directory);
	close(copy);
	return error;
}

static bool is_below(const char *path, const char *directory) {
	size_t length = strlen(directory);

	return strncmp(path, directory, length) == 0 && path[length] == '/';
}

/*
 * Puts the new proc over the old one, and anew what is mounted below that, from entry `i` on: a container engine hides
 * files with such mounts. What belongs to a process outside has no place any more; autofs hides nothing.
 */
static int replace_proc(struct work *work, const struct mount_entry *entry, size_t i) {
	for (; i < work->list.count && !is_below(work->list.entries[i].directory, entry->directory); i++)
		;
	if (i == work->list.count)
		return put_proc(work, entry);
	const struct mount_entry *below = &work->list.entries[i];
	if (strcmp(below->type, "autofs") == 0)
		return replace_proc(work, entry, i + 1);
	int tree = open_tree(AT_FDCWD, below->directory, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_NO_AUTOMOUNT);
	if (tree < 0 && errno != ENOENT)
		return -errno;
	int error = replace_proc(work, entry, i + 1), put_back = 0;
	if (!error && tree >= 0)
		put_back = put(tree, below->directory);
	if (tree >= 0)
		close(tree);
	return error || put_back == -ENOENT ? error : put_back;
}

/* A part of it is mounted over itself, to be read-only. */
static int protect_part(struct work *work, const char *directory, const char *name) {
	char path[PATH_MAX];
	struct statfs fs;
	int error = join(path, directory, name), there = error ? error : look(path, &fs);

	if (there <= 0 || fs.f_flags & MS_RDONLY)
		return there < 0 ? there : 0;
	if (mount(path, path, NULL, MS_BIND | MS_REC, NULL))
		return -errno;
	return make_read_only(work, path, &fs);
}

/* Where only a part of proc is mounted, all of it is protected. */
static int protect_proc(struct work *work, const struct mount_entry *entry, const struct statfs *fs) {
	char self[PATH_MAX];
	struct stat status;
	int error = join(self, entry->directory, "self");

	if (error)
		return error;
	if (lstat(self, &status))
		return errno != ENOENT && errno != ENOTDIR ? -errno
		       : work->root			   ? make_read_only(work, entry->directory, fs)
							   : 0;
	if (work->proc < 0 || status.st_dev != work->device) {
		work->changed = true;
		/* in a chroot it is not yet: what is mounted below it would be there outside, too */
		if (mount(NULL, entry->directory, NULL, MS_REC | MS_PRIVATE, NULL))
			return -errno;
		error = replace_proc(work, entry, 0);
	}
	for (size_t i = 0; i < sizeof(parts_of_proc) / sizeof(parts_of_proc[0]) && work->root && !error; i++)
		error = protect_part(work, entry->directory, parts_of_proc[i]);
	return error;
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

static int protect_mount(struct work *work, const struct mount_entry *entry) {
	const struct way_out *way = NULL;
	struct statfs fs;
	int reached = 0;

	if (strcmp(entry->type, "proc") == 0) {
		reached = is_reached(entry->directory, PROC_SUPER_MAGIC, &fs);
		return reached > 0 ? protect_proc(work, entry, &fs) : reached;
	}
	for (size_t i = 0; i < sizeof(ways_out) / sizeof(ways_out[0]) && !reached; i++)
		if (strcmp(entry->type, ways_out[i].type) == 0 && (work->root || !ways_out[i].of_root) &&
		    (!ways_out[i].directory || strcmp(entry->directory, ways_out[i].directory) == 0)) {
			way = &ways_out[i];
			reached = is_reached(entry->directory, way->magic, &fs);
		}
	if (reached <= 0)
		return reached;
	return way->directory ? cover(work, entry->directory, &fs) : make_read_only(work, entry->directory, &fs);
}

static int protect_all(struct work *work) {
	int error = mount_list_read(&work->list);

	work->changed = false;
	for (size_t i = 0; i < work->list.count && !error; i++)
		error = protect_mount(work, &work->list.entries[i]);
	mount_list_free(&work->list);
	return error;
}

/*
 * The list is gone through until there is nothing left to do, at least once more than there is something: so what has
 * been mounted meanwhile is seen, and a look that went wrong is made up for.
 */
static int protect_until_done(struct work *work) {
	enum { PASSES = 16 };
	int error = 0;
	work->changed = true;
	for (int pass = 0; !error && (pass < 2 || work->changed); pass++)
		error = pass < PASSES ? protect_all(work) : -EBUSY;
	return error;
}

/* Whether a file of this kind is below what was mounted over it or made read-only. */
static bool leads_out(unsigned long magic) {
	bool found = magic == PROC_SUPER_MAGIC;

	for (size_t i = 0; i < sizeof(ways_out) / sizeof(ways_out[0]); i++)
		found |= magic == ways_out[i].magic && !ways_out[i].directory;
	return found;
}

/* A working directory that is there is entered anew, through the mounts as they are now. By the link in proc, as root
 * may be refused to look into another user's FUSE mount. */
static int enter_again(void) {
	char path[PATH_MAX];
	struct statfs fs;

	if (statfs("/proc/self/cwd", &fs))
		return -errno;
	if (!leads_out((unsigned long)fs.f_type))
		return 0;
	if (!getcwd(path, sizeof(path)) || path[0] != '/' || chdir(path))
		return chdir("/") ? -errno : 0;
	return 0;
}

static bool look_at_root(struct statx *root) {
	return statx(AT_FDCWD, "/", 0, STATX_TYPE | STATX_INO | STATX_MNT_ID, root) == 0 &&
	       root->stx_mask & STATX_MNT_ID;
}

/* Entering the mount namespace that it is in, a process gets that one's root. */
static bool root_is_the_namespaces(void) {
	struct statx before, after;
	int own = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);

	return own >= 0 && look_at_root(&before) && setns(own, CLONE_NEWNS) == 0 && look_at_root(&after) &&
	       before.stx_mnt_id == after.stx_mnt_id && before.stx_ino == after.stx_ino;
}

bool mounts_in_chroot(void) {
	int status, pid = fork();

	if (pid == 0)
		_exit(root_is_the_namespaces() ? 0 : 1);
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return true;
	return pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

/*
 * No mount arrives here from outside, which could be one of a cgroup file system that can be written; and none goes
 * there. In a chroot, / is no mount and this is refused: then only a command with --keep-caps can make a mount, and
 * that goes where it would go without snifence. Returns 1 then.
 */
static int separate(void) {
	struct statx root;

	if (unshare(CLONE_NEWNS))
		return -errno;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
		return 0;
	int error = -errno;
	if (error != -EINVAL || statx(AT_FDCWD, "/", 0, STATX_TYPE, &root))
		return error;
	return root.stx_attributes & STATX_ATTR_MOUNT_ROOT ? error : 1;
}

/* Mounts a file over itself, to be read-only. */
static int protect_file(struct work *work, const char *path) {
	struct statfs fs;
	int there = look(path, &fs);

	if (there <= 0)
		return there;
	if (mount(path, path, NULL, MS_BIND, NULL))
		return -errno;
	return make_read_only(work, path, &fs);
}

int mounts_confine(bool root, const char *file) {
	struct work work = {.root = root, .proc = -1};
	int separated = separate(), error = separated < 0 ? separated : 0;

	/* of others it is by its mode; and a mount that is made in a chroot could be seen outside */
	if (root && file && separated == 0)
		error = protect_file(&work, file);
	if (!error)
		error = protect_until_done(&work);
	if (work.proc >= 0)
		close(work.proc);
	return error ? error : enter_again();
}
