/* SPDX-License-Identifier: BSD-2-Clause */
/* sudo's variables ──► who called it. */
#include "base/caller.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool caller_parse_id(const char *text, const char *end, uint32_t *id) {
	uint64_t value = 0;

	if (text == end || end - text > 10)
		return false;
	for (; text < end; text++) {
		if (*text < '0' || *text > '9')
			return false;
		value = value * 10 + (uint64_t)(*text - '0');
	}
	*id = (uint32_t)value;
	return value < UINT32_MAX;
}

int caller_ids(uid_t *uid, gid_t *gid) {
	const char *user = getenv("SUDO_UID"), *group = getenv("SUDO_GID");

	if (!user && !group)
		return -ENOENT;
	if (user && group && caller_parse_id(user, user + strlen(user), uid) &&
	    caller_parse_id(group, group + strlen(group), gid))
		return 0;
	return -EINVAL;
}

const char *caller_home(void) {
	const struct passwd *entry;
	uid_t uid;
	gid_t gid;

	if (caller_ids(&uid, &gid) == 0 && (entry = getpwuid(uid)))
		return entry->pw_dir;
	return getenv("HOME");
}

/* ---- the environment ----------------------------------------------------------------------------------------------- */

enum { ANCESTORS = 8, ENVIRONMENT = 1 << 21 /* as much as execve() takes of one */ };

static bool is_sudo(pid_t pid) {
	char path[32], program[4096];
	const char *name;
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	length = readlink(path, program, sizeof(program) - 1);
	if (length < 0)
		return false;
	program[length] = '\0';
	name = strrchr(program, '/');
	return name && (strcmp(name, "/sudo") == 0 || strcmp(name, "/sudo-rs") == 0);
}

static pid_t parent_of(pid_t pid) {
	char path[32], line[512] = "";
	const char *end;
	FILE *file;
	int parent = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (file && fgets(line, sizeof(line), file) && (end = strrchr(line, ')')))
		sscanf(end, ") %*c %d", &parent);
	if (file)
		fclose(file);
	return parent;
}

/* The nearest process above that is sudo; 0: none is. */
static pid_t find_sudo(void) {
	pid_t pid = getppid();

	for (int i = 0; i < ANCESTORS && pid > 1; i++) {
		if (is_sudo(pid))
			return pid;
		pid = parent_of(pid);
	}
	return 0;
}

char *caller_variable(const char *name) {
	char path[32], *value = NULL, *entries;
	size_t length = strlen(name), got;
	pid_t sudo = find_sudo();
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/environ", sudo);
	file = sudo ? fopen(path, "re") : NULL;
	if (!file)
		return NULL;
	entries = calloc(1, ENVIRONMENT + 1);
	got = entries ? fread(entries, 1, ENVIRONMENT, file) : 0;
	fclose(file);
	for (const char *entry = entries; got > 0 && !value && entry < entries + got; entry += strlen(entry) + 1)
		if (strncmp(entry, name, length) == 0 && entry[length] == '=')
			value = strdup(entry + length + 1);
	free(entries);
	return value;
}
