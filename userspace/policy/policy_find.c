/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy's name ──► its file. */
#include "policy/policy_find.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/caller.h"
#include "base/near_word.h"

#define SUFFIX ".yaml"

enum { FIRST_INSTALLED = 3, FOLDERS = 5, LIST_SIZE = 512 };

struct folders {
	char paths[FOLDERS][PATH_MAX]; /* "": there is none */
};

/* What was installed stands beside this program. */
static void find_installed(char path[PATH_MAX], const char *below) {
	char program[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);

	path[0] = '\0';
	if (length < 0)
		return;
	program[length] = '\0';
	for (int up = 0; up < 2; up++)
		*strrchr(program, '/') = '\0';
	if (snprintf(path, PATH_MAX, "%s/share/snifence/policy%s", program, below) >= PATH_MAX)
		path[0] = '\0';
}

static void find_folders(struct folders *folders) {
	const char *home = caller_home();

	strcpy(folders->paths[0], ".");
	if (!home || snprintf(folders->paths[1], PATH_MAX, "%s/.config/snifence", home) >= PATH_MAX)
		folders->paths[1][0] = '\0';
	strcpy(folders->paths[2], SNIF_SYSCONFDIR "/snifence");
	find_installed(folders->paths[3], "");
	find_installed(folders->paths[4], "/examples");
}

static bool is_path(const char *name) {
	size_t length = strlen(name);

	return strchr(name, '/') || strcmp(name, "-") == 0 || (length > 5 && strcmp(name + length - 5, SUFFIX) == 0) ||
	       (length > 4 && strcmp(name + length - 4, ".yml") == 0) || access(name, F_OK) == 0;
}

static int is_policy(const struct dirent *entry) {
	const char *dot = strrchr(entry->d_name, '.');

	return dot && strcmp(dot, SUFFIX) == 0;
}

/* The names in a folder, of which one may have been meant. `closest` holds its own copy. */
static void look_for_near(const char *folder, const char *name, size_t *least, char closest[NAME_MAX + 1]) {
	DIR *listing = opendir(folder);
	const struct dirent *entry;

	while (listing && (entry = readdir(listing))) {
		const char *found = NULL;
		char known[NAME_MAX + 1];

		if (!is_policy(entry))
			continue;
		snprintf(known, sizeof(known), "%.*s", (int)(strlen(entry->d_name) - strlen(SUFFIX)), entry->d_name);
		near_word_try(name, known, least, &found);
		if (found)
			strcpy(closest, known);
	}
	if (listing)
		closedir(listing);
}

/* Those that were installed; "" where there are none. */
static void list_installed(const struct folders *folders, char list[LIST_SIZE]) {
	size_t length = 0;

	list[0] = '\0';
	for (size_t i = FIRST_INSTALLED; i < FOLDERS; i++) {
		struct dirent **entries = NULL;
		int count = folders->paths[i][0] ? scandir(folders->paths[i], &entries, is_policy, alphasort) : 0;

		for (int k = 0; k < count; k++) {
			int name = (int)strlen(entries[k]->d_name) - (int)strlen(SUFFIX);

			if (length < LIST_SIZE)
				length += (size_t)snprintf(list + length, LIST_SIZE - length, "%s%.*s",
							   length ? ", " : "; there are ", name, entries[k]->d_name);
			free(entries[k]);
		}
		free(entries);
	}
}

static void refuse(const char *name, const struct folders *folders, struct diagnostics *diagnostics) {
	char closest[NAME_MAX + 1] = "", meant[LIST_SIZE];
	size_t least = near_word_limit(name);

	for (size_t i = 0; i < FOLDERS; i++)
		if (folders->paths[i][0])
			look_for_near(folders->paths[i], name, &least, closest);
	if (closest[0])
		snprintf(meant, sizeof(meant), "; did you mean %s?", closest);
	else
		list_installed(folders, meant);
	diagnose(diagnostics, name, 0, 0, "there is no such file, and no policy of this name here, in %s, %s or %s%s",
		 folders->paths[1], folders->paths[2], folders->paths[3], meant);
}

char *policy_find(const char *name, struct diagnostics *diagnostics) {
	struct folders *folders;
	char *path = NULL;

	if (is_path(name)) {
		path = strdup(name);
		if (!path)
			diagnose(diagnostics, name, 0, 0, "out of memory");
		return path;
	}
	folders = malloc(sizeof(*folders));
	if (!folders) {
		diagnose(diagnostics, name, 0, 0, "out of memory");
		return NULL;
	}
	find_folders(folders);
	for (size_t i = 0; i < FOLDERS; i++) {
		if (!folders->paths[i][0] || asprintf(&path, "%s/%s" SUFFIX, folders->paths[i], name) < 0)
			continue;
		if (access(path, R_OK) == 0)
			break;
		free(path);
		path = NULL;
	}
	if (!path)
		refuse(name, folders, diagnostics);
	free(folders);
	return path;
}
