/* SPDX-License-Identifier: BSD-2-Clause */
/* Privileges, and giving them up ──► whether a command can be started so that it stays in the filter. */
#include "features/feature_process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/descriptors.h"
#include "confine/confine.h"
#include "confine/pid_namespace.h"
#include "confine/scope.h"
#include "confine/syscalls.h"

struct finding probe_root(struct machine *machine, int unused) {
	(void)machine;
	(void)unused;
	return feature_found(geteuid() == 0, "%s", "");
}

/*
 * SYS_ADMIN: mounts and namespaces, and programs as well. NET_ADMIN: programs of the network, SOCK_DESTROY. SETPCAP,
 * SETUID, SETGID: what the command is to be. KILL: its end.
 */
static const struct {
	unsigned number;
	const char *name;
} used[] = {{CAP_SYS_ADMIN, "cap_sys_admin"}, {CAP_NET_ADMIN, "cap_net_admin"}, {CAP_SETPCAP, "cap_setpcap"},
	    {CAP_SETUID, "cap_setuid"},	      {CAP_SETGID, "cap_setgid"},	{CAP_KILL, "cap_kill"}};

struct finding probe_capabilities(struct machine *machine, int unused) {
	struct finding finding = {.state = FEATURE_HERE};
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {{0}};
	size_t length = 0;

	(void)machine;
	(void)unused;
	syscall(SYS_capget, &header, sets); /* with an error all are missing */
	for (size_t i = 0; i < sizeof(used) / sizeof(used[0]); i++) {
		/* none of them is beyond the first 32 */
		if (sets[0].effective >> used[i].number & 1)
			continue;
		length += (size_t)snprintf(finding.detail + length, sizeof(finding.detail) - length, "%s%s",
					   length ? ", " : "", used[i].name);
		finding.state = FEATURE_MISSING;
	}
	return finding;
}

struct finding probe_null_device(struct machine *machine, int unused) {
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)machine;
	(void)unused;
	return feature_descriptor(fd);
}

struct finding probe_open_files(struct machine *machine, int unused) {
	int left = descriptors_left();

	(void)machine;
	(void)unused;
	if (left >= DESCRIPTORS_OF_A_RUN)
		return feature_result(0);
	return feature_found(false, "the limit leaves room for %d of %d", left, DESCRIPTORS_OF_A_RUN);
}

struct finding probe_pidfd(struct machine *machine, int unused) {
	int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	(void)machine;
	(void)unused;
	return feature_descriptor(fd);
}

struct failed {
	int error; /* negative errno */
	enum confine_step step;
};

/* Confines a child, which ends at once, and hands back how that went. */
static struct failed try_confining(void (*confining)(struct failed *failed)) {
	struct failed failed = {.error = -EIO};
	int pair[2], pid;

	if (pipe(pair))
		return (struct failed){.error = -errno};
	pid = fork();
	if (pid == 0) {
		confining(&failed);
		_exit(write(pair[1], &failed, sizeof(failed)) < 0);
	}
	close(pair[1]);
	if (pid < 0)
		failed.error = -errno;
	else if (read(pair[0], &failed, sizeof(failed)) != (ssize_t)sizeof(failed))
		failed.error = -EIO;
	close(pair[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return failed;
}

static void confine_all(struct failed *failed) {
	static const struct confinement confinement = {.no_seccomp = true};

	failed->error = confine(&confinement, &failed->step);
}

/* Static: the child has it from here. */
static struct syscalls syscalls;

static void confine_calls(struct failed *failed) {
	failed->error = syscalls_refuse(&syscalls, NULL);
}

struct finding probe_confinement(struct machine *machine, int unused) {
	struct failed failed = try_confining(confine_all);

	(void)machine;
	(void)unused;
	if (failed.error == 0)
		return feature_result(0);
	return feature_found(false, "cannot %s: %s", confine_step_text(failed.step), strerror(-failed.error));
}

struct finding probe_pid_namespace(struct machine *machine, int unused) {
	struct pid_namespace space;
	int error = pid_namespace_enter(&space);

	(void)machine;
	(void)unused;
	if (!error) {
		error = pid_namespace_leave(&space);
		pid_namespace_end(&space);
	}
	return feature_result(error);
}

struct finding probe_landlock(struct machine *machine, int unused) {
	int abi = scope_abi();

	(void)machine;
	(void)unused;
	if (abi < 0)
		return feature_result(abi);
	if (abi == 0)
		return feature_found(false, "not in this kernel, or off");
	return feature_found(abi >= SCOPE_ABI, abi >= SCOPE_ABI ? "ABI %d" : "ABI %d, it takes %d", abi, SCOPE_ABI);
}

struct finding probe_seccomp(struct machine *machine, int unused) {
	(void)machine;
	(void)unused;
	int error = syscalls_compile(true, &syscalls);
	return feature_result(error ? error : try_confining(confine_calls).error);
}

struct finding probe_io_uring(struct machine *machine, int unused) {
	struct io_uring_params parameters = {0};
	int fd = (int)syscall(SYS_io_uring_setup, 1, &parameters);

	(void)machine;
	(void)unused;
	return feature_descriptor(fd);
}

const char *lockdown_mode(char *text) {
	char *mode = strchr(text, '[');

	if (!mode)
		return "";
	mode[strcspn(mode, "]")] = '\0';
	return mode + 1;
}

struct finding probe_lockdown(struct machine *machine, int unused) {
	FILE *file = fopen("/sys/kernel/security/lockdown", "re");
	char text[128] = "";
	const char *mode;

	(void)machine;
	(void)unused;
	if (!file)
		return feature_found(false, "%s", "");
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	mode = lockdown_mode(text);
	return feature_found(mode[0] && strcmp(mode, "none") != 0, "%s", mode);
}
