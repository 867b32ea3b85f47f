/* SPDX-License-Identifier: BSD-2-Clause */
/* A way past the filter ──► an attempt in a child, confined or not ──► whether it is closed, and where. */
#include "way.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "confine/confine.h"
#include "evasion.h"

/* As the documentation has them; NULL: not there, as the filter closes all of it. */
static const char *const rows[WAY_ROWS] = {
	[WAY_PACKETS] = "packet sockets, and a filter that is taken off",
	[WAY_STATE] = "what is pinned and noted, which is root's whatever capabilities it has",
	[WAY_CGROUP] = "leaving the cgroup, BPF pins",
	[WAY_CALLS] = "io_uring, vsock, user and other namespaces, keys, shared pages, calls of 32 bits",
	[WAY_PROCESSES] = "other processes: ptrace, /proc, signals",
};

struct confined {
	attempt_function attempt;
	const struct confinement *confinement;
};

static int run_confined(void *argument) {
	const struct confined *confined = argument;
	struct confinement confinement = *confined->confinement;
	enum confine_step step;

	if (confine_prepare(&confinement))
		return -1 - CONFINE_STEPS;
	return confine(&confinement, &step) ? -1 - (int)step : confined->attempt();
}

static const char *outcome(int got) {
	return got > 0 ? strerror(got) : got == 0 ? "it worked" : "could not be confined";
}

void must_fail(attempt_function attempt, int error, int or_error) {
	static const struct confinement users[] = {
		{.identity = {.change = false}},
		{.identity =
			 {.change = true, .uid = 65534, .gid = 65534, .name = (char *)"nobody", .home = (char *)"/"}},
	};
	struct confined confined;
	int got;

	for (size_t i = 0; i < COUNT(users); i++) {
		confined = (struct confined){attempt, &users[i]};
		got = lab_inside(run_confined, &confined);
		evasion_count(1);
		if (got != error && got != or_error)
			fail_msg("%s: %s, not %s", i ? "as nobody" : "as root", outcome(got), strerror(error));
	}
}

/* The child of lab_inside() is in a cgroup that is attached, and is not confined. */
static int run_attached(void *argument) {
	return ((const struct way *)argument)->attempt();
}

static void try_attached(const struct way *way) {
	int got = lab_inside(run_attached, (void *)way);
	bool closed = got == way->error || got == way->or_error;

	evasion_count(1);
	if (closed && rows[way->row])
		fail_msg("%s: closed where a cgroup is attached, though the documentation says that it is open: \"%s\"",
			 way->name, rows[way->row]);
	if (!closed && !rows[way->row])
		fail_msg("%s: %s where a cgroup is attached", way->name, outcome(got));
}

void ways_tried(const struct way *ways, size_t count) {
	for (size_t i = 0; i < count; i++) {
		must_fail(ways[i].attempt, ways[i].error, ways[i].or_error);
		try_attached(&ways[i]);
	}
}

/* Reads the file up to the line behind the table's head. */
static bool find_table(FILE *file) {
	char line[1024];

	while (fgets(line, sizeof(line), file))
		if (strncmp(line, "| way out |", 11) == 0)
			return fgets(line, sizeof(line), file);
	return false;
}

static void compare_row(FILE *file, const char *row) {
	char line[1024] = "", expected[256];
	int length = snprintf(expected, sizeof(expected), "| %s | ", row);

	if (!fgets(line, sizeof(line), file) || strncmp(line, expected, (size_t)length) != 0)
		fail_msg("the table of ways out has \"%.*s\" where \"%s\" is tried", (int)strcspn(line, "\n"), line,
			 row);
}

static bool compare_table(const char *path) {
	FILE *file = fopen(path, "re");
	bool found = file && find_table(file);
	char line[1024];

	for (size_t i = 0; found && i < WAY_ROWS; i++)
		if (rows[i])
			compare_row(file, rows[i]);
	if (found && fgets(line, sizeof(line), file) && line[0] == '|')
		fail_msg("the table of ways out has one that is not tried: %s", line);
	if (file)
		fclose(file);
	return found;
}

void ways_documented(void) {
	static const char path[] = "docs/operations.md";

	if (access(path, F_OK))
		evasion_skip("there is no %s here", path);
	if (!compare_table(path))
		fail_msg("%s has no table of ways out", path);
}
