/* SPDX-License-Identifier: BSD-2-Clause */
/* A process just cloned ──► one that cannot walk out of the filter, ready to become the command. */
#include "run/confine.h"

#include <errno.h>
#include <limits.h>
#include <linux/close_range.h>
#include <linux/magic.h>
#include <mntent.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "run/syscalls.h"

const char *confine_step_text(enum confine_step step) {
	static const char *const texts[CONFINE_STEPS] = {
		[CONFINE_FILES] = "mark descriptors to be closed",
		[CONFINE_MOUNTS] =
			"make read-only for the command what leads out of the filter (cgroup, bpf; for root /sys and parts of /proc)",
		[CONFINE_PRIVILEGES] = "set no_new_privs",
		[CONFINE_BOUNDING] = "drop capabilities from the bounding set",
		[CONFINE_IDENTITY] = "change to the command's user",
		[CONFINE_CAPABILITIES] = "drop capabilities",
		[CONFINE_SYSTEM_CALLS] = "install the seccomp filter (--no-seccomp leaves it out)",
	};
	return step < CONFINE_STEPS && texts[step] ? texts[step] : "confine the command";
}

/* A socket made outside is not under the filter, whoever uses it. Not 0, 1, 2: those are the caller's choice. */
static int close_at_exec(const struct confinement *confinement) {
	(void)confinement;
	return syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC) ? -errno : 0;
}

enum { CONFIGFS_SUPER_MAGIC = 0x62656570 }; /* which <linux/magic.h> lacks */

/*
 * cgroup2: whoever can write to cgroup.procs walks out of the cgroup, and uid 0 can without any capability.
 * cgroup: the release_agent of a v1 hierarchy is a program that the kernel starts outside (before Linux 5.17 for
 * whoever can write the file). bpf: pinned programs, links and maps.
 * The others belong to uid 0, and ask for no capability either: by them the kernel is told which programs to start
 * (uevent_helper, binfmt_misc), and what the whole machine is to do.
 */
static const struct way_out {
	const char *type;
	unsigned long magic;
	bool of_root;
} ways_out[] = {
	{"cgroup2", CGROUP2_SUPER_MAGIC, false},
	{"cgroup", CGROUP_SUPER_MAGIC, false},
	{"bpf", BPF_FS_MAGIC, false},
	{"sysfs", SYSFS_MAGIC, true},
	{"debugfs", DEBUGFS_MAGIC, true},
	{"tracefs", TRACEFS_MAGIC, true},
	{"configfs", CONFIGFS_SUPER_MAGIC, true},
	{"binfmt_misc", BINFMTFS_MAGIC, true},
};

/* The same in proc, among them core_pattern and modprobe. What else is there stays as it is. */
static const char *const parts_of_proc[] = {"sys", "sysrq-trigger", "irq", "bus", "fs"};

/* The mount's other flags have to be said again: they would be taken off. */
static int make_read_only(const char *path) {
	const unsigned long kept_flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
	struct statfs fs;
	if (statfs(path, &fs))
		return -errno;
	unsigned long flags = MS_REMOUNT | MS_BIND | MS_RDONLY | ((unsigned long)fs.f_flags & kept_flags);
	return mount(NULL, path, NULL, flags, NULL) ? -errno : 0;
}

/* Where something else is mounted over what the list of mounts tells of, nobody reaches that. */
static bool is_reached(const char *directory, unsigned long magic) {
	struct statfs fs;
	return statfs(directory, &fs) == 0 && (unsigned long)fs.f_type == magic;
}

