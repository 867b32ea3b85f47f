/* SPDX-License-Identifier: BSD-2-Clause */
/* Open files that snifence was started with ──► those that its command may have. */
#include "confine/inherited.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Which <linux/magic.h> lacks. */
enum { ZFS_MAGIC = 0x2fc12fc1, NTFS_MAGIC = 0x7366746e, BCACHEFS_MAGIC = (int)0xca451a4e };

/* Those that hold files and nothing else. Of any other (cgroup, proc, bpf, nsfs, pidfs, ...) nobody knows what it does. */
static bool holds_files(unsigned int type) {
	static const unsigned int known[] = {
		EXT4_SUPER_MAGIC,
		XFS_SUPER_MAGIC,
		BTRFS_SUPER_MAGIC,
		TMPFS_MAGIC,
		RAMFS_MAGIC,
		OVERLAYFS_SUPER_MAGIC,
		F2FS_SUPER_MAGIC,
		SQUASHFS_MAGIC,
		EROFS_SUPER_MAGIC_V1,
		ISOFS_SUPER_MAGIC,
		MSDOS_SUPER_MAGIC,
		EXFAT_SUPER_MAGIC,
		NFS_SUPER_MAGIC,
		SMB2_SUPER_MAGIC,
		CIFS_SUPER_MAGIC,
		V9FS_MAGIC,
		FUSE_SUPER_MAGIC,
		CEPH_SUPER_MAGIC,
		HOSTFS_SUPER_MAGIC,
		UDF_SUPER_MAGIC,
		(unsigned int)ZFS_MAGIC,
		(unsigned int)NTFS_MAGIC,
		(unsigned int)BCACHEFS_MAGIC,
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i] == type)
			return true;
	return false;
}

static bool can_stay(int fd) {
	int flags = fcntl(fd, F_GETFD), mode = fcntl(fd, F_GETFL);
	struct stat status;
	struct statfs fs;

	if (flags < 0 || flags & FD_CLOEXEC || mode < 0 || mode & O_PATH || fstat(fd, &status))
		return false;
	return S_ISFIFO(status.st_mode) ||
	       (S_ISREG(status.st_mode) && fstatfs(fd, &fs) == 0 && holds_files((unsigned int)fs.f_type));
}

void inherited_note(struct inherited *inherited) {
	DIR *folder = opendir("/proc/self/fd");
	const struct dirent *entry;

	inherited->count = 0;
	while (folder && inherited->count < INHERITED_MOST && (entry = readdir(folder))) {
		int fd = atoi(entry->d_name); /* 0 for . and .. */

		if (fd > STDERR_FILENO && can_stay(fd))
			inherited->fds[inherited->count++] = fd;
	}
	if (folder)
		closedir(folder);
}

static bool stays(const struct inherited *inherited, const char *number) {
	for (size_t i = 0; i < inherited->count; i++)
		if (inherited->fds[i] == atoi(number))
			return true;
	return false;
}

void inherited_clean_environment(const struct inherited *inherited) {
	static const char *const of_sockets[] = {"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "LISTEN_PIDFDID"};
	const char *channel = getenv("NODE_CHANNEL_FD");

	for (size_t i = 0; i < sizeof(of_sockets) / sizeof(of_sockets[0]); i++)
		unsetenv(of_sockets[i]);
	if (!channel || stays(inherited, channel))
		return;
	unsetenv("NODE_CHANNEL_FD");
	unsetenv("NODE_CHANNEL_SERIALIZATION_MODE");
}

int inherited_keep(const struct inherited *inherited) {
	for (size_t i = 0; i < inherited->count; i++)
		if (fcntl(inherited->fds[i], F_SETFD, 0))
			return -errno;
	return 0;
}
