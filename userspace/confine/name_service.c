/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's name service ──► one that asks for itself: what others look up for a command, no filter sees. */
#include "confine/name_service.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define SWITCH "/etc/nsswitch.conf"
#define DESK "/tmp" /* where a file system stands for a moment; every system has it */
#define COPY DESK "/nsswitch.conf"

enum { LINES_MAX = 1000 };

/* Sockets of those that look up names for others. /dev/null in their place refuses connections. */
static const char *const services[] = {
	"/run/nscd/socket",
	"/var/run/nscd/socket",
	"/run/unscd/socket",
	"/run/systemd/resolve/io.systemd.Resolve",
	"/run/systemd/resolve/io.systemd.Resolve.Monitor",
	"/run/avahi-daemon/socket",
};

static bool is_hosts(const char *line) {
	static const char word[] = "hosts";
	const char *at = line + strspn(line, " \t");

	if (strncmp(at, word, strlen(word)) != 0)
		return false;
	at += strlen(word);
	return at[strspn(at, " \t")] == ':';
}

/* Copies the file, but for what it says of hosts. */
static int copy_switch(FILE *in, FILE *out) {
	char line[512];
	bool begins = true, dropped = false;

	for (int lines = 0; lines < LINES_MAX && fgets(line, sizeof(line), in); lines++) {
		if (begins)
			dropped = is_hosts(line);
		if (!dropped)
			fputs(line, out);
		begins = strchr(line, '\n') != NULL;
	}
	fputs(begins ? "hosts: files dns\n" : "\nhosts: files dns\n", out);
	return ferror(in) || ferror(out) ? -EIO : 0;
}

static int write_copy(void) {
	FILE *in = fopen(SWITCH, "re"), *out = in ? fopen(COPY, "we") : NULL;
	int error = out ? copy_switch(in, out) : -errno;

	if (out && fchmod(fileno(out), 0644) && !error)
		error = -errno;
	if (out && fclose(out) && !error)
		error = -errno;
	if (in)
		fclose(in);
	return error;
}

/* Over a mounted file that has been removed, as a container engine's can be, nothing is mounted: it goes first. */
static int put_over(const char *file, const char *path) {
	if (mount(file, path, NULL, MS_BIND, NULL) == 0)
		return 0;
	if (errno != ENOENT || umount2(path, MNT_DETACH))
		return -errno;
	return mount(file, path, NULL, MS_BIND, NULL) ? -errno : 0;
}

/* The copy lives as long as it is mounted over the file; the file system that it was made in is out of sight again. */
static int replace_switch(void) {
	int error;

	if (access(SWITCH, F_OK))
		return errno == ENOENT ? 0 : -errno; /* then the library asks DNS, and reads /etc/hosts */
	if (mount("snifence", DESK, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755,size=1m"))
		return -errno;
	error = write_copy();
	if (!error)
		error = put_over(COPY, SWITCH);
	if (umount2(DESK, MNT_DETACH) && !error)
		error = -errno;
	return error;
}

static int hide(const char *path) {
	struct stat status;

	if (lstat(path, &status) || !S_ISSOCK(status.st_mode))
		return 0;
	return put_over("/dev/null", path);
}

int name_service_own(void) {
	int error = replace_switch();

	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]) && !error; i++)
		error = hide(services[i]);
	return error;
}
