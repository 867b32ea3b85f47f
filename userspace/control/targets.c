/* SPDX-License-Identifier: BSD-2-Clause */
/* --cgroup, --pid, --unit ──► cgroups. */
#include "control/targets.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "base/command_line.h"
#include "base/message.h"

static int find_pid(const char *subcommand, const char *value, struct found_cgroup *found) {
	char *end;
	long pid = strtol(value, &end, 10);

	if (*end || end == value || pid <= 0 || pid > INT_MAX)
		return command_line_wrong(subcommand, "--pid takes the number of a process, not ", value);
	return cgroup_find_pid((pid_t)pid, found);
}

int targets_take(struct targets *targets, const char *subcommand, int option, const char *value) {
	struct target *items, target = {.unit = option == 'u' ? value : NULL};
	int error = 0;

	switch (option) {
	case 'c':
		error = cgroup_find_path(value, &target.cgroup);
		break;
	case 'p':
		error = find_pid(subcommand, value, &target.cgroup);
		break;
	case 'u':
		error = cgroup_find_unit(value, &target.cgroup);
		break;
	default:
		return 1;
	}
	if (error)
		return error;
	for (size_t i = 0; i < targets->count; i++)
		if (targets->items[i].cgroup.id == target.cgroup.id) {
			cgroup_found_close(&target.cgroup);
			return 0;
		}
	items = realloc(targets->items, (targets->count + 1) * sizeof(*items));
	if (!items) {
		cgroup_found_close(&target.cgroup);
		message_error("out of memory");
		return -ENOMEM;
	}
	targets->items = items;
	items[targets->count++] = target;
	return 0;
}

void targets_free(struct targets *targets) {
	for (size_t i = 0; i < targets->count; i++)
		cgroup_found_close(&targets->items[i].cgroup);
	free(targets->items);
}
