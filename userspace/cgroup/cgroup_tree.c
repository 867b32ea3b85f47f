/* SPDX-License-Identifier: BSD-2-Clause */
/* A cgroup ──► each cgroup in its tree, however deep that is. */
#include "cgroup/cgroup_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A cgroup on the way down, with the names of those below it that are still to be visited. */
struct level {
	struct dirent **below;
	int left;
	char *name; /* its own */
};

struct walk {
	struct level *levels;
	size_t depth, room;
	int fd; /* the directory of the deepest level */
	cgroup_visitor visit;
	void *context;
	int result;
};

static int is_cgroup(const struct dirent *entry) {
	return entry->d_type == DT_DIR && entry->d_name[0] != '.';
}

static int open_below(int fd, const char *name) {
	return openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int make_room(struct walk *walk) {
	size_t room = walk->room ? 2 * walk->room : 16;
	struct level *levels;

	if (walk->depth < walk->room)
		return 0;
	levels = realloc(walk->levels, room * sizeof(*levels));
	if (!levels)
		return -ENOMEM;
	walk->levels = levels;
	walk->room = room;
	return 0;
}

/* Goes down into `name`, which is in `parent_fd`. Returns 0 or a negative errno; then nothing has changed. */
static int descend(struct walk *walk, int parent_fd, const char *name) {
	struct level level = {.name = strdup(name)};
	int fd = open_below(parent_fd, name), error = fd < 0 ? -errno : make_room(walk);

	if (!error && (!level.name || (level.left = scandirat(fd, ".", &level.below, is_cgroup, NULL)) < 0))
		error = -errno;
	if (error) {
		free(level.name);
		if (fd >= 0)
			close(fd);
		return error;
	}
	if (walk->depth > 0)
		close(walk->fd);
	walk->fd = fd;
	walk->levels[walk->depth++] = level;
	return 0;
}

/* Visits the deepest level, which has nothing left below, and goes up to the one above; at the top to `parent_fd`. */
static void ascend(struct walk *walk, int parent_fd) {
	struct level *level = &walk->levels[--walk->depth];
	int above = walk->depth > 0 ? open_below(walk->fd, "..") : parent_fd, result;

	result = walk->visit(above, level->name, walk->fd, walk->context);
	if (result)
		walk->result = result;
	close(walk->fd);
	walk->fd = above;
	free(level->below);
	free(level->name);
}

/* Takes the next name below the deepest level; the caller frees it. */
static struct dirent *next_below(struct walk *walk) {
	struct level *level = &walk->levels[walk->depth - 1];

	return level->left > 0 ? level->below[--level->left] : NULL;
}

int cgroup_tree_walk(int parent_fd, const char *name, cgroup_visitor visit, void *context) {
	struct walk walk = {.visit = visit, .context = context};
	int error;

	walk.result = descend(&walk, parent_fd, name);
	while (walk.depth > 0) {
		struct dirent *below = next_below(&walk);

		if (!below) {
			ascend(&walk, parent_fd);
			continue;
		}
		/* it may have been removed meanwhile */
		error = descend(&walk, walk.fd, below->d_name);
		if (error && error != -ENOENT)
			walk.result = error;
		free(below);
	}
	free(walk.levels);
	return walk.result;
}
