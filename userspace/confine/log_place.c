/* SPDX-License-Identifier: BSD-2-Clause */
/* A path ──► one folder after the other ──► the last one. */
#include "confine/log_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINKS = 40 /* as the kernel follows */, REST = 2 * PATH_MAX };

struct walk {
	struct log_place *place;
	const struct identity *identity;
	char rest[REST];    /* of the path, still to go */
	char way[PATH_MAX]; /* so far, for messages: as it was written where no link came */
	int links;
};

static bool in_group(gid_t group, const struct identity *identity) {
	for (int i = 0; i < identity->group_count; i++)
		if (identity->groups[i] == group)
			return true;
	return identity->gid == group;
}

bool log_place_writable(const struct stat *status, const struct identity *identity) {
	mode_t bit = S_IWOTH;

	if (!identity->change || identity->uid == 0)
		return false;
	if (S_ISDIR(status->st_mode) && status->st_mode & S_ISVTX && status->st_uid != identity->uid)
		return false;
	if (status->st_uid == identity->uid)
		return true; /* who owns it can change the mode */
	if (in_group(status->st_gid, identity))
		bit = S_IWGRP;
	return status->st_mode & bit;
}

static void replace(struct walk *walk, int folder) {
	struct stat status;

	close(walk->place->folder);
	walk->place->folder = folder;
	if (!walk->place->writable[0] && fstat(folder, &status) == 0 && log_place_writable(&status, walk->identity))
		strcpy(walk->place->writable, walk->way[0] ? walk->way : "/");
}

static int enter_root(struct walk *walk) {
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return -errno;
	walk->way[0] = '\0';
	replace(walk, root);
	return 0;
}

/* Puts what the link says before the rest of the path. Takes over `link`. */
static int follow(struct walk *walk, int link, const struct stat *status) {
	char target[REST];
	ssize_t length = readlinkat(link, "", target, PATH_MAX);
	int error = length < 0 ? -errno : 0;

	close(link);
	if (error)
		return error;
	if (status->st_uid != 0)
		return -EMLINK;
	if (++walk->links > LINKS || (size_t)length + strlen(walk->rest) + 2 > REST)
		return -ELOOP;
	snprintf(target + length, REST - (size_t)length, "/%s", walk->rest);
	strcpy(walk->rest, target);
	return target[0] == '/' ? enter_root(walk) : 0;
}

static int step(struct walk *walk, const char *name) {
	int next = openat(walk->place->folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	size_t length = strlen(walk->way);
	struct stat status;

	if (next < 0)
		return -errno;
	if (fstat(next, &status) == 0 && S_ISLNK(status.st_mode))
		return follow(walk, next, &status);
	snprintf(walk->way + length, sizeof(walk->way) - length, "/%s", name);
	replace(walk, next);
	return 0;
}

/* Takes the first part of the rest. Returns whether it is the last one. */
static bool take(struct walk *walk, char name[NAME_MAX + 1]) {
	char *begin = walk->rest + strspn(walk->rest, "/");
	size_t length = strcspn(begin, "/");
	bool last = begin[length] == '\0';

	snprintf(name, NAME_MAX + 1, "%.*s", (int)length, begin);
	memmove(walk->rest, begin + length, strlen(begin + length) + 1);
	return last;
}

static int walk_all(struct walk *walk) {
	char name[NAME_MAX + 1];
	int error = enter_root(walk);

	while (!error && !take(walk, name))
		error = step(walk, name);
	if (!error && (!name[0] || strcmp(name, ".") == 0 || strcmp(name, "..") == 0))
		error = -EISDIR;
	if (!error)
		strcpy(walk->place->name, name);
	return error;
}

int log_place_find(struct log_place *place, const char *file, const struct identity *identity) {
	struct walk *walk = calloc(1, sizeof(*walk));
	char here[PATH_MAX] = "";
	int error = walk ? 0 : -ENOMEM;

	*place = (struct log_place){.folder = -1};
	if (!error && file[0] != '/' && !getcwd(here, sizeof(here)))
		error = -errno;
	if (!error && snprintf(walk->rest, REST, "%s/%s", here, file) >= REST)
		error = -ENAMETOOLONG;
	if (!error) {
		walk->place = place;
		walk->identity = identity;
		error = walk_all(walk);
	}
	free(walk);
	if (error && place->folder >= 0)
		close(place->folder);
	return error;
}

const char *log_place_error(int error) {
	return error == -EMLINK ? "a folder on the way is a symbolic link that is not root's; name the folder itself"
				: strerror(-error);
}
