/* SPDX-License-Identifier: BSD-2-Clause */
/* A process just cloned ──► one that cannot walk out of the filter, ready to become the command. */
#include "run/confine.h"

#include <errno.h>
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
		[CONFINE_MOUNTS] = "make the cgroup and bpf file systems read-only for the command",
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

/*
 * cgroup2: whoever can write to cgroup.procs walks out of the cgroup, and uid 0 can without any capability.
 * cgroup: the release_agent of a v1 hierarchy is a program that the kernel starts outside (before Linux 5.17 for
 * whoever can write the file). bpf: pinned programs, links and maps.
 */
static bool is_way_out(const struct mntent *entry) {
	return strcmp(entry->mnt_type, "cgroup2") == 0 || strcmp(entry->mnt_type, "cgroup") == 0 ||
	       strcmp(entry->mnt_type, "bpf") == 0;
}

/* Whether something else is mounted over what the list of mounts tells of: then nobody reaches that. */
static bool is_covered(const struct statfs *fs) {
	return fs->f_type != CGROUP2_SUPER_MAGIC && fs->f_type != CGROUP_SUPER_MAGIC &&
	       (unsigned long)fs->f_type != BPF_FS_MAGIC;
}

/* The mount's other flags have to be said again: they would be taken off. */
static int protect_mount(const char *directory) {
	const unsigned long kept_flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
	struct statfs fs;
	if (statfs(directory, &fs))
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	unsigned long flags = MS_REMOUNT | MS_BIND | MS_RDONLY | ((unsigned long)fs.f_flags & kept_flags);
	if (is_covered(&fs))
		return 0;
	return mount(NULL, directory, NULL, flags, NULL) ? -errno : 0;
}

static int protect_mounts(const struct confinement *confinement) {
	(void)confinement;
	if (unshare(CLONE_NEWNS))
		return -errno;
	/*
	 * Mounts made outside still arrive here; nothing goes the other way. In a chroot, / is no mount and this is
	 * refused: then only a command with --keep-caps can make a mount, and that goes where it would go without
	 * snifence.
	 */
	int err = mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) && errno != EINVAL ? -errno : 0;
	FILE *mounts = err ? NULL : setmntent("/proc/self/mounts", "re");
	if (!mounts)
		return err ? err : -errno;
	struct mntent *entry;
	while (!err && (entry = getmntent(mounts)))
		if (is_way_out(entry))
			err = protect_mount(entry->mnt_dir);
	endmntent(mounts);
	return err;
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