/* A part of it is mounted over itself, to be read-only. Where the mount is only a part already, all of it is. */
static int protect_proc(const char *directory) {
	char path[PATH_MAX];
	int err = 0;
	/* in a chroot it is not yet: what is mounted below it would be there outside, too */
	if (mount(NULL, directory, NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	snprintf(path, sizeof(path), "%s/self", directory);
	if (access(path, F_OK))
		return make_read_only(directory);
	for (size_t i = 0; i < sizeof(parts_of_proc) / sizeof(parts_of_proc[0]) && !err; i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, parts_of_proc[i]);
		if (mount(path, path, NULL, MS_BIND | MS_REC, NULL) == 0)
			err = make_read_only(path);
		else if (errno != ENOENT)
			err = -errno;
	}
	return err;
}

static int protect_mount(const struct mntent *entry, bool root) {
	if (root && strcmp(entry->mnt_type, "proc") == 0 && is_reached(entry->mnt_dir, PROC_SUPER_MAGIC))
		return protect_proc(entry->mnt_dir);
	for (size_t i = 0; i < sizeof(ways_out) / sizeof(ways_out[0]); i++)
		if (strcmp(entry->mnt_type, ways_out[i].type) == 0 && (root || !ways_out[i].of_root) &&
		    is_reached(entry->mnt_dir, ways_out[i].magic))
			return make_read_only(entry->mnt_dir);
	return 0;
}

/* A working directory in proc is below what was mounted over it: it is entered anew. */
static int enter_again(void) {
	char path[PATH_MAX];
	if (!is_reached(".", PROC_SUPER_MAGIC))
		return 0;
	return chdir(getcwd(path, sizeof(path)) ? path : "/") ? -errno : 0;
}

/* A command of root's with --keep-caps could undo it all. */
static bool is_root(const struct confinement *confinement) {
	const struct identity *identity = &confinement->identity;
	return !confinement->keep_caps && (identity->change ? identity->uid : geteuid()) == 0;
}

static int protect_mounts(const struct confinement *confinement) {
	if (unshare(CLONE_NEWNS))
		return -errno;
	/*
	 * No mount arrives here from outside, which could be one of a cgroup file system that can be written; and none
	 * goes there. In a chroot, / is no mount and this is refused: then only a command with --keep-caps can make a
	 * mount, and that goes where it would go without snifence.
	 */
	int err = mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) && errno != EINVAL ? -errno : 0;
	FILE *mounts = err ? NULL : setmntent("/proc/self/mounts", "re");
	if (!mounts)
		return err ? err : -errno;
	struct mntent *entry;
	/* what is mounted here comes at its end, and is made read-only once more */
	while (!err && (entry = getmntent(mounts)))
		err = protect_mount(entry, is_root(confinement));
	endmntent(mounts);
	return err ? err : enter_again();
}

static int no_new_privileges(const struct confinement *confinement) {
	(void)confinement;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;
}

/*
 * What root keeps: what installing packages and running services takes. All others go, also those that a future
 * kernel brings. What the more dangerous ones would open:
 * NET_RAW, NET_ADMIN: packets past the socket hooks, other network namespaces' devices, TCP_REPAIR, detaching.
 * BPF, PERFMON, SYS_ADMIN: the filter's own maps and programs, mounts, setns, another cgroup.
 * SYS_PTRACE, CHECKPOINT_RESTORE: processes outside the cgroup, to send for the command.
 * SYS_MODULE, SYS_RAWIO, SYS_BOOT, MKNOD: the kernel itself, memory and disks.
 * DAC_READ_SEARCH, SYS_CHROOT: files by handle and through other roots, where a cgroup mount can be written.
 * SETPCAP: this list.
 */
static const cap_value_t kept[] = {
	CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_FOWNER,  CAP_FSETID,		 CAP_KILL,
	CAP_SETUID, CAP_SETGID,	      CAP_SETFCAP, CAP_NET_BIND_SERVICE, CAP_AUDIT_WRITE,
};

static bool is_kept(cap_value_t capability) {
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (kept[i] == capability)
			return true;
	return false;
}

/* Before the identity changes, as it takes CAP_SETPCAP. */
static int drop_bounding(const struct confinement *confinement) {
	for (cap_value_t capability = 0; !confinement->keep_caps && capability < cap_max_bits(); capability++)
		if (!is_kept(capability) && cap_get_bound(capability) > 0 && cap_drop_bound(capability))
			return -errno;
	return 0;
}

static int take_identity(const struct confinement *confinement) {
	return identity_assume(&confinement->identity);
}

/* Leaves of each set only what is kept, and nothing in the inheritable one, which the ambient one follows. */
static int drop_capabilities(const struct confinement *confinement) {
	if (confinement->keep_caps)
		return 0;
	cap_t set = cap_get_proc();
	if (!set)
		return -errno;
	int err = cap_clear_flag(set, CAP_INHERITABLE);
	for (cap_value_t capability = 0; !err && capability < cap_max_bits(); capability++)
		if (!is_kept(capability))
			err = cap_set_flag(set, CAP_EFFECTIVE, 1, &capability, CAP_CLEAR) ||
			      cap_set_flag(set, CAP_PERMITTED, 1, &capability, CAP_CLEAR);
	if (!err)
		err = cap_set_proc(set) || cap_reset_ambient();
	err = err ? -errno : 0;
	cap_free(set);
	return err;
}

static int refuse_system_calls(const struct confinement *confinement) {
	return confinement->no_seccomp ? 0 : confine_seccomp();
}

int confine(const struct confinement *confinement, enum confine_step *step) {
	static int (*const steps[CONFINE_STEPS])(const struct confinement *) = {
		[CONFINE_FILES] = close_at_exec,
		[CONFINE_MOUNTS] = protect_mounts,
		[CONFINE_PRIVILEGES] = no_new_privileges,
		[CONFINE_BOUNDING] = drop_bounding,
		[CONFINE_IDENTITY] = take_identity,
		[CONFINE_CAPABILITIES] = drop_capabilities,
		[CONFINE_SYSTEM_CALLS] = refuse_system_calls,
	};
	for (*step = 0; *step < CONFINE_STEPS; (*step)++) {
		int err = steps[*step](confinement);
		if (err)
			return err;
	}
	return 0;
}
