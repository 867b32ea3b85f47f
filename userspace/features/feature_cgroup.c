/* SPDX-License-Identifier: BSD-2-Clause */
/* Cgroups and their mounts ──► what a run can do with the processes of its command. */
#include "features/feature_cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/message.h"
#include "base/text.h"
#include "cgroup/cgroup_place.h"
#include "confine/spawn.h"

/* Where the first file system of the type is mounted: into `directory`, cut to `size` bytes with the NUL. False when it is
 * nowhere. Reads the list from its beginning. */
static bool mounted_on(FILE *mounts, const char *type, char *directory, size_t size) {
	struct mntent *entry;

	rewind(mounts);
	while ((entry = getmntent(mounts)))
		if (strcmp(entry->mnt_type, type) == 0) {
			snprintf(directory, size, "%s", entry->mnt_dir);
			return true;
		}
	return false;
}

struct finding describe_cgroup2(FILE *mounts) {
	char directory[200], first[200];
	bool hybrid = mounted_on(mounts, "cgroup", first, sizeof(first));

	if (!mounted_on(mounts, "cgroup2", directory, sizeof(directory)))
		return feature_found(true, "not mounted here: run mounts it for itself");
	return feature_found(true, "mounted on %s%s", directory, hybrid ? ", beside version 1" : "");
}

struct finding probe_cgroup2(struct machine *machine, int unused) {
	char *path = cgroup_place_path(0);
	int error = path ? 0 : -errno;
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct finding finding = feature_found(true, "where it is mounted is not known: /proc is not");

	(void)machine;
	(void)unused;
	if (error == -ENODATA)
		finding = feature_found(false, "/proc/self/cgroup names none");
	else if (error)
		finding = feature_found(false, "/proc/self/cgroup cannot be read: %s", strerror(-error));
	else if (mounts)
		finding = describe_cgroup2(mounts);
	if (mounts)
		endmntent(mounts);
	free(path);
	return finding;
}

/* What went wrong is what run would say: the last line of it, without `snifence: `. */
struct finding probe_own_cgroup(struct machine *machine, int unused) {
	char *told = NULL;
	size_t size = 0;
	FILE *stream = text_open(&told, &size);
	int error = -ENOMEM;

	(void)unused;
	if (stream) {
		message_redirect(stream);
		error = cgroup_create(&machine->cgroup);
		message_redirect(NULL);
	}
	if (text_close(stream, &told) == 0 && error && strncmp(told, "snifence: ", 10) == 0)
		told[strcspn(told, "\n")] = '\0';
	struct finding finding =
		error && told && size > 10 ? feature_found(false, "%s", told + 10) : feature_result(error);
	free(told);
	return finding;
}

struct finding probe_clone_into(struct machine *machine, int unused) {
	int pidfd = -1, pid;

	(void)unused;
	if (machine->cgroup.fd < 0)
		return (struct finding){FEATURE_UNKNOWN, "there is no cgroup to try it in"};
	pid = spawn_fork_into(&machine->cgroup, &pidfd);
	if (pid < 0)
		return feature_result(pid);
	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	close(pidfd);
	return feature_result(0);
}

struct finding probe_cgroup_kill(struct machine *machine, int unused) {
	int fd;

	(void)unused;
	if (machine->cgroup.fd < 0)
		return (struct finding){FEATURE_UNKNOWN, "there is no cgroup to try it in"};
	fd = openat(machine->cgroup.fd, "cgroup.kill", O_WRONLY | O_CLOEXEC);
	return feature_descriptor(fd);
}

struct finding probe_bpf_file_system(struct machine *machine, int unused) {
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	char directory[200];
	bool mounted = mounts && mounted_on(mounts, "bpf", directory, sizeof(directory));

	(void)machine;
	(void)unused;
	if (mounts)
		endmntent(mounts);
	return mounted ? feature_found(true, "on %s", directory) : feature_found(false, "%s", "");
}
