/* SPDX-License-Identifier: BSD-2-Clause */
/* What sudo has taken away: variables, and the program that the caller's PATH leads to. */
#include "run/run_variables.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/caller.h"
#include "base/message.h"

/* NAME=VALUE; NULL in `*made`: it was not set. Returns whether there was memory. */
static bool make(const char *name, char **made) {
	char *value;
	int length = 0;

	*made = NULL;
	if (strchr(name, '=')) {
		*made = strdup(name);
		return *made;
	}
	value = caller_variable(name);
	if (value)
		length = asprintf(made, "%s=%s", name, value);
	free(value);
	return length >= 0;
}

char **run_variables_make(const char *const *names, size_t count) {
	char **variables = calloc(count + 1, sizeof(*variables));
	size_t made = 0;
	bool good = variables;

	for (size_t i = 0; good && i < count; i++) {
		good = make(names[i], &variables[made]);
		made += good && variables[made];
	}
	if (good)
		return variables;
	if (variables)
		variables[made] = NULL;
	run_variables_free(variables);
	return NULL;
}

int run_variables_add(char ***variables, const char *name, const char *value) {
	size_t count = 0;
	char **more;

	while ((*variables)[count])
		count++;
	more = realloc(*variables, (count + 2) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	*variables = more;
	more[count + 1] = NULL;
	if (asprintf(&more[count], "%s=%s", name, value) >= 0)
		return 0;
	more[count] = NULL;
	return -ENOMEM;
}

void run_variables_free(char **variables) {
	for (char **variable = variables; variable && *variable; variable++)
		free(*variable);
	free(variables);
}

/* The program of this name in the first folder of `path` that has one. */
static bool find_program(const char *path, const char *name, char out[PATH_MAX]) {
	const char *folder = path, *end;
	struct stat status;

	for (; folder; folder = *end ? end + 1 : NULL) {
		end = strchrnul(folder, ':');
		if (snprintf(out, PATH_MAX, "%.*s/%s", (int)(end - folder), folder, name) < PATH_MAX &&
		    stat(out, &status) == 0 && S_ISREG(status.st_mode) && access(out, X_OK) == 0)
			return true;
	}
	return false;
}

static bool is_same(const char *one, const char *other) {
	struct stat a, b;

	return stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

void run_variables_hint(const char *command, char *const *variables) {
	char mine[PATH_MAX], callers[PATH_MAX], *path;
	bool found;

	for (; variables && *variables; variables++)
		if (strncmp(*variables, "PATH=", 5) == 0)
			return;
	path = strchr(command, '/') ? NULL : caller_variable("PATH");
	if (!path)
		return;
	found = getenv("PATH") && find_program(getenv("PATH"), command, mine);
	if (find_program(path, command, callers) && !(found && is_same(mine, callers)))
		message_error("by your PATH %s is %s, by sudo's it is %s: --env PATH takes yours", command, callers,
			      found ? mine : "not found");
	free(path);
}
