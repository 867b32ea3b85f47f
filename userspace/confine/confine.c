/* SPDX-License-Identifier: BSD-2-Clause */
/* A process just cloned ──► one that cannot walk out of the filter, ready to become the command. */
#include "confine/confine.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "confine/mounts.h"
#include "confine/name_service.h"
#include "confine/scope.h"
#include "confine/syscalls.h"

enum { CAPABILITIES = 64 }; /* as many as there can be, whatever this kernel has */

const char *confine_step_text(enum confine_step step) {
	static const char *const texts[CONFINE_STEPS] = {
		[CONFINE_FILES] = "mark descriptors to be closed",
		[CONFINE_MOUNTS] =
			"make the command's mounts (a /proc of its own; cgroup, bpf and, for root, /sys read-only)",
		[CONFINE_LOOKUPS] = "give the command a name service of its own (/etc/nsswitch.conf)",
		[CONFINE_PRIVILEGES] = "set no_new_privs",
		[CONFINE_PROCESSES] = "keep the command from other processes (Landlock)",
		[CONFINE_BOUNDING] = "drop capabilities from the bounding set",
		[CONFINE_IDENTITY] = "change to the command's user",
		[CONFINE_CAPABILITIES] = "drop capabilities",
		[CONFINE_SYSTEM_CALLS] = "install the seccomp filter (--no-seccomp leaves it out)",
	};

	return step < CONFINE_STEPS && texts[step] ? texts[step] : "confine the command";
}

/* A socket made outside is not under the filter, whoever uses it. Not 0, 1, 2: those are the caller's choice. */
static int close_at_exec(const struct confinement *confinement) {
	if (syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC))
		return -errno;
	return confinement->inherited ? inherited_keep(confinement->inherited) : 0;
}

/* A command of root's with --keep-caps could undo it all. */
static bool is_root(const struct confinement *confinement) {
	const struct identity *identity = &confinement->identity;

	return (identity->change ? identity->uid : geteuid()) == 0;
}

static int protect_mounts(const struct confinement *confinement) {
	return mounts_confine(!confinement->keep_caps && is_root(confinement), confinement->read_only);
}

static int look_up_alone(const struct confinement *confinement) {
	return confinement->own_lookups ? name_service_own() : 0;
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
 * DAC_READ_SEARCH: files by handle, of mounts that can be written outside.
 * SETPCAP: this list.
 */
static const unsigned int kept[] = {
	CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_FOWNER,  CAP_FSETID,		 CAP_KILL,
	CAP_SETUID, CAP_SETGID,	      CAP_SETFCAP, CAP_NET_BIND_SERVICE, CAP_AUDIT_WRITE,
};

static uint64_t kept_mask(const struct confinement *confinement) {
	uint64_t mask = confinement->keep_chroot ? UINT64_C(1) << CAP_SYS_CHROOT : 0;

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		mask |= UINT64_C(1) << kept[i];
	return mask;
}

/* Of a capability that this kernel does not have, both calls say EINVAL; whatever else they say, it may be there. */
static int drop_from_bounding(unsigned long capability) {
	if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0)
		return 0;
	if (errno != EINVAL)
		return -errno;
	return prctl(PR_CAPBSET_READ, capability, 0, 0, 0) < 0 && errno == EINVAL ? 0 : -EPERM;
}

/* Before the identity changes, as it takes CAP_SETPCAP. */
static int drop_bounding(const struct confinement *confinement) {
	const uint64_t mask = kept_mask(confinement);
	int error = 0;

	for (unsigned int capability = 0; !confinement->keep_caps && capability < CAPABILITIES && !error; capability++)
		if (!(mask >> capability & 1))
			error = drop_from_bounding(capability);
	return error;
}

static int leave_processes(const struct confinement *confinement) {
	int scoped = scope_enter();

	(void)confinement;
	return scoped < 0 ? scoped : 0;
}

static int take_identity(const struct confinement *confinement) {
	return identity_assume(&confinement->identity);
}

/* Leaves of each set only what is kept, and nothing in the inheritable one, which the ambient one follows. Another user
 * than root has nothing left already, unless securebits(7) say that a change of user takes nothing away. */
static int drop_capabilities(const struct confinement *confinement) {
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
	const uint64_t mask = is_root(confinement) ? kept_mask(confinement) : 0;

	if (confinement->keep_caps)
		return 0;
	if (syscall(SYS_capget, &header, sets))
		return -errno;
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		sets[i].effective &= (uint32_t)(mask >> 32 * i);
		sets[i].permitted &= (uint32_t)(mask >> 32 * i);
		sets[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &header, sets) || prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0))
		return -errno;
	return 0;
}

static int refuse_system_calls(const struct confinement *confinement) {
	return confinement->no_seccomp ? 0 : syscalls_refuse(&confinement->syscalls, confinement->listener);
}

/* Where Landlock has no scopes, seccomp has to keep signals from what shares the command's process group. In a chroot,
 * chroot() leads out of it, to mounts that were never looked at. */
int confine_prepare(struct confinement *confinement) {
	confinement->keep_chroot = is_root(confinement) && !mounts_in_chroot();
	return confinement->no_seccomp ? 0 : syscalls_compile(scope_abi() >= SCOPE_ABI, &confinement->syscalls);
}

int confine(const struct confinement *confinement, enum confine_step *step) {
	static int (*const steps[CONFINE_STEPS])(const struct confinement *) = {
		[CONFINE_FILES] = close_at_exec,
		[CONFINE_MOUNTS] = protect_mounts,
		[CONFINE_LOOKUPS] = look_up_alone,
		[CONFINE_PRIVILEGES] = no_new_privileges,
		[CONFINE_PROCESSES] = leave_processes,
		[CONFINE_BOUNDING] = drop_bounding,
		[CONFINE_IDENTITY] = take_identity,
		[CONFINE_CAPABILITIES] = drop_capabilities,
		[CONFINE_SYSTEM_CALLS] = refuse_system_calls,
	};
	for (*step = 0; *step < CONFINE_STEPS; (*step)++) {
		int error = steps[*step](confinement);
		if (error)
			return error;
	}
	return 0;
}
